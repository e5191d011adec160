/**
 * Whose turn it is: at most one running and one waiting job per session, a few sessions at once, three tries. What
 * the jobs do is the runner's affair; what becomes of them is decided in `sync-job.ts` and kept in the bridge's state.
 */
import type { CrmAdapter } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import { BridgeError, CrmUnavailable, failureFacts, HubUnavailable } from "../errors.ts";
import type { FailedItems } from "../failed-items.ts";
import type { HubClient } from "../hub-client.ts";
import type { Lanes } from "../lanes.ts";
import type { Log } from "../log.ts";
import { own, without } from "../own.ts";
import type { BridgeState, SyncJob } from "../state/bridge-state.ts";
import { createAvatars } from "./avatars.ts";
import type { SyncLimits } from "./budget.ts";
import { syncedUntil, type SyncParts } from "./checkpoint.ts";
import { systemDelay, type Delay } from "./delay.ts";
import { createJobList } from "./job-list.ts";
import { createProgressTeller } from "./progress-teller.ts";
import {
  ALL_PARTS,
  becameDue,
  began,
  dueInMs,
  failedTry,
  interrupted,
  isFinal,
  isWhole,
  retried,
  succeeded,
  timedOut,
  unfinished,
  type SyncFailure,
} from "./sync-job.ts";
import { recordsOf, type SyncPace, type SyncProgress } from "./sync-progress.ts";
import type { SyncEnd } from "./sync-run.ts";
import { createSyncRunner } from "./sync-runner.ts";
import { createWatchedRunner } from "./watched-run.ts";
import { createRecordWriter } from "./write-records.ts";

export interface SyncQueue {
  /** Takes up what an earlier process left, from its checkpoints. Requests before it wait. */
  start(): Promise<void>;
  /** Resolves when the request is kept, with the job that will do it; the sync itself is never waited for. */
  request(sessionId: string, reason: string, parts?: SyncParts): Promise<SyncJob>;
  /** The job once it came to an end, or as it is after `ms` or when the queue was stopped. @throws BridgeError JOB_NOT_FOUND */
  wait(jobId: string, ms: number): Promise<SyncJob>;
  /** Oldest first. */
  jobs(sessionId?: string): SyncJob[];
  /**
   * Puts a failed or incomplete job back, or the last one of every session that ended so; answers how many.
   * @throws BridgeError JOB_NOT_FOUND
   */
  retry(jobId: string): Promise<number>;
  onProgress(listener: (progress: SyncProgress) => void): () => void;
  /** The page being written is finished; jobs go on from there at the next start. */
  stop(): Promise<void>;
  /** Resolves when nothing is being done and nothing could be done now. */
  idle(): Promise<void>;
}

export interface SyncQueueParts {
  state: BridgeState;
  adapter: CrmAdapter;
  hub: HubClient;
  lanes: Lanes;
  limits: SyncLimits;
  clock: Clock;
  log: Log;
  failed: FailedItems;
  delay?: Delay;
  /** Sessions that are synced at the same time. */
  atOnce?: number;
}

/** Who waits for a job: is told each state of it, because one that has ended may be forgotten at any moment. */
interface Waiter {
  saw(job: SyncJob): void;
  leave(): void;
}

/** The bridge's own state could not be written: its jobs are looked at again after this. */
const STATE_REST_MS = 10_000;

