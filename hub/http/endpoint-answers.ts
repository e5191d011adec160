/** Endpoints as answers: what they want and how they fare. Secrets and header values stay inside. */
import type { Endpoint } from "../core/endpoint.ts";
import { HubError } from "../core/errors.ts";
import { authoritiesIn } from "../outbox/authorities.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";

type Reads = Pick<HttpContext, "store" | "endpoints" | "clock">;

/** An endpoint that hears of a session the caller does not see would tell that session's secrets. */
function seesEndpoint({ key }: Caller, { sessions }: Pick<Endpoint, "sessions">): boolean {
  const mine = key.sessions;
  return mine === "*" || (sessions !== "*" && sessions.every((id) => mine.includes(id)));
}

/** @throws HubError `NOT_FOUND`, the same for unknown and for foreign endpoints */
export async function reachEndpoint(
  id: string,
  caller: Caller,
  { endpoints }: Pick<Reads, "endpoints">,
): Promise<Endpoint> {
  const endpoint = await endpoints.get(id).catch((error: unknown) => {
    throw error instanceof HubError && error.code === "NOT_FOUND" ? noSuchEndpoint() : error;
  });
  if (!seesEndpoint(caller, endpoint)) throw noSuchEndpoint();
  return endpoint;
}

const noSuchEndpoint = (): HubError => new HubError("NOT_FOUND", "There is no such endpoint.");

async function visibleEndpoints(
  caller: Caller,
  { sessionId }: { sessionId?: string | undefined },
  { endpoints }: Pick<Reads, "endpoints">,
): Promise<Endpoint[]> {
  const hears = ({ sessions }: Endpoint): boolean =>
    sessionId === undefined || sessions === "*" || sessions.includes(sessionId);
  return (await endpoints.list()).filter((endpoint) => seesEndpoint(caller, endpoint) && hears(endpoint));
}

/** Deliveries of which endpoints a caller may see; "*" spares the store the list. */
export async function deliverableEndpoints(
  caller: Caller,
  ctx: Pick<Reads, "endpoints">,
): Promise<"*" | string[]> {
  if (caller.key.sessions === "*") return "*";
  return (await visibleEndpoints(caller, {}, ctx)).map(({ id }) => id);
}

export async function shownEndpoint(endpoint: Endpoint, { store, endpoints, clock }: Reads) {
  const { pending, retrying, dead } = await store.outbox.stats(endpoint.id, clock.now());
  return {
    id: endpoint.id,
    url: endpoint.url,
    description: endpoint.description,
    sessions: endpoint.sessions,
    events: endpoint.events,
    format: "native",
    ordering: endpoint.ordering,
    ack: endpoint.ack,
    presets: endpoint.presets,
    headers: Object.keys(endpoint.headers),
    timeoutMs: endpoint.timeoutMs,
    concurrency: endpoint.concurrency,
    enabled: endpoint.enabled,
    managedBy: endpoint.managedBy,
    client: endpoint.client,
    includeQr: endpoint.includeQr,
    signatureHeaderName: endpoint.signatureHeaderName,
    secretFingerprints: endpoints.fingerprints(endpoint),
    ca: shownAuthorities(endpoint),
    state: endpoint.state,
    breaker: { state: endpoint.breaker.state, until: endpoint.breaker.until?.toISOString() ?? null },
    lastSuccessAt: endpoint.lastSuccessAt?.toISOString() ?? null,
    lastError: endpoint.lastError,
    pending: pending + retrying,
    dead,
    createdAt: endpoint.createdAt.toISOString(),
  };
}

const shownAuthorities = ({ ca }: Pick<Endpoint, "ca">): { subject: string; validUntil: string }[] =>
  (ca === null ? [] : authoritiesIn(ca)).map(({ subject, validUntil }) => ({
    subject,
    validUntil: validUntil.toISOString(),
  }));

export const presentEndpoints = async (
  caller: Caller,
  filter: { sessionId?: string | undefined },
  ctx: Reads,
): Promise<Awaited<ReturnType<typeof shownEndpoint>>[]> =>
  Promise.all((await visibleEndpoints(caller, filter, ctx)).map((endpoint) => shownEndpoint(endpoint, ctx)));
