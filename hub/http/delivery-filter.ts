/** Which deliveries are meant: the filter of a list, and of replays and dismissals. */
import { z } from "zod";
import { deliveryStateSchema } from "../contract/administration.ts";
import { EVENT_NAMES } from "../contract/events.ts";
import type { DeliveryFilter } from "../core/store.ts";
import { chatOf } from "./addresses.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { reachEndpoint } from "./endpoint-answers.ts";
import { invalid } from "./errors.ts";
import { moment } from "./paging.ts";
import { reachSession } from "./reach.ts";

export const deliveryFilterShape = {
  endpointId: z.string().max(40).optional(),
  sessionId: z.string().max(100).optional(),
  chatId: z.string().min(1).max(140).optional(),
  state: deliveryStateSchema.optional(),
  event: z.enum(EVENT_NAMES).optional(),
  since: moment,
  until: moment,
};

/** The same in a body, with a place in the log of events beside it. */
export const deliveryOrderSchema = z.object({ ...deliveryFilterShape, afterSeq: z.int().min(0).optional() });
type Asked = z.output<typeof deliveryOrderSchema>;

/** @throws HubError when the filter names what the caller does not see */
export async function filterOf(asked: Asked, caller: Caller, ctx: HttpContext): Promise<DeliveryFilter> {
  const { endpointId, sessionId, chatId, state, event, since, until, afterSeq } = asked;
  const session = sessionId === undefined ? undefined : await reachSession(sessionId, caller, ctx.sessions);
  if (chatId !== undefined && session === undefined)
    throw invalid([{ path: "chatId", problem: "needs sessionId beside it" }]);
  if (endpointId !== undefined) await reachEndpoint(endpointId, caller, ctx);
  return {
    endpointId,
    sessionId: session?.sessionId,
    chatId:
      session !== undefined && chatId !== undefined
        ? await chatOf({ session, caller }, chatId, ctx)
        : undefined,
    state,
    event,
    since,
    until,
    afterSeq,
  };
}

/** For orders that change many deliveries: never "all there are" by an empty body, never beyond the caller's reach. */
export async function orderFilterOf(asked: Asked, caller: Caller, ctx: HttpContext): Promise<DeliveryFilter> {
  if (Object.values(asked).every((value) => value === undefined))
    throw invalid([
      { path: "body", problem: "name at least one of endpointId, sessionId, state, event, since, until" },
    ]);
  if (caller.key.sessions !== "*" && asked.endpointId === undefined)
    throw invalid([{ path: "endpointId", problem: "is needed with a key that sees some sessions only" }]);
  return filterOf(asked, caller, ctx);
}
