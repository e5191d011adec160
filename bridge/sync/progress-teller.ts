/** Tells how the jobs go: to listeners at each change, to the log once per step and otherwise at most once a second. */
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";
import type { Log } from "../log.ts";
import type { SyncJob } from "../state/bridge-state.ts";
import { isFinal } from "./sync-job.ts";
import { progressOf, type SyncPace, type SyncProgress } from "./sync-progress.ts";

export interface ProgressTeller {
  /** `pace`: null when the job is not being worked on. `failure`: what the log may have of the try that failed. */
  tell(job: SyncJob, pace: SyncPace | null, failure?: object): void;
  on(listener: (progress: SyncProgress) => void): () => void;
}

const QUIET_MS = 1000;

export function createProgressTeller({ clock, log }: { clock: Clock; log: Log }): ProgressTeller {
  const elapsed = createElapsed(clock);
  const listeners = new Set<(progress: SyncProgress) => void>();
  const told = new Map<string, { what: string; at: number }>();

  function write(job: SyncJob, progress: SyncProgress, failure: object): void {
    const what = `${job.status} ${job.step}`;
    const now = elapsed();
    const before = told.get(job.jobId);
    const isNew = before?.what !== what;
    if (!isNew && now - before.at < QUIET_MS) return;
    if (isFinal(job)) told.delete(job.jobId);
    else told.set(job.jobId, { what, at: now });
    const { contacts, chats, messages, attempts, reasons, nextTryAt } = job;
    if (isFinal(job) || job.status === "waiting") {
      const facts = { ...progress, reasons, attempts, contacts, chats, messages, nextTryAt, ...failure };
      if (job.status === "completed") log.info(facts, "sync.completed");
      else log.warn(facts, `sync.${job.status}`);
    } else log.info({ ...progress, reasons }, isNew ? `sync.${job.status}` : "sync.progress");
  }

  return {
    tell: (job, pace, failure = {}) => {
      const progress = progressOf(job, pace, clock.now());
      write(job, progress, failure);
      for (const listener of listeners) listener(progress);
    },
    on: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
