/** Finds out that the clock on the wall was moved: it then went another way than the time that only passes. */
import { performance } from "node:perf_hooks";
import type { Clock } from "./clock.ts";

/** Smaller steps are ordinary corrections, or a machine that was busy. */
const TOLERATED_MS = 5_000;

export interface ClockJumps {
  /** How far the clock was moved since the last look, forwards or (negative) back; 0 for what is ordinary. */
  look(): number;
}

export function watchClock({ clock, elapsed = () => performance.now() }: ClockWatchParts): ClockJumps {
  let offset = clock.now().getTime() - elapsed();
  return {
    look: () => {
      const now = clock.now().getTime() - elapsed();
      const jump = now - offset;
      offset = now;
      return Math.abs(jump) > TOLERATED_MS ? jump : 0;
    },
  };
}

export interface ClockWatchParts {
  clock: Clock;
  /** Milliseconds that passed since some moment, whatever became of the clock. */
  elapsed?: () => number;
}
