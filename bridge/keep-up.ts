/**
 * What does not wait for webhooks: every five minutes the hub's events are read to their end, the bridge's place among the
 * hub's endpoints is looked at (beside a long reading as well), and what a clock that was ahead has left is forgotten. No
 * setting moves it, because it is what is left when webhooks do not arrive.
 */
import type { Clock } from "./clock.ts";
import { schedule, type Scheduled } from "./cron.ts";
import { failureFacts, isPassing } from "./errors.ts";
import type { ScheduledWork } from "./hooks.ts";
import type { Log } from "./log.ts";
import type { BridgeState } from "./state/bridge-state.ts";
import { withoutAhead } from "./sync/checkpoint.ts";

/** Between two comparisons of sessions, which end by reading the events as well. */
const EVERY_FIVE_MINUTES = "2-59/5 * * * *";
/** A reading may take an hour, and who has not looked for a quarter of one is taken for gone (`own-endpoint.ts`). */
const BESIDE_MS = 5 * 60_000;

export function createKeepUp({
  feed,
  subscription,
  state,
  clock,
  log,
  cron = EVERY_FIVE_MINUTES,
  besideMs = BESIDE_MS,
}: {
  feed: { read(): Promise<unknown> };
  /** Null where nobody is told by webhook of the bridge's own. */
  subscription: { renew(): void } | null;
  state: BridgeState;
  clock: Clock;
  log: Log;
  cron?: string | undefined;
  /** Between two looks at the place while the events are read. */
  besideMs?: number;
}): ScheduledWork {
  let task: Scheduled | null = null;

  /** The next sync of these sessions reads everything: what changed while the clock was ahead may bear earlier times. */
  const forgetAhead = async (): Promise<void> => {
    const now = clock.now();
    const { syncedUntil } = state.read();
    const sessions = Object.keys(syncedUntil).length - Object.keys(withoutAhead(syncedUntil, now)).length;
    if (sessions === 0) return;
    log.warn({ sessions }, "keep_up.clock_was_ahead");
    await state.update((data) => {
      data.syncedUntil = withoutAhead(data.syncedUntil, now);
    });
  };

  const keepUp = async (): Promise<void> => {
    const beside = setInterval(() => subscription?.renew(), besideMs).unref();
    try {
      await forgetAhead();
      await feed.read();
    } catch (cause) {
      if (isPassing(cause)) log.warn(failureFacts(cause), "keep_up.feed_not_read");
      else log.error(failureFacts(cause), "keep_up.feed_failed");
    } finally {
      clearInterval(beside);
    }
    // After it: a hub that turns out to be another one, or restored from a backup, may know no bridge.
    subscription?.renew();
  };

  return {
    start: () => {
      task ??= schedule(cron, keepUp, { log });
    },
    stop: () => {
      task?.stop();
      task = null;
    },
  };
}
