/** Writes down what attempts came to: those that finish together share one transaction, as each costs a disk flush. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { OutboxStore, Settlement } from "../core/store.ts";

/** A batch is written when it is this big, or this old, or when somebody waits for it. What it holds is sent again after a crash. */
const BATCH = 512;
const BATCH_MS = 100;
/** While other requests are under way, whoever waits lets their results come along. */
const SOON_MS = 10;
const RETRY_MS = 1000;

export interface Settler {
  /** `done` is called when it is on disk and the lane is free again. */
  add(settlement: Settlement, done: () => void): void;
  /** Somebody has nothing to send until what waits here is written. */
  hurry(): void;
  /** Somebody waits for it, but results that are about to come may share its transaction. */
  soon(): void;
  /** The store refuses writes: nothing more should be sent, as its result could not be kept. */
  isFailing(): boolean;
  /** Writes what is left; gives up at the first refusal, as the leases end with the process anyway. */
  stop(): Promise<void>;
}

interface Waiting {
  settlement: Settlement;
  done: () => void;
}

export function createSettler({
  outbox,
  timeline,
  log,
  onSettled,
}: {
  outbox: Pick<OutboxStore, "settle">;
  timeline: Clock;
  log: Log;
  /** Hears of each result that is on disk. */
  onSettled: (settlement: Settlement) => void;
}): Settler {
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | null = null;
  let isSoon = false;
  let writing: Promise<void> | null = null;
  let failing = false;

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await outbox.settle(
          batch.map(({ settlement }) => settlement),
          timeline.now(),
        );
      } catch (error) {
        waiting = [...batch, ...waiting];
        failing = true;
        log.error({ err: error, results: waiting.length }, "outbox.settle_failed");
        return;
      }
      failing = false;
      for (const { settlement, done } of batch) {
        onSettled(settlement);
        done();
      }
    }
  };

  const flush = (): void => {
    forgetPlan();
    if (writing !== null) return;
    writing = write().finally(() => {
      writing = null;
      if (waiting.length > 0) plan(failing ? RETRY_MS : BATCH_MS);
    });
  };
  const plan = (ms: number): void => {
    timer ??= setTimeout(flush, ms);
  };
  function forgetPlan(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    isSoon = false;
  }

  return {
    add: (settlement, done) => {
      waiting.push({ settlement, done });
      if (failing) return;
      if (waiting.length >= BATCH) flush();
      else plan(BATCH_MS);
    },
    hurry: () => {
      if (waiting.length > 0 && !failing) flush();
    },
    soon: () => {
      if (waiting.length === 0 || failing || isSoon) return;
      forgetPlan();
      plan(SOON_MS);
      isSoon = true;
    },
    isFailing: () => failing,
    stop: async () => {
      flush();
      await writing;
      forgetPlan();
    },
  };
}
