/** Whether the clock may be believed when it says that something is old. What was destroyed by a wrong clock is not brought back. */
import { watchClock, type ClockWatchParts } from "./clock-jumps.ts";
import type { Log } from "./log.ts";

const DAY_MS = 86_400_000;
/** A clock that was set forward makes everything old at once: so long is a person given to set it right. */
const DOUBT_MS = DAY_MS;
/** What is kept the shortest is kept two days. */
const MUCH_MS = DAY_MS / 24;

/** To be asked before anything is removed for its age, and every now and then, so that a jump is noticed when it happens. */
export type IsClockTrusted = () => boolean;

export function createClockTrust({
  clock,
  log,
  elapsed = () => performance.now(),
}: ClockWatchParts & { log: Pick<Log, "warn"> }): IsClockTrusted {
  const jumps = watchClock({ clock, elapsed });
  let aheadMs = 0;
  let doubtedAt = 0;
  return () => {
    const jump = jumps.look();
    if (jump > 0) {
      log.warn({ aheadMs: jump }, "clock.set_forward");
      aheadMs += jump;
      doubtedAt = elapsed();
    } else aheadMs = Math.max(0, aheadMs + jump);
    if (elapsed() - doubtedAt >= DOUBT_MS) aheadMs = 0;
    return aheadMs < MUCH_MS;
  };
}
