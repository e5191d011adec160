/** Watches a store that failed: tries a write again and again, and tells everybody who waits when one commits. */
import type { Log } from "../core/log.ts";
import { createAlarm, type Schedule } from "./schedule.ts";

export interface StoreWatch {
  /** Resolves after the next write that commits. All who wait at a time share the same tries. */
  whenWritable(): Promise<void>;
  stop(): void;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export function createStoreWatch({
  canary,
  schedule,
  log,
}: {
  /** Proves that a write reaches the disk; throws when it does not. */
  canary: () => Promise<void>;
  schedule: Schedule;
  log: Log;
}): StoreWatch {
  const alarm = createAlarm(schedule);
  let waiting: Promise<void> | null = null;

  function tryAfter(ms: number, committed: () => void): void {
    alarm.set(ms, () => {
      canary().then(
        () => {
          log.info({}, "store.writable");
          waiting = null;
          committed();
        },
        (err: unknown) => {
          const nextMs = Math.min(ms * 2, LONGEST_WAIT_MS);
          log.warn({ err, nextMs }, "store.still_failing");
          tryAfter(nextMs, committed);
        },
      );
    });
  }

  return {
    whenWritable: () => (waiting ??= new Promise((resolve) => tryAfter(FIRST_WAIT_MS, resolve))),
    stop: () => alarm.cancel(),
  };
}
