/**
 * More time for what waits because of a brake of ours: the switch, a hold, the pace. It goes to the whole chat, because what
 * stands behind in the lane waits for the same; never to a message whose sender said until when it makes sense.
 */
import type { SendStore } from "../core/store.ts";
import type { Leaving } from "./leaving.ts";

/** How long after a wait that was not its own a message may still leave. */
const AFTER_MS = 3_600_000;
/** A little less is left alone: each look would write to disk otherwise. */
const ENOUGH_MS = AFTER_MS / 2;

export interface MoreTime {
  /** Wants to leave from now on, be it behind others. */
  begins(leaving: Leaving): void;
  ends(leaving: Leaving): void;
  /** This one, and those behind it, cannot leave before `until` (Unix milliseconds). */
  waitsUntil(leaving: Leaving, until: number): Promise<void>;
}

export function createMoreTime(sends: Pick<SendStore, "postpone">): MoreTime {
  const lanes = new Map<string, Set<Leaving>>();
  const laneOf = ({ sessionId, chatId }: Leaving): string => `${sessionId} ${chatId}`;

  return {
    begins: (leaving) => {
      const lane = lanes.get(laneOf(leaving)) ?? new Set();
      lanes.set(laneOf(leaving), lane.add(leaving));
    },
    ends: (leaving) => {
      const lane = lanes.get(laneOf(leaving));
      lane?.delete(leaving);
      if (lane?.size === 0) lanes.delete(laneOf(leaving));
    },
    waitsUntil: async (leaving, until) => {
      for (const each of [...(lanes.get(laneOf(leaving)) ?? [leaving])]) {
        if (each.isTimed || each.expiresAt.getTime() >= until + ENOUGH_MS) continue;
        each.expiresAt = new Date(until + AFTER_MS);
        await sends.postpone(each.sessionId, each.messageId, each.expiresAt);
      }
    },
  };
}
