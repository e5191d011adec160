/** Every hour a sync of each connected session: the safety net for what webhooks missed, not the main road. */
import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import { schedule, type Scheduled } from "../cron.ts";
import { BridgeError } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import type { SyncJob } from "../state/bridge-state.ts";
import { systemDelay, type Delay } from "./delay.ts";
import type { SyncQueue } from "./sync-queue.ts";

export interface AutoSyncResult {
  /** Connected sessions. */
  totalSessions: number;
  /** Whose sync is done or under way. */
  synced: number;
  failed: number;
  errors: { session: string; error: string }[];
}

export interface AutoSync {
  /**
   * All sessions at once, for who asks for it; each gets at most `waitMs` to come to its end.
   * @throws BridgeError SYNC_DISABLED
   */
  runNow(options?: { waitMs?: number }): Promise<AutoSyncResult>;
  start(): void;
  stop(): void;
}

/** Sessions get their turns within this part of the time to the next run, and soon: a sync of each night is over in the morning. */
const SPREAD = 0.8;
const LONGEST_SPREAD_MS = 48 * 60_000;

export function createAutoSync({
  queue,
  hub,
  cron,
  clock,
  log,
  delay = systemDelay,
}: {
  queue: Pick<SyncQueue, "request" | "wait">;
  hub: Pick<HubClient, "sessions">;
  /** Null: switched off. */
  cron: string | null;
  clock: Clock;
  log: Log;
  delay?: Delay;
}): AutoSync {
  let task: Scheduled | null = null;
  const waiting = new Set<() => void>();

  const connected = async (): Promise<string[]> =>
    (await hub.sessions()).filter(({ status }) => status === "connected").map(({ sessionId }) => sessionId);

  const request = (sessionId: string): Promise<SyncJob> => queue.request(sessionId, "hourly");

  /** Each session always as long after the run began, all of them spread over the time to the next one. */
  async function spread(untilNextMs: number): Promise<void> {
    const sessions = await connected();
    // It was stopped meanwhile.
    if (task === null) return;
    const startedAt = clock.now().toISOString();
    const overMs = Math.min(untilNextMs * SPREAD, LONGEST_SPREAD_MS);
    log.info({ sessions: sessions.length, startedAt, overMs }, "auto_sync.begun");
    for (const sessionId of sessions) {
      const cancel = delay(Math.floor(momentOf(sessionId) * overMs), () => {
        waiting.delete(cancel);
        request(sessionId).catch((cause: unknown) => {
          log.error({ sessionId, err: cause }, "auto_sync.not_requested");
        });
      });
      waiting.add(cancel);
    }
  }

  async function syncOne(sessionId: string, waitMs: number): Promise<string | null> {
    try {
      const requested = await request(sessionId);
      const { status, error } = await queue.wait(requested.jobId, waitMs);
      return status === "failed" || status === "incomplete" ? (error ?? status) : null;
    } catch (cause) {
      return cause instanceof Error ? cause.message : String(cause);
    }
  }

  return {
    runNow: async ({ waitMs = 0 } = {}) => {
      if (cron === null) throw new BridgeError("SYNC_DISABLED", "The automatic sync is switched off.");
      const sessions = await connected();
      const outcomes = await Promise.all(
        sessions.map(async (session) => ({ session, error: await syncOne(session, waitMs) })),
      );
      const errors = outcomes.flatMap(({ session, error }) => (error === null ? [] : [{ session, error }]));
      return {
        totalSessions: sessions.length,
        synced: sessions.length - errors.length,
        failed: errors.length,
        errors,
      };
    },
    start: () => {
      if (cron === null || task !== null) return;
      const scheduled = schedule(cron, () => spread(scheduled.untilNextMs()), { log });
      task = scheduled;
    },
    stop: () => {
      task?.stop();
      task = null;
      for (const cancel of waiting) cancel();
      waiting.clear();
    },
  };
}

/** A number from 0 to 1 that belongs to this session. */
const momentOf = (sessionId: string): number =>
  createHash("sha256").update(sessionId).digest().readUInt32BE() / 2 ** 32;
