/** The sync of a client directory, on order. */
import { z } from "zod";
import type { DirectorySync, RetryWhat } from "../directory/directory-sync.ts";
import { BridgeError } from "../errors.ts";
import type { DirectoryJob } from "../state/bridge-state.ts";
import { flagArgument, method, word, type Method } from "./method.ts";

type Directory = Pick<DirectorySync, "start" | "status" | "jobs" | "retry">;

export interface DirectoryMethods {
  start: Method;
  status: Method;
  jobs: Method;
  retry: Method;
}

/** `directory` is null where none is configured. */
export function directoryMethods(directory: Directory | null): DirectoryMethods {
  const configured = (): Directory => {
    if (directory !== null) return directory;
    throw new BridgeError(
      "NOT_SUPPORTED",
      "No client directory is configured; set WISPRO_URL and WISPRO_TOKEN, or DIRECTORY_SOURCE.",
    );
  };

  return {
    start: method({
      name: "api.directory.sync_all",
      role: "admin",
      args: {},
      run: async () => {
        const { jobId, alreadyRunning } = await configured().start();
        return {
          success: true,
          message: alreadyRunning ? "Synchronisation is already running" : "Synchronisation started",
          job_id: jobId,
        };
      },
    }),
    status: method({
      name: "api.directory.get_status",
      role: "read",
      args: {},
      run: () => {
        const job = configured().status();
        return Promise.resolve({ success: true, job: job === null ? null : jobAnswer(job) });
      },
    }),
    jobs: method({
      name: "api.directory.list_jobs",
      role: "read",
      args: { failed: flagArgument(false) },
      // Where none is configured there is nothing to list: whoever watches bridges asks them all.
      run: ({ failed }) => {
        const jobs = directory?.jobs().filter((job) => !failed || hasFailed(job)) ?? [];
        return Promise.resolve({ success: true, jobs: jobs.map(jobAnswer) });
      },
    }),
    retry: method({
      name: "api.directory.retry_failed",
      role: "admin",
      args: {
        job_id: word.optional(),
        id: word.optional(),
        page: z.coerce.number().int().min(1).optional(),
        all: flagArgument(false),
      },
      run: async ({ job_id: of, ...what }) => {
        const { jobId, alreadyRunning, retrying } = await configured().retry(wantedOf(what, of), of);
        return {
          success: true,
          message: alreadyRunning ? "Synchronisation is running; retry when it has ended" : "Retry started",
          job_id: jobId,
          retrying,
        };
      },
    }),
  };
}

/** A job that is named alone is meant as a whole. */
function wantedOf(
  { id, page, all }: { id?: string | undefined; page?: number | undefined; all: boolean },
  jobId: string | undefined,
): RetryWhat {
  if (all) return "all";
  if (id !== undefined) return { id };
  if (page !== undefined) return { page };
  if (jobId !== undefined) return "all";
  throw new BridgeError("VALIDATION_ERROR", "Say what to retry: job_id, id, page, or all.");
}

const hasFailed = ({ status, errors }: DirectoryJob): boolean => status === "failed" || errors > 0;

const jobAnswer = (job: DirectoryJob) => ({
  job_id: job.jobId,
  source: job.source,
  status: job.status,
  page: job.page,
  total_pages: job.totalPages,
  total_records: job.totalRecords,
  created: job.created,
  updated: job.updated,
  unchanged: job.unchanged,
  skipped: job.skipped,
  errors: job.errors,
  started_at: job.startedAt,
  finished_at: job.finishedAt,
  error: job.error,
  failed: job.failed.map(({ id, page, externalId, error, attempts }) => ({
    id,
    page,
    external_id: externalId,
    error,
    attempts,
  })),
});
