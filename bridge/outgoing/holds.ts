/** What is not tried for a while, by name: ever longer while tries of it fail, at most so long that a hub that is back is soon seen. */
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";

const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
const LONGEST_MS = 10 * 60_000;

export interface Holds {
  /** One more try failed. `waitMs`: it was said for how long; else the next pause. */
  hold(name: string, waitMs: number | null): void;
  isHeld(name: string): boolean;
  /** The next try is made soon, though the ones before failed. */
  hasten(name: string): void;
  release(name: string): void;
  clear(): void;
}

export function createHolds(clock: Clock): Holds {
  const held = new Map<string, { failures: number; until: number }>();
  const now = createElapsed(clock);
  return {
    hold: (name, waitMs) => {
      const failures = held.get(name)?.failures ?? 0;
      const pauseMs = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? LONGEST_MS;
      held.set(name, {
        failures: failures + 1,
        until: now() + Math.max(pauseMs, Math.min(waitMs ?? 0, LONGEST_MS)),
      });
    },
    isHeld: (name) => (held.get(name)?.until ?? 0) > now(),
    hasten: (name) => {
      const one = held.get(name);
      if (one !== undefined) held.set(name, { failures: 1, until: Math.min(one.until, now() + 1_000) });
    },
    release: (name) => void held.delete(name),
    clear: () => held.clear(),
  };
}
