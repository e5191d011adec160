/** A person's orders about finished deliveries: send them again, or give them up. Who ordered it is in the log. */
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import { noPressure, type Pressure } from "../core/pressure.ts";
import type { DeliveryFilter, OutboxStore } from "../core/store.ts";

export interface Replays {
  /** Sends one delivery again, whatever became of it before. */
  replayOne(n: number, order: { by: string }): Promise<void>;
  /**
   * Sends all that match again, in slices behind the answer. One job per filter at a time: `STATE_CONFLICT` while it runs.
   * `matched` counts them before anything moves; `dryRun` moves nothing. A job is kept on disk: whoever dies on it leaves it
   * to the next process.
   */
  start(
    filter: DeliveryFilter,
    order: { dryRun: boolean; by: string },
  ): Promise<{ job: string | null; matched: number }>;
  /** Takes up what an earlier process left undone. */
  resume(): Promise<void>;
  /** Gives up what is not delivered; returns how many. */
  dismiss(
    filter: DeliveryFilter | { n: number },
    order: { by: string; reason: string | null },
  ): Promise<number>;
  /** For tests: no job is running. */
  idle(): Promise<void>;
  /** Ends between two slices; what is left is done after the next start. */
  stop(): Promise<void>;
}

/** So many rows move in one transaction: a few milliseconds. */
const SLICE = 500;
/** After a slice that the disk refused. */
const RETRY_MS = 5_000;
/** While the hub does not keep up. */
const BUSY_MS = 1_000;

export function createReplays({
  outbox,
  clock,
  nudge,
  pressure = noPressure,
  log,
}: {
  outbox: Pick<OutboxStore, "replay" | "openReplay" | "continueReplay" | "openReplays" | "count" | "dismiss">;
  clock: Clock;
  nudge: Nudge;
  pressure?: Pressure;
  log: Log;
}): Replays {
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();

  /** Ends early when the hub does. */
  const rest = (ms: number): Promise<void> =>
    pause(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  /** One slice; true when it was the last. */
  async function step(job: string): Promise<boolean> {
    const { replayed, isDone } = await outbox.continueReplay(job, clock.now(), SLICE);
    nudge.ring();
    if (isDone) log.info({ job, replayed }, "replay.completed");
    return isDone;
  }

  async function work(job: string): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (pressure.sheds("replays")) await rest(BUSY_MS);
        else if (await step(job)) return;
        // Others get their turn between slices.
        await nextTurn();
      } catch (cause) {
        log.error({ job, err: cause }, "replay.failed");
        await rest(RETRY_MS);
      }
    }
  }

  function run(job: string): void {
    const working = work(job).finally(() => running.delete(working));
    running.add(working);
  }

  return {
    replayOne: async (n, { by }) => {
      await outbox.replay(n, clock.now());
      log.info({ deliveryId: n, by }, "delivery.replayed");
      nudge.ring();
    },
    start: async (filter, { dryRun, by }) => {
      const matched = await outbox.count(filter);
      if (dryRun || matched === 0) return { job: null, matched };
      const startedAt = clock.now();
      const job = newId("job", startedAt);
      if (!(await outbox.openReplay({ id: job, filter, matched, startedAt })))
        throw new HubError("STATE_CONFLICT", "A replay of this filter is running already.");
      log.info({ job, by, matched }, "replay.started");
      run(job);
      return { job, matched };
    },
    resume: async () => {
      for (const job of await outbox.openReplays()) {
        log.info({ job }, "replay.resumed");
        run(job);
      }
    },
    dismiss: async (filter, { by, reason }) => {
      const dismissed = await outbox.dismiss(filter, clock.now());
      log.info({ by, reason, dismissed }, "deliveries.dismissed");
      nudge.ring();
      return dismissed;
    },
    idle: async () => {
      await Promise.all(running);
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
