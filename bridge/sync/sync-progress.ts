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
  /** Null while too little was measured to tell. */
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
  return {
    jobId,
    sessionId,
    status,
    step,
    done,
    total,
    progress: percentOf(job),
    ...(pace === null ? UNKNOWN : measured(job, pace, now)),
  };
}

const UNKNOWN = { ratePerSecond: null, etaSeconds: null };
/** The first page carries the whole beginning: what is told of the rest after less than this is far too much. */
const TELLING_SHARE = 0.1;
/** Of a long sync even a small part tells something. */
const TELLING_SECONDS = 15;

function measured(
  job: SyncJob,
  { takenUpAt, recordsBefore, plan }: SyncPace,
  now: Date,
): Pick<SyncProgress, "ratePerSecond" | "etaSeconds"> {
  const seconds = (now.getTime() - takenUpAt.getTime()) / 1000;
  if (seconds <= 0) return UNKNOWN;
  const records = recordsOf(job) - recordsBefore;
  const left = remaining(job, plan);
  const isTelling = seconds >= TELLING_SECONDS || records >= TELLING_SHARE * (records + left);
  return {
    ratePerSecond: Math.round((records / seconds) * 10) / 10,
    etaSeconds:
      job.status === "running" && records > 0 && isTelling ? Math.ceil(left / (records / seconds)) : null,
  };
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
