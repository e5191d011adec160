/** The last progress told of each job that is not over, for those who ask rather than listen. */
import type { SyncProgress } from "./sync/sync-progress.ts";

export interface LatestProgress {
  of(jobId: string): SyncProgress | null;
  stop(): void;
}

export function createLatestProgress(queue: {
  onProgress(listener: (progress: SyncProgress) => void): () => void;
}): LatestProgress {
  const last = new Map<string, SyncProgress>();
  const stop = queue.onProgress((progress) => {
    const { jobId, status } = progress;
    if (status === "completed" || status === "incomplete" || status === "failed") last.delete(jobId);
    else last.set(jobId, progress);
  });
  return { of: (jobId) => last.get(jobId) ?? null, stop };
}
