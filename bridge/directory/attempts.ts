/** How often one page is tried, and how long it rests between tries; never longer than the run may last. */
import { setTimeout as rest } from "node:timers/promises";

export interface Attempts {
  /** Failed so far. */
  readonly made: number;
  /** The rest that was last due, or would have been. */
  readonly restMs: number;
  /** Counts a failure and rests. `timeUp`: the rest would outlast the run. */
  failed(retryAfterSeconds: number | null): Promise<"again" | "exhausted" | "timeUp">;
}

interface AttemptLimits {
  /** Rests between tries: one try more than there are rests. */
  backoffMs: readonly number[];
  /** Of the run. */
  leftMs: () => number;
  signal: AbortSignal;
}

export function createAttempts({ backoffMs, leftMs, signal }: AttemptLimits): Attempts {
  let made = 0;
  let restMs = 0;
  return {
    get made() {
      return made;
    },
    get restMs() {
      return restMs;
    },
    failed: async (retryAfterSeconds) => {
      const planned = backoffMs[made];
      made += 1;
      if (planned === undefined) return "exhausted";
      restMs = Math.max(planned, (retryAfterSeconds ?? 0) * 1000);
      if (restMs > leftMs()) return "timeUp";
      await rest(restMs, undefined, { signal });
      return "again";
    },
  };
}
