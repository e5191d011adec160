/** Whose an order to connect is that the hub tells: it tells those which came through the bridge as the bridge's own. */
import type { Clock } from "../clock.ts";

export interface OrdersHere {
  /** A caller of the bridge ordered it, and the hub has answered. */
  ordered(sessionId: string): void;
  /** An order is told: whether it is one of a caller here. Each order has one event, so the next is somebody else's. */
  isOurs(sessionId: string, toldAt: string): boolean;
}

/** How far apart an order here and its event may be. */
const NEAR_MS = 60_000;
/** An event may be here before the hub's answer; so long an answer takes at most. */
const ANSWERED_MS = 30_000;

export function createOrdersHere(clock: Clock): OrdersHere {
  /** Orders whose event is not here yet, and when they were given. */
  const waiting = new Map<string, number>();
  /** The last told order that nobody here had given by then. */
  const unclaimed = new Map<string, number>();

  return {
    ordered: (sessionId) => {
      const now = clock.now().getTime();
      const told = unclaimed.get(sessionId) ?? -Infinity;
      unclaimed.delete(sessionId);
      if (now - told <= ANSWERED_MS) waiting.delete(sessionId);
      else waiting.set(sessionId, now);
    },
    isOurs: (sessionId, toldAt) => {
      const at = Date.parse(toldAt);
      const since = waiting.get(sessionId);
      if (since !== undefined) {
        // Read late: the order here is newer, and its own event is still to come.
        if (at < since - NEAR_MS) return true;
        waiting.delete(sessionId);
        if (at <= since + NEAR_MS) return true;
      }
      unclaimed.set(sessionId, at);
      return false;
    },
  };
}
