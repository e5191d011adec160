/** A sync job's states and what moves it from one to the next. Pure; the states are described in `state/bridge-state.ts`. */
import type { SyncJob, SyncStatus } from "../state/bridge-state.ts";
import { placeToContinue, type SyncParts } from "./checkpoint.ts";
import { NOTHING } from "./tally.ts";

/**
 * started      its turn came
 * succeeded    it came to its end
 * timed_out    its time is over
 * failed       a try failed and there are tries left
 * gave_up      the last try failed, or trying again cannot help
 * interrupted  this process stops, or died
 * due          the wait after a failed try is over
 * retried      a person starts it again
 */
type SyncSignal =
  "started" | "succeeded" | "timed_out" | "failed" | "gave_up" | "interrupted" | "due" | "retried";

const transitions: Record<SyncStatus, Partial<Record<SyncSignal, SyncStatus>>> = {
  queued: { started: "running" },
  running: {
    succeeded: "completed",
    timed_out: "incomplete",
    failed: "waiting",
    gave_up: "failed",
    interrupted: "queued",
  },
  waiting: { due: "queued" },
  completed: {},
  incomplete: { retried: "queued" },
  failed: { retried: "queued" },
};

const moved = (job: SyncJob, signal: SyncSignal): SyncStatus => transitions[job.status][signal] ?? job.status;

const RETRY_WAITS_SECONDS = [10, 60];
/** Longer requests to wait are met by the next hour's job. */
const LONGEST_WAIT_SECONDS = 60 * 60;
/** Of finished jobs, so many are kept: per session, and of all sessions together; a session's last ones always are. */
const KEPT_OF_SESSION = 50;
const KEPT = 200;

export const ALL_PARTS: SyncParts = { contacts: true, chats: true, messages: true };

export const isWhole = ({ contacts, chats, messages }: SyncParts): boolean => contacts && chats && messages;

export const isFinal = ({ status }: Pick<SyncJob, "status">): boolean =>
  status === "completed" || status === "incomplete" || status === "failed";

/** Whose turn it is not yet, or is now. */
const isOpen = (job: SyncJob): boolean => !isFinal(job);

export interface SyncRequest {
  sessionId: string;
  reason: string;
  parts: SyncParts;
}

/** Reasons that doubt all that was synced before: such a job never goes on from a former place. */
const FROM_SCRATCH = ["reset", "full"];
export const isFromScratch = ({ reasons }: Pick<SyncJob, "reasons">): boolean =>
  reasons.some((reason) => FROM_SCRATCH.includes(reason));

/** Others (`gap`, `history`, `reset`, `full`) know of something that a job in the middle of its pass may have gone by. */
const MAY_JOIN = new Set(["connected", "hourly", "manual"]);

const covers = (job: SyncJob, { reason, parts }: SyncRequest): boolean =>
  MAY_JOIN.has(reason) &&
  (job.parts.contacts || !parts.contacts) &&
  (job.parts.chats || !parts.chats) &&
  (job.parts.messages || !parts.messages);

const withReason = (job: SyncJob, reason: string): SyncJob =>
  job.reasons.includes(reason) ? job : { ...job, reasons: [...job.reasons, reason] };

/** The account or a person says that it may work now: the wait after a failed try is cut short. */
const HURRIES = new Set(["connected", "manual", "full"]);
const hurried = (job: SyncJob, { reason }: SyncRequest): SyncJob =>
  HURRIES.has(reason) ? becameDue(job) : job;

/** A job that waits for its turn takes the request in; what it asks for anew is read from the beginning. */
function joined(job: SyncJob, request: SyncRequest): SyncJob {
  const merged = withReason(job, request.reason);
  if (covers(job, request)) return merged;
  const parts = {
    contacts: job.parts.contacts || request.parts.contacts,
    chats: job.parts.chats || request.parts.chats,
    messages: job.parts.messages || request.parts.messages,
  };
  return { ...merged, parts, checkpoint: null };
}

/**
 * The list with this request in it, and the job that will do it: a job of the session that is under way and brings
 * what is asked for, else the one that waits for its turn, else a new one.
 */
export function placeRequest(
  jobs: SyncJob[],
  request: SyncRequest,
  { jobId, now }: { jobId: string; now: Date },
): { jobs: SyncJob[]; job: SyncJob } {
  const ofSession = jobs.filter(({ sessionId }) => sessionId === request.sessionId);
  const running = ofSession.find(({ status }) => status === "running");
  const place = (job: SyncJob) => ({ jobs: jobs.map((one) => (one.jobId === job.jobId ? job : one)), job });
  if (running !== undefined && covers(running, request)) return place(withReason(running, request.reason));
  const open = ofSession.find((job) => isOpen(job) && job !== running);
  if (open !== undefined) return place(hurried(joined(open, request), request));
  const job = newJob(request, { jobId, now, last: running === undefined ? ofSession.at(-1) : undefined });
  return { jobs: bounded([...jobs, job]), job };
}

