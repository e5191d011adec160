/** What could not be done, listed, and tried again one or all: sync jobs and single records. */
import { z } from "zod";
import { BridgeError } from "../errors.ts";
import type { CrmAdapter } from "../adapter.ts";
import type { HubClient } from "../hub-client.ts";
import type { ItemRetry } from "../item-retry.ts";
import type { FailedItem, SyncJob } from "../state/bridge-state.ts";
import { unfinished } from "../sync/sync-job.ts";
import type { SyncQueue } from "../sync/sync-queue.ts";
import { flagArgument, method, word, type Method } from "./method.ts";
import { sessionNamed } from "./session-name.ts";
import { jobOf } from "./sync.ts";

export interface FailedParts {
  queue: Pick<SyncQueue, "jobs" | "retry">;
  failed: { list(sessionId?: string): FailedItem[] };
  retryItems: ItemRetry;
  hub: HubClient;
  adapter: CrmAdapter;
}

export function failedMethods({ queue, failed, retryItems, ...named }: FailedParts): Method[] {
  const itemsOf = (sessionId?: string) => [
    ...unfinished(queue.jobs(sessionId)).map(itemOfJob),
    ...failed.list(sessionId).map(({ id, sessionId: session, ...item }) => ({ id, session, ...item })),
  ];
  return [
    method({
      name: "api.sync.list_failed",
      role: "read",
      args: { session_name: word.optional() },
      run: async ({ session_name: name }) => {
        // By its id first: what is known here is told also when the hub is away or has the session no more.
        const items = itemsOf(name);
        const isKnown = name === undefined || items.length > 0 || queue.jobs(name).length > 0;
        if (isKnown) return { success: true, items };
        return { success: true, items: itemsOf((await sessionNamed(name, named)).sessionId) };
      },
    }),
    method({
      name: "api.sync.retry_failed",
      role: "admin",
      args: { job_id: z.string().max(100).optional(), item: word.optional(), all: flagArgument(false) },
      run: async ({ job_id: jobId, item: itemId, all }) => {
        if (!all && jobId === undefined && itemId === undefined)
          throw new BridgeError("VALIDATION_ERROR", "Say what to retry: job_id, item, or all.");
        const items = failed.list().filter(({ id }) => all || id === itemId);
        if (itemId !== undefined && items.length === 0)
          throw new BridgeError("JOB_NOT_FOUND", "There is no failed item of this id.");
        if (jobId !== undefined) jobOf(jobId, queue);
        const jobs = all ? await queue.retry("all") : jobId === undefined ? 0 : await queue.retry(jobId);
        const healed = await retryItems(items);
        return { success: true, retried: jobs + items.length, still_failing: items.length - healed };
      },
    }),
  ];
}

const itemOfJob = ({ jobId, sessionId, error, attempts, finishedAt, status, step }: SyncJob) => ({
  id: jobId,
  session: sessionId,
  kind: "job",
  key: step,
  error: error ?? status,
  attempts,
  at: finishedAt,
});
