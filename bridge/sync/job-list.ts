/** The sync jobs in the bridge's state: finding, placing and changing them, each change kept before it is answered. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import { BridgeError } from "../errors.ts";
import type { BridgeData, BridgeState, SyncJob } from "../state/bridge-state.ts";
import { placeRequest, type SyncRequest } from "./sync-job.ts";

export interface JobList {
  /** Oldest request first. */
  all(sessionId?: string): SyncJob[];
  /** @throws BridgeError JOB_NOT_FOUND */
  get(jobId: string): SyncJob;
  /**
   * The job that will do it, which takes its place at once; `kept` resolves when it outlives the process. Requests that come
   * until then are still one job.
   */
  place(request: SyncRequest): { job: SyncJob; kept: Promise<void> };
  /** The job as it was moved; it may be gone by the time it is kept. `beside`: what else changes in the same write. */
  change(
    jobId: string,
    move: (job: SyncJob) => SyncJob,
    beside?: (data: BridgeData) => void,
  ): Promise<SyncJob>;
  /** The same where a step back would only be done again: it takes effect at once and is kept soon. */
  note(jobId: string, move: (job: SyncJob) => SyncJob): SyncJob;
  /** Moves every job for which `move` answers another one; nothing is written when there is none. */
  changeAll(move: (job: SyncJob) => SyncJob): Promise<SyncJob[]>;
}

const newJobId = (): string => `sync_${randomUUID()}`;

export function createJobList({ state, clock }: { state: BridgeState; clock: Clock }): JobList {
  const all = (sessionId?: string): SyncJob[] =>
    state.read().jobs.filter((job) => sessionId === undefined || job.sessionId === sessionId);

  const unlessNone = (job: SyncJob | undefined): SyncJob => {
    if (job === undefined) throw new BridgeError("JOB_NOT_FOUND", "There is no sync job of this id.");
    return job;
  };
  const find = (jobId: string): SyncJob | undefined => state.read().jobs.find((job) => job.jobId === jobId);
  const get = (jobId: string): SyncJob => unlessNone(find(jobId));

  return {
    all,
    get,
    place: (request) => {
      let jobId = newJobId();
      const kept = state.update((data) => {
        const { jobs, job } = placeRequest(data.jobs, request, { jobId, now: clock.now() });
        data.jobs = jobs;
        jobId = job.jobId;
      });
      return { job: get(jobId), kept };
    },
    change: async (jobId, move, beside) => {
      const kept = state.update((data) => {
        data.jobs = data.jobs.map((job) => (job.jobId === jobId ? move(job) : job));
        beside?.(data);
      });
      const moved = find(jobId);
      await kept;
      return unlessNone(moved);
    },
    note: (jobId, move) => {
      state.note((data) => {
        data.jobs = data.jobs.map((job) => (job.jobId === jobId ? move(job) : job));
      });
      return get(jobId);
    },
    changeAll: async (move) => {
      const changed = state.read().jobs.filter((job) => move(job) !== job);
      if (changed.length === 0) return [];
      const kept = state.update((data) => {
        data.jobs = data.jobs.map(move);
      });
      const moved = changed.map(({ jobId }) => get(jobId));
      await kept;
      return moved;
    },
  };
}
