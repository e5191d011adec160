/** A sync job as callers see it: four words for its state, and its figures. */
import type { SyncJob, SyncStatus } from "../state/bridge-state.ts";
import { percentOf, type SyncProgress } from "../sync/sync-progress.ts";

/** `state` keeps the finer word: a caller that knows only these four must not take a partial sync for a whole one. */
const WORDS: Record<SyncStatus, "queued" | "running" | "done" | "failed"> = {
  queued: "queued",
  waiting: "queued",
  running: "running",
  completed: "done",
  incomplete: "failed",
  failed: "failed",
};

/** `crmProblem`: why nothing is written at all; null while the CRM takes records. */
export function jobAnswer(job: SyncJob, progress: SyncProgress | null, crmProblem: string | null) {
  const { jobId, status, step, done, total, attempts, error, startedAt, finishedAt } = job;
  return {
    job_id: jobId,
    status: WORDS[status],
    state: status,
    reasons: job.reasons,
    step,
    done,
    total,
    progress: percentOf(job),
    rate_per_second: progress?.ratePerSecond ?? null,
    eta_seconds: progress?.etaSeconds ?? null,
    attempts,
    started_at: startedAt,
    finished_at: finishedAt,
    error,
    waits_because: WORDS[status] === "queued" ? (crmProblem ?? error) : null,
    contacts: job.contacts,
    chats: job.chats,
    messages: job.messages,
  };
}
