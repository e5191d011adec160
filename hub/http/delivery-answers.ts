/** Deliveries as answers, and which of them a caller may see. */
import type { Attempt, Delivery } from "../core/delivery.ts";
import { HubError } from "../core/errors.ts";
import { rowId, rowOf } from "../core/ids.ts";
import { showJid, type JidForm } from "../core/jid.ts";
import { webhookHeaders } from "../outbox/wire-headers.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { deliverableEndpoints } from "./endpoint-answers.ts";

type Reads = Pick<HttpContext, "store" | "endpoints">;

export interface FoundDelivery {
  delivery: Delivery;
  body: string;
  attempts: Attempt[];
}

/** @throws HubError `NOT_FOUND`, the same for unknown and for foreign deliveries */
export async function reachDelivery(id: string, caller: Caller, ctx: Reads): Promise<FoundDelivery> {
  const n = rowOf("dlv", id);
  const found = n === null ? null : await ctx.store.outbox.get(n);
  const mine = found && (await deliverableEndpoints(caller, ctx));
  if (found === null || (mine !== "*" && !mine?.includes(found.delivery.endpointId)))
    throw new HubError("NOT_FOUND", "There is no such delivery.");
  return found;
}

/** Shows deliveries with each chat in its session's own form of addresses. */
export async function deliveryPresenter({ sessions }: Pick<HttpContext, "sessions">) {
  const forms = new Map(
    (await sessions.list()).map(({ sessionId, settings }) => [sessionId, settings.jidForm]),
  );
  return (delivery: Delivery) => present(delivery, forms.get(delivery.sessionId) ?? "c.us");
}

const present = (delivery: Delivery, jidForm: JidForm) => ({
  id: rowId("dlv", delivery.n),
  seq: delivery.seq,
  eventId: delivery.eventId,
  event: delivery.event,
  sessionId: delivery.sessionId,
  chatId: delivery.chatId === null ? null : showJid(delivery.chatId, jidForm),
  endpointId: delivery.endpointId,
  lane: delivery.lane,
  state: delivery.isSending ? ("sending" as const) : delivery.state,
  attempts: delivery.attempts,
  nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
  lastStatus: delivery.lastStatus,
  lastError: delivery.lastError,
  failure: delivery.failure,
  createdAt: delivery.createdAt.toISOString(),
  doneAt: delivery.doneAt?.toISOString() ?? null,
});

export const presentAttempt = ({ at, ...attempt }: Attempt) => ({ ...attempt, at: at.toISOString() });

/** The headers as they are sent, with everything that proves something masked. */
export async function presentHeaders(
  delivery: Delivery,
  body: string,
  { endpoints, clock }: Pick<HttpContext, "endpoints" | "clock">,
): Promise<Record<string, string>> {
  const endpoint = (await endpoints.list()).find(({ id }) => id === delivery.endpointId);
  if (endpoint === undefined) return {};
  const { eventId, event, sessionId, seq, replay } = delivery;
  const shipment = {
    eventId,
    event,
    sessionId,
    seq,
    replay,
    attempt: delivery.attempts,
    body: Buffer.from(body),
  };
  const signing = { secret: "never shown", previous: null };
  const headers = webhookHeaders(shipment, { endpoint, signing, userAgent: "InboxHub", at: clock.now() });
  const isShown = (name: string): boolean =>
    !/sign|hmac/i.test(name) &&
    !Object.hasOwn(endpoint.headers, name) &&
    name !== endpoint.signatureHeaderName;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isShown(name) ? value : "[masked]"]),
  );
}
