/** Tells how the jobs go: to listeners at each change, to the log once per step and otherwise at most once a second. */
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { SyncJob } from "../state/bridge-state.ts";
import { isFinal } from "./sync-job.ts";
import { progressOf, type SyncPace, type SyncProgress } from "./sync-progress.ts";

export interface ProgressTeller {
  /** `pace`: null when the job is not being worked on. */
  tell(job: SyncJob, pace: SyncPace | null): void;
  on(listener: (progress: SyncProgress) => void): () => void;
}

const QUIET_MS = 1000;

export function createProgressTeller({ clock, log }: { clock: Clock; log: Log }): ProgressTeller {
  const listeners = new Set<(progress: SyncProgress) => void>();
  const told = new Map<string, { what: string; at: number }>();

  function write(job: SyncJob, progress: SyncProgress): void {
    const what = `${job.status} ${job.step}`;
    const now = clock.now().getTime();
    const before = told.get(job.jobId);
    const isNew = before?.what !== what;
    if (!isNew && now - before.at < QUIET_MS) return;
    if (isFinal(job)) told.delete(job.jobId);
    else told.set(job.jobId, { what, at: now });
    const { contacts, chats, messages, attempts, reasons, error, nextTryAt } = job;
    if (isFinal(job) || job.status === "waiting") {
      const facts = { ...progress, reasons, attempts, contacts, chats, messages, error, nextTryAt };
      if (job.status === "completed") log.info(facts, "sync.completed");
      else log.warn(facts, `sync.${job.status}`);
    } else log.info({ ...progress, reasons }, isNew ? `sync.${job.status}` : "sync.progress");
  }

  return {
    tell: (job, pace) => {
      const progress = progressOf(job, pace, clock.now());
      write(job, progress);
      for (const listener of listeners) listener(progress);
    },
    on: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
