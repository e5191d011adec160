/** A person's orders about finished deliveries: send them again, or give them up. Who ordered it is in the log. */
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { DeliveryFilter, OutboxStore } from "../core/store.ts";

export interface Replays {
  /** Sends one delivery again, whatever became of it before. */
  replayOne(n: number, order: { by: string }): Promise<void>;
  /**
   * Sends all that match again, in slices behind the answer. One job per filter at a time: `STATE_CONFLICT` while it runs.
   * `matched` counts them before anything moves; `dryRun` moves nothing.
   */
  start(
    filter: DeliveryFilter,
    order: { dryRun: boolean; by: string },
  ): Promise<{ job: string | null; matched: number }>;
  /** Gives up what is not delivered; returns how many. */
  dismiss(
    filter: DeliveryFilter | { n: number },
    order: { by: string; reason: string | null },
  ): Promise<number>;
  /** For tests and for the end: no job is running. */
  idle(): Promise<void>;
}

/** So many rows move in one transaction: a few milliseconds. */
const SLICE = 500;

export function createReplays({
  outbox,
  clock,
  nudge,
  log,
}: {
  outbox: Pick<OutboxStore, "replay" | "count" | "dismiss">;
  clock: Clock;
  nudge: Nudge;
  log: Log;
}): Replays {
  const running = new Map<string, Promise<void>>();

  async function run(job: string, filter: DeliveryFilter): Promise<void> {
    const startedAt = clock.now();
    let replayed = 0;
    for (;;) {
      const moved = await outbox.replay(filter, startedAt, SLICE);
      if (moved === 0) break;
      replayed += moved;
      nudge.ring();
      // Others get their turn between slices.
      await new Promise((resolve) => setImmediate(resolve));
    }
    log.info({ job, replayed }, "replay.completed");
  }

  return {
    replayOne: async (n, { by }) => {
      await outbox.replay({ n }, clock.now(), 1);
      log.info({ deliveryId: n, by }, "delivery.replayed");
      nudge.ring();
    },
    start: async (filter, { dryRun, by }) => {
      const name = JSON.stringify(Object.entries(filter).sort());
      if (running.has(name))
        throw new HubError("STATE_CONFLICT", "A replay of this filter is running already.");
      const matched = await outbox.count(filter);
      if (dryRun || matched === 0) return { job: null, matched };
      const job = newId("job", clock.now());
      log.info({ job, by, matched }, "replay.started");
      const work = run(job, filter)
        .catch((cause: unknown) => log.error({ job, err: cause }, "replay.failed"))
        .finally(() => running.delete(name));
      running.set(name, work);
      return { job, matched };
    },
    dismiss: async (filter, { by, reason }) => {
      const dismissed = await outbox.dismiss(filter, clock.now());
      log.info({ by, reason, dismissed }, "deliveries.dismissed");
      nudge.ring();
      return dismissed;
    },
    idle: async () => {
      await Promise.all(running.values());
    },
  };
}
