/** Filters of deliveries as a walk through the right index, and conditions on what it meets. */
import { HUB_SESSION } from "../../../contract/events.ts";
import type { DeliveryFilter } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import { toJson } from "../json.ts";
import { when, type Condition } from "../pager.ts";
import { deliveryNumber, isOwed } from "./states.ts";

export interface Walk {
  /** `delivery d` and its `event e`, in the order of the loops. */
  from: string;
  /** Order of the list, as an index has it. Deliveries are made in the order of their events, so their number alone says it. */
  keys: string[];
  conditions: Condition[];
}

/** Matches nothing: the endpoint or session is not there. */
const NONE = -1;

const BY_NUMBER = "delivery d CROSS JOIN event e ON e.seq = d.event_seq";
const PARKED = "delivery d INDEXED BY delivery_dead CROSS JOIN event e ON e.seq = d.event_seq";
const OF_SESSION = "event e CROSS JOIN delivery d ON d.event_seq = e.seq";

export function walkOf(engine: Engine, filter: DeliveryFilter): Walk {
  const { endpointId, sessionId, chatId, state, event, since, until, afterSeq } = filter;
  const conditions = [
    ...when("d.endpoint = ?", endpointId === undefined ? undefined : endpointNumber(engine, endpointId)),
    ...when("e.session = ?", sessionId === undefined ? undefined : sessionNumber(engine, sessionId)),
    ...when("e.chat = ?", chatId),
    ...inState(engine, state),
    ...when("e.type = ?", event),
    ...when("e.created_at >= ?", since),
    ...when("e.created_at <= ?", until),
    ...when("d.event_seq > ?", afterSeq),
    ...when("d.n >= ?", firstNumber(engine, filter)),
  ];
  if (state === "sending") return { from: BY_NUMBER, keys: ["d.n"], conditions };
  if (state === "dead") return { from: PARKED, keys: ["d.event_seq", "d.n"], conditions };
  if (sessionId !== undefined) return { from: OF_SESSION, keys: ["e.seq", "d.n"], conditions };
  return { from: BY_NUMBER, keys: ["d.n"], conditions };
}

/** In a list, what waits in a state is apart from what is on its way; null where nothing has to be told apart. */
export function notSending(
  { leases }: Engine,
  { state }: DeliveryFilter,
): { state: number; conditions: Condition[] } | null {
  const sending = leases.sending();
  if (sending.size === 0 || (state !== "pending" && state !== "retrying")) return null;
  const conditions = when("d.n NOT IN (SELECT value FROM json_each(?))", toJson([...sending]));
  return { state: deliveryNumber(state), conditions };
}

function inState(engine: Engine, state: DeliveryFilter["state"]): Condition[] {
  if (state === undefined) return [];
  if (state !== "sending") return [literal(`d.state = ${deliveryNumber(state)}`)];
  const sending = toJson([...engine.leases.sending()]);
  return [...when("d.n IN (SELECT value FROM json_each(?))", sending), literal("d.state < 2")];
}

/** A condition without parameter: the planner then sees that a partial index covers it. */
export const literal = (sql: string): Condition => ({ sql, values: [] });

/** Also of removed endpoints, whose deliveries can still be read. */
export const endpointNumber = (engine: Engine, id: string): number =>
  engine.query<[string], { n: number }>("SELECT n FROM endpoint WHERE id = ?").get(id)?.n ?? NONE;

const sessionNumber = (engine: Engine, sessionId: string): number =>
  sessionId === HUB_SESSION ? 0 : (engine.sessionIfAny(sessionId)?.id ?? NONE);

/** Where a walk by number may begin, so that it does not pass everything delivered long ago. */
function firstNumber(engine: Engine, { state, afterSeq }: DeliveryFilter): number | undefined {
  if (state !== undefined && state !== "sending" && isOwed(state))
    return oldestOwed(engine) ?? Number.MAX_SAFE_INTEGER;
  if (afterSeq === undefined) return undefined;
  return engine
    .query<[number], { n: number }>(
      "SELECT n FROM delivery WHERE event_seq > ? ORDER BY event_seq, endpoint LIMIT 1",
    )
    .get(afterSeq)?.n;
}

/** Number of the oldest delivery still owed: the smallest of the lanes' heads and of those put aside. */
function oldestOwed(engine: Engine): number | null {
  const row = engine
    .query<[], { n: number | null }>(
      `SELECT MIN(n) AS n FROM (
         SELECT (SELECT d.n FROM delivery d WHERE d.lane = l.id AND d.state < 2 AND d.aside = 0 ORDER BY d.event_seq LIMIT 1) AS n
         FROM lane l WHERE l.pending > 0
         UNION ALL SELECT n FROM delivery WHERE state < 2 AND aside = 1)`,
    )
    .get();
  return row?.n ?? null;
}
