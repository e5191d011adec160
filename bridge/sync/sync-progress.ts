/** How far a sync is, how fast it goes and how long it will take. Pure. */
import { SYNC_STEPS, type SyncJob, type SyncStatus, type SyncStep } from "../state/bridge-state.ts";
import type { SyncPlan } from "./budget.ts";

export interface SyncProgress {
  jobId: string;
  sessionId: string;
  status: SyncStatus;
  step: SyncStep;
  /** Records of this step, done and in all. */
  done: number;
  total: number;
  /** 0 to 100. */
  progress: number;
  /** Of all records since the job was taken up; null while there is nothing to measure. */
  ratePerSecond: number | null;
  etaSeconds: number | null;
}

/** Where each step begins and ends on the way to 100. */
const SPAN: Record<SyncStep, [from: number, to: number]> = {
  check: [0, 5],
  contacts: [5, 25],
  chats: [25, 50],
  messages: [50, 75],
  stats: [75, 100],
};

export function percentOf({
  status,
  step,
  done,
  total,
}: Pick<SyncJob, "status" | "step" | "done" | "total">): number {
  if (status === "completed") return 100;
  const [from, to] = SPAN[step];
  const share = total === 0 ? 0 : Math.min(1, done / total);
  return Math.floor(from + (to - from) * share);
}

export const recordsOf = ({ contacts, chats, messages }: SyncJob): number =>
  contacts.processed + chats.processed + messages.processed;

/** What is measured while a job runs; nothing of it is kept. */
export interface SyncPace {
  takenUpAt: Date;
  /** Records the job had when it was taken up. */
  recordsBefore: number;
  plan: SyncPlan | null;
}

export function progressOf(job: SyncJob, pace: SyncPace | null, now: Date): SyncProgress {
  const { jobId, sessionId, status, step, done, total } = job;
  const rate = pace === null ? null : rateOf(job, pace, now);
  return {
    jobId,
    sessionId,
    status,
    step,
    done,
    total,
    progress: percentOf(job),
    ratePerSecond: rate,
    etaSeconds:
      status === "running" && rate !== null && rate > 0
        ? Math.ceil(remaining(job, pace?.plan ?? null) / rate)
        : null,
  };
}

function rateOf(job: SyncJob, { takenUpAt, recordsBefore }: SyncPace, now: Date): number | null {
  const seconds = (now.getTime() - takenUpAt.getTime()) / 1000;
  return seconds <= 0 ? null : Math.round(((recordsOf(job) - recordsBefore) / seconds) * 10) / 10;
}

/** Records of this step and of those after it. */
function remaining({ step, done, total, parts }: SyncJob, plan: SyncPlan | null): number {
  const isAhead = (other: SyncStep): boolean => SYNC_STEPS.indexOf(other) > SYNC_STEPS.indexOf(step);
  const later =
    plan === null
      ? 0
      : (["contacts", "chats", "messages"] as const)
          .filter((part) => parts[part] && isAhead(part))
          .reduce((sum, part) => sum + plan[part], 0);
  return Math.max(0, total - done) + later;
}