export function createSyncQueue(parts: SyncQueueParts): SyncQueue {
  const { state, hub, limits, clock, log, delay = systemDelay, atOnce = 2 } = parts;
  const jobs = createJobList({ state, clock });
  const teller = createProgressTeller({ clock, log });
  const askForAvatars = createAvatars({ hub, most: limits.contacts, log });
  const runner = createWatchedRunner(createSyncRunner({ ...parts, writer: createRecordWriter(parts) }), {
    timeoutMs: limits.timeoutMs,
    delay,
  });
  const running = new Map<string, SyncPace>();
  const tasks = new Set<Promise<void>>();
  const waiters = new Set<Waiter>();
  let phase: "new" | "open" | "stopped" = "new";
  let cancelAlarm: () => void = () => undefined;

  const isOpen = (): boolean => phase === "open";
  const tell = (job: SyncJob, failure: object = {}): void => {
    teller.tell(job, running.get(job.jobId) ?? null, failure);
    for (const waiter of waiters) waiter.saw(job);
  };

  function track(work: Promise<void>): void {
    const task = work.finally(() => tasks.delete(task));
    tasks.add(task);
  }

  /** Gives free places to jobs whose turn it is, and sets the alarm for the next one that waits. */
  function pump(): void {
    if (!isOpen()) return;
    const kept = jobs.all();
    const busy = new Set(kept.filter(({ jobId }) => running.has(jobId)).map(({ sessionId }) => sessionId));
    for (const job of kept) {
      if (running.size >= atOnce) break;
      if (job.status !== "queued" || busy.has(job.sessionId)) continue;
      busy.add(job.sessionId);
      running.set(job.jobId, { takenUpAt: clock.now(), recordsBefore: recordsOf(job), plan: null });
      track(take(job.jobId));
    }
    const waits = kept.filter(({ status }) => status === "waiting").map((job) => dueInMs(job, clock.now()));
    if (waits.length > 0) alarm(Math.min(...waits));
  }

  function alarm(ms: number): void {
    cancelAlarm();
    if (isOpen()) cancelAlarm = delay(ms, () => track(lookAgain()));
  }

  /** Jobs whose wait is over, and jobs that nobody works on although they say so. */
  async function lookAgain(): Promise<void> {
    const now = clock.now();
    const isDue = (job: SyncJob): boolean => job.status === "waiting" && dueInMs(job, now) === 0;
    try {
      const moved = await jobs.changeAll((job) => {
        if (job.status === "running" && !running.has(job.jobId)) return interrupted(job);
        return isDue(job) ? becameDue(job) : job;
      });
      for (const job of moved) tell(job);
      pump();
    } catch (cause) {
      log.error({ err: cause }, "sync.state_not_kept");
      alarm(STATE_REST_MS);
    }
  }

  async function take(jobId: string): Promise<void> {
    try {
      const { sessionId, status, parts: done } = await perform(jobId);
      running.delete(jobId);
      if (isFinal({ status }) && status !== "failed" && done.contacts) track(askForAvatars(sessionId));
      pump();
    } catch (cause) {
      running.delete(jobId);
      log.error({ err: cause, jobId }, "sync.state_not_kept");
      alarm(STATE_REST_MS);
    }
  }

  /** @throws what the state throws; everything else is the job's end. */
  async function perform(jobId: string): Promise<SyncJob> {
    // Said before anything is read: who asks meanwhile still joins it. A kill before it is kept leaves the job in its queue.
    tell(jobs.note(jobId, (job) => began(job, clock.now())));
    const end = await attempt(jobId);
    const settled = await settle(jobId, end);
    tell(settled, typeof end === "string" ? {} : failureFacts(end.cause));
    return settled;
  }

  async function attempt(jobId: string): Promise<SyncEnd | SyncFailure> {
    const { sessionId } = jobs.get(jobId);
    try {
      return await runner({
        job: () => jobs.get(jobId),
        syncedUntil: syncedUntil(own(state.read().syncedUntil, sessionId), clock.now()),
        save: (change) => {
          tell(jobs.note(jobId, (job) => ({ ...job, ...change })));
        },
        plan: (plan) => {
          const pace = running.get(jobId);
          if (pace !== undefined) pace.plan = plan;
        },
        lost: () => own(state.read().lostEvents, sessionId) ?? null,
        madeGood: (cursor) => {
          state.note((data) => {
            const lost = own(data.lostEvents, sessionId);
            if (cursor === null) data.lostEvents = without(data.lostEvents, sessionId);
            else if (lost !== undefined) lost.cursor = cursor;
          });
        },
        isStopped: () => !isOpen(),
      });
    } catch (cause) {
      // What fails while everything is being closed proves nothing about the job.
      return isOpen() ? failureOf(cause) : "stopped";
    }
  }

  function settle(jobId: string, end: SyncEnd | SyncFailure): Promise<SyncJob> {
    const now = clock.now();
    if (end === "stopped") return jobs.change(jobId, interrupted);
    if (end === "timed_out" || end === "unanswered")
      return jobs.change(jobId, (job) => timedOut(job, end, now));
    if (end !== "completed") return jobs.change(jobId, (job) => failedTry(job, end, now));
    const { sessionId, parts: done, checkpoint } = jobs.get(jobId);
    return jobs.change(
      jobId,
      (job) => succeeded(job, now),
      (data) => {
        if (isWhole(done) && checkpoint !== null) data.syncedUntil[sessionId] = checkpoint.begun;
      },
    );
  }

  async function retryOne(jobId: string): Promise<number> {
    const { sessionId, status } = jobs.get(jobId);
    const isUnderWay = jobs.all(sessionId).some((job) => !isFinal(job));
    if (isUnderWay || (status !== "failed" && status !== "incomplete")) return 0;
    tell(await jobs.change(jobId, retried));
    return 1;
  }

  return {
    start: async () => {
      phase = "open";
      await lookAgain();
    },
    request: async (sessionId, reason, wanted = ALL_PARTS) => {
      const { job, kept } = jobs.place({ sessionId, reason, parts: wanted });
      tell(job);
      // Who is answered hears of a job that outlives a kill; the work itself need not wait for the disk.
      pump();
      await kept;
      return job;
    },
    wait: (jobId, ms) =>
      new Promise((resolve) => {
        let last = jobs.get(jobId);
        if (isFinal(last) || ms <= 0 || phase === "stopped") {
          resolve(last);
          return;
        }
        const waiter: Waiter = {
          saw: (job) => {
            if (job.jobId !== jobId) return;
            last = job;
            if (isFinal(job)) waiter.leave();
          },
          leave: () => {
            waiters.delete(waiter);
            cancel();
            resolve(last);
          },
        };
        const cancel = delay(ms, waiter.leave);
        waiters.add(waiter);
      }),
    jobs: jobs.all,
    retry: async (jobId) => {
      let count = 0;
      for (const one of jobId === "all" ? unfinished(jobs.all()).map((job) => job.jobId) : [jobId])
        count += await retryOne(one);
      pump();
      return count;
    },
    onProgress: teller.on,
    stop: async () => {
      phase = "stopped";
      cancelAlarm();
      while (tasks.size > 0) await Promise.all(tasks);
      // What came to no end by now will come to none here.
      for (const waiter of waiters) waiter.leave();
    },
    idle: async () => {
      while (tasks.size > 0) await Promise.all(tasks);
    },
  };
}

/** Codes of the hub that say that the session is gone. */
const GONE = new Set(["SESSION_NOT_FOUND"]);

function failureOf(cause: unknown): SyncFailure {
  const error = cause instanceof Error ? cause.message : String(cause);
  const isHopeless =
    (cause instanceof BridgeError && cause.code === "SESSION_NOT_CONNECTED") ||
    (cause instanceof HubUnavailable && cause.code !== null && GONE.has(cause.code));
  const isLimited = cause instanceof HubUnavailable || cause instanceof CrmUnavailable;
  return { error, isHopeless, retryAfterSeconds: isLimited ? cause.retryAfterSeconds : null, cause };
}