function newJob(
  { sessionId, reason, parts }: SyncRequest,
  { jobId, now, last }: { jobId: string; now: Date; last: SyncJob | undefined },
): SyncJob {
  return {
    jobId,
    sessionId,
    reasons: [reason],
    parts,
    status: "queued",
    step: "check",
    done: 0,
    total: 0,
    attempts: 0,
    nextTryAt: null,
    requestedAt: now.toISOString(),
    startedAt: null,
    finishedAt: null,
    error: null,
    checkpoint: MAY_JOIN.has(reason) ? placeToContinue(last, { parts, now }) : null,
    contacts: NOTHING,
    chats: NOTHING,
    messages: NOTHING,
  };
}

/** Without the oldest finished jobs beyond what is kept. */
function bounded(jobs: SyncJob[]): SyncJob[] {
  const ofSession = new Map<string, number>();
  const completed = new Set<string>();
  let all = 0;
  const isKept = (job: SyncJob): boolean => {
    if (isOpen(job)) return true;
    const newer = ofSession.get(job.sessionId) ?? 0;
    ofSession.set(job.sessionId, newer + 1);
    all += 1;
    // How a session stands must be known of each, however many there are: its last job, and the last that came to its end.
    const isLastCompleted = job.status === "completed" && !completed.has(job.sessionId);
    if (isLastCompleted) completed.add(job.sessionId);
    return newer === 0 || isLastCompleted || (newer < KEPT_OF_SESSION && all <= KEPT);
  };
  return jobs.toReversed().filter(isKept).toReversed();
}

export const began = (job: SyncJob, now: Date): SyncJob => ({
  ...job,
  status: moved(job, "started"),
  attempts: job.attempts + 1,
  nextTryAt: null,
  startedAt: job.startedAt ?? now.toISOString(),
});

export const succeeded = (job: SyncJob, now: Date): SyncJob => ({
  ...job,
  status: moved(job, "succeeded"),
  finishedAt: now.toISOString(),
  error: null,
  checkpoint: null,
});

const TIMED_OUT = {
  timed_out: "The time of the job was over; the next one goes on from here.",
  unanswered: "The CRM or the hub did not answer in the time of the job; the next one goes on from here.",
};

export const timedOut = (job: SyncJob, why: keyof typeof TIMED_OUT, now: Date): SyncJob => ({
  ...job,
  status: moved(job, "timed_out"),
  finishedAt: now.toISOString(),
  error: TIMED_OUT[why],
});

/** The process stops or died in the middle: not the job's fault, so the try does not count. */
export const interrupted = (job: SyncJob): SyncJob => ({
  ...job,
  status: moved(job, "interrupted"),
  attempts: Math.max(0, job.attempts - 1),
});

export const becameDue = (job: SyncJob): SyncJob => ({ ...job, status: moved(job, "due"), nextTryAt: null });

/**
 * Until a waiting job's turn. No wait is as long as one that a clock set back since would make of it: that one is over.
 */
export function dueInMs({ nextTryAt }: Pick<SyncJob, "nextTryAt">, now: Date): number {
  const ms = nextTryAt === null ? 0 : Date.parse(nextTryAt) - now.getTime();
  return ms > LONGEST_WAIT_SECONDS * 1000 ? 0 : Math.max(0, ms);
}

/** A person starts it again, from where it stopped, with all its tries. */
export const retried = (job: SyncJob): SyncJob => ({
  ...job,
  status: moved(job, "retried"),
  attempts: 0,
  error: null,
  finishedAt: null,
});

export interface SyncFailure {
  error: string;
  /** Trying again cannot help: the session is gone or not connected. */
  isHopeless: boolean;
  retryAfterSeconds: number | null;
  /** For the log, which must not have its words. */
  cause: unknown;
}

export function failedTry(job: SyncJob, failure: SyncFailure, now: Date): SyncJob {
  const wait = failure.isHopeless ? undefined : RETRY_WAITS_SECONDS[job.attempts - 1];
  if (wait === undefined)
    return { ...job, status: moved(job, "gave_up"), error: failure.error, finishedAt: now.toISOString() };
  const asked = Math.min(failure.retryAfterSeconds ?? 0, LONGEST_WAIT_SECONDS);
  const nextTryAt = new Date(now.getTime() + Math.max(wait, asked) * 1000);
  return { ...job, status: moved(job, "failed"), error: failure.error, nextTryAt: nextTryAt.toISOString() };
}

/** The last job of each session, where it did not come to its end: what came before it was made good. Jobs oldest first. */
export const unfinished = (jobs: SyncJob[]): SyncJob[] =>
  [...new Map(jobs.map((job) => [job.sessionId, job])).values()].filter(
    ({ status }) => status === "failed" || status === "incomplete",
  );
