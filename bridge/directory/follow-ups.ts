/** When a job that did not come to its end is gone on with: soon while it gets on, and a few times more, later each time, when not. */
import type { DirectoryJob } from "../state/bridge-state.ts";
import { hasPagesLeft } from "./directory-job.ts";
import { unreadPages } from "./failures.ts";

const MINUTE_MS = 60_000;
export const SOON_MS = MINUTE_MS;
/** After runs without progress; then it waits for the next day's. */
const PAUSES_MS = [1, 2, 5, 15, 60, 180].map((minutes) => minutes * MINUTE_MS);

export interface FollowUps {
  /** After a run of this job; null: it was tried often enough. `askedMs`: the rest that was asked for. */
  pauseAfter(job: DirectoryJob, askedMs: number): number | null;
}

/** Pages are still to be read, and trying again may bring them. */
export const isOwed = (job: DirectoryJob): boolean =>
  job.status === "incomplete" || (job.status === "failed" && (hasPagesLeft(job) || unreadPages(job) > 0));

export function createFollowUps(): FollowUps {
  let last: { jobId: string; read: number } | null = null;
  let fruitless = 0;
  return {
    pauseAfter: (job, askedMs) => {
      const read = job.page - unreadPages(job);
      const before = last?.jobId === job.jobId ? last.read : 0;
      if (last?.jobId !== job.jobId || read > before) fruitless = 0;
      else fruitless += 1;
      last = { jobId: job.jobId, read };
      const pause = PAUSES_MS[fruitless];
      return pause === undefined ? null : Math.max(pause, askedMs);
    },
  };
}
