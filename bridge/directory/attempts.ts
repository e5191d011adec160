/** How often one page is tried, and how long it rests between tries; never longer than the run may last. */
import { setTimeout as rest } from "node:timers/promises";
import type { Clock } from "../clock.ts";

export interface Attempts {
  /** Failed so far. */
  readonly made: number;
  /** Counts a failure and rests. `timeUp`: the rest would outlast the run. */
  failed(retryAfterSeconds: number | null): Promise<"again" | "exhausted" | "timeUp">;
}

export interface AttemptLimits {
  /** Rests between tries: one try more than there are rests. */
  backoffMs: readonly number[];
  deadline: Date;
}

export function createAttempts(
  { backoffMs, deadline }: AttemptLimits,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Attempts {
  let made = 0;
  return {
    get made() {
      return made;
    },
    failed: async (retryAfterSeconds) => {
      const planned = backoffMs[made];
      made += 1;
      if (planned === undefined) return "exhausted";
      const restMs = Math.max(planned, (retryAfterSeconds ?? 0) * 1000);
      if (clock.now().getTime() + restMs > deadline.getTime()) return "timeUp";
      await rest(restMs, undefined, { signal });
      return "again";
    },
  };
}
