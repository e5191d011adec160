/** Time that passed, for waits and for what is fresh only for a while: a clock that is set back makes none of them longer. */
import type { Clock } from "./clock.ts";

/** Milliseconds since the call of `createElapsed`; they never become fewer. What a clock is set forward by counts as passed. */
export function createElapsed(clock: Clock): () => number {
  let seen = clock.now().getTime();
  let passed = 0;
  return () => {
    const now = clock.now().getTime();
    passed += Math.max(0, now - seen);
    seen = now;
    return passed;
  };
}
