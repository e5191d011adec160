/** The time that schedules run on: the wall clock, but it never goes back. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";

/** Smaller steps back are ordinary corrections. */
const TOLERATED_MS = 5000;

/**
 * When the machine's clock is set back, retries planned before would all wait that much longer. The timeline goes on
 * from where it was until the clock has caught up. Signatures keep the wall clock: receivers compare it with theirs.
 */
export function createTimeline({ clock, log }: { clock: Clock; log: Log }): Clock {
  let aheadMs = 0;
  let latest = clock.now().getTime();
  return {
    now: () => {
      const wall = clock.now().getTime();
      if (wall >= latest) aheadMs = 0;
      const backMs = latest - (wall + aheadMs);
      if (backMs > TOLERATED_MS) {
        aheadMs += backMs;
        log.warn({ backMs }, "clock.set_back");
      }
      latest = Math.max(latest, wall + aheadMs);
      return new Date(wall + aheadMs);
    },
  };
}
