/** Filters of deliveries as conditions on `delivery d JOIN event e`. */
import type { DeliveryFilter } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import { when, type Condition } from "../pager.ts";
import { deliveryNumber } from "./states.ts";

/** Matches nothing: the endpoint or session is not there. */
const NONE = -1;

export function conditionsOf(engine: Engine, filter: DeliveryFilter): Condition[] {
  const { endpointId, sessionId, chatId, state, event, since, until, afterSeq } = filter;
  return [
    ...when("d.endpoint = ?", endpointId === undefined ? undefined : endpointNumber(engine, endpointId)),
    ...when("e.session = ?", sessionId === undefined ? undefined : sessionNumber(engine, sessionId)),
    ...when("e.chat = ?", chatId),
    ...when("d.state = ?", state === undefined ? undefined : deliveryNumber(state)),
    ...when("e.type = ?", event),
    ...when("e.created_at >= ?", since),
    ...when("e.created_at <= ?", until),
    ...when("d.event_seq > ?", afterSeq),
  ];
}

/** Also of removed endpoints, whose deliveries can still be read. */
export const endpointNumber = (engine: Engine, id: string): number =>
  engine.query<[string], { n: number }>("SELECT n FROM endpoint WHERE id = ?").get(id)?.n ?? NONE;

const sessionNumber = (engine: Engine, sessionId: string): number =>
  sessionId === "_hub" ? 0 : (engine.sessionIfAny(sessionId)?.id ?? NONE);
