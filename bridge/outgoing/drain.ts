/** Sends what waits: the first of each recipient, a few recipients at a time; one alone while the hub is away, to see if it is back. */
import type { Clock } from "../clock.ts";
import { failureFacts, HubUnavailable } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import type { OutgoingOrders, WaitingOrder } from "../state/outgoing-orders.ts";
import { failureOfTry, isAway } from "./after-try.ts";
import { ended } from "./ended.ts";
import { createHolds } from "./holds.ts";
import { laneOf } from "./lane-of.ts";

const AT_ONCE = 4;
/** While something waits: its time to live and the pauses after failures are looked at so often. */
const LOOK_MS = 500;
const LONGEST_ERROR = 500;

export interface Drain {
  start(): void;
  /** Something changed: what may be sent now is. */
  look(): void;
  /** Somebody's own try found the hub away. */
  foundAway(cause: HubUnavailable): void;
  /** Somebody's own try found that the bridge's key may ask no more for a while. */
  foundLimited(waitMs: number | null): void;
  /** Nothing would be taken now, whoever tries. */
  isHeld(): boolean;
  /** There is more to send: the hub is asked soon. */
  hasten(): void;
  isTrying(queueId: string): boolean;
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface DrainParts {
  hub: Pick<HubClient, "sendMessage">;
  orders: OutgoingOrders;
  /** Whether it may be tried at all, apart from what came before it. */
  mayGo: (order: WaitingOrder) => boolean;
  clock: Clock;
  log: Log;
}

/** Names of what is held back; an account may be called "hub". */
const ofSession = ({ sessionId }: WaitingOrder): string => `session ${sessionId}`;
/** Holds of everything; they end apart, because a hub that answers may still be one that lets nobody ask. */
const OF_ALL = ["hub", "limit"];
const ofLane = (lane: string): string => `lane ${lane}`;

export function createDrain({ hub, orders, mayGo, clock, log }: DrainParts): Drain {
  const holds = createHolds(clock);
  const running = new Map<string, { queueId: string; done: Promise<void> }>();
  /** When a recipient's turn was: a try that always fails must not be the only one made. */
  const turns = new Map<string, number>();
  let [turn, isGone, isOn] = [0, false, false];
  let timer: NodeJS.Timeout | undefined;

  const isTrying = (queueId: string): boolean => [...running.values()].some((one) => one.queueId === queueId);

  const awayNow = (cause: HubUnavailable, waitMs: number | null): void => {
    if (!isGone) log.warn(failureFacts(cause), "outgoing.hub_away");
    isGone = true;
    holds.hold("hub", waitMs);
  };
  const backNow = (): void => {
    if (isGone) log.info({ waiting: orders.read().waiting.length }, "outgoing.hub_back");
    isGone = false;
    holds.release("hub");
  };

  const kept = (change: Parameters<OutgoingOrders["update"]>[0]): Promise<void> =>
    // The change counts all the same and is in the next write; after a kill the hub gives its first answer again.
    orders.update(change).catch((cause: unknown) => log.warn({ err: cause }, "state.not_kept"));

  const giveUp = (
    given: WaitingOrder[],
    status: "failed" | "expired",
    errorOf: (order: WaitingOrder) => string,
  ) => {
    for (const { queueId, sessionId } of given) log.warn({ queueId, sessionId }, `send.${status}`);
    return kept((data) => {
      for (const order of given) {
        const error = errorOf(order).slice(0, LONGEST_ERROR);
        ended(data, order, { status, error, now: clock.now() });
      }
    });
  };

  const afterFailure = async (order: WaitingOrder, cause: unknown): Promise<void> => {
    const failure = failureOfTry(cause, order.type);
    if (!(cause instanceof HubUnavailable)) log.error({ err: cause, queueId: order.queueId }, "send.broken");
    else if (failure.scope === "away") awayNow(cause, failure.waitMs);
    else if (!isAway(cause)) backNow();
    const problem = cause instanceof HubUnavailable ? cause.message : "The bridge could not send it.";
    if (failure.scope === "refused") return giveUp([order], "failed", () => problem);
    if (failure.scope === "key") holds.hold("hub", failure.waitMs);
    if (failure.scope === "limited") holds.hold("limit", failure.waitMs);
    // The hub may hold one recipient back for hours, and then takes the others: those wait a moment only.
    if (failure.scope === "session") holds.hold(ofSession(order), null);
    if (failure.scope !== "away" && failure.scope !== "limited")
      holds.hold(ofLane(laneOf(order)), failure.waitMs);
    orders.note((data) => {
      const one = data.waiting.find(({ queueId }) => queueId === order.queueId);
      if (one === undefined) return;
      one.tries += 1;
      one.problem = problem.slice(0, LONGEST_ERROR);
    });
  };

  const attempt = async (order: WaitingOrder): Promise<void> => {
    const { sessionId, to, type, message, idempotencyKey, queueId } = order;
    try {
      const { messageId } = await hub.sendMessage(sessionId, { to, type, message }, idempotencyKey);
      backNow();
      for (const name of ["limit", ofSession(order), ofLane(laneOf(order))]) holds.release(name);
      log.info({ queueId, sessionId, messageId }, "send.sent");
      await kept((data) => ended(data, order, { status: "sent", messageId, now: clock.now() }));
    } catch (cause) {
      await afterFailure(order, cause);
    }
  };

  const run = (order: WaitingOrder, lane: string): void => {
    turns.set(lane, ++turn);
    const done = attempt(order).finally(() => {
      running.delete(lane);
      look();
    });
    running.set(lane, { queueId: order.queueId, done });
  };

  const expire = (): void => {
    const now = clock.now().toISOString();
    const late = orders
      .read()
      .waiting.filter(({ expiresAt, queueId }) => expiresAt <= now && !isTrying(queueId));
    const why = ({ problem }: WaitingOrder) => `It was not sent in its time to live. ${problem ?? ""}`.trim();
    if (late.length > 0) void giveUp(late, "expired", why);
  };

  /** Nothing waits: whoever sends next finds out for itself. */
  const forget = (): void => {
    turns.clear();
    holds.clear();
    isGone = false;
  };

  const look = (): void => {
    clearTimeout(timer);
    if (!isOn) return;
    expire();
    for (const [lane, order] of heads(orders.read().waiting, turns)) {
      if (running.size >= (isGone ? 1 : AT_ONCE)) break;
      const isHeld = [...OF_ALL, ofSession(order), ofLane(lane)].some((name) => holds.isHeld(name));
      if (!isHeld && !running.has(lane) && mayGo(order)) run(order, lane);
    }
    if (orders.read().waiting.length > 0) timer = setTimeout(look, LOOK_MS).unref();
    else forget();
  };

  return {
    start: () => {
      isOn = true;
      look();
    },
    look,
    foundAway: (cause) => awayNow(cause, null),
    foundLimited: (waitMs) => holds.hold("limit", waitMs),
    isHeld: () => isGone || holds.isHeld("limit"),
    hasten: () => {
      holds.hasten("hub");
      look();
    },
    isTrying,
    idle: async () => {
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
    },
    stop: async () => {
      isOn = false;
      clearTimeout(timer);
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

/** The first order of each lane, the lane whose last turn is longest ago first. */
function heads(waiting: readonly WaitingOrder[], turns: Map<string, number>): [string, WaitingOrder][] {
  const first = new Map<string, WaitingOrder>();
  for (const order of waiting) {
    const lane = laneOf(order);
    if (!first.has(lane)) first.set(lane, order);
  }
  return [...first].sort(([one], [other]) => (turns.get(one) ?? 0) - (turns.get(other) ?? 0));
}
