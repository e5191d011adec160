/** The states of a directory job, and what each page adds to it. Only these functions change a job. */
import type { DirectoryJob } from "../state/bridge-state.ts";
import { ERROR_LENGTH, replaceFailures, unreadPages, type DirectoryFailure } from "./failures.ts";
import type { DirectoryPage } from "./source.ts";

export interface PageTally {
  created: number;
  updated: number;
  unchanged: number;
  skipped: number;
  failures: { externalId: string; error: string }[];
}

export const emptyTally = (): PageTally => ({
  created: 0,
  updated: 0,
  unchanged: 0,
  skipped: 0,
  failures: [],
});

export const newJob = (jobId: string, source: string): DirectoryJob => ({
  jobId,
  source,
  status: "queued",
  page: 0,
  totalPages: 0,
  totalRecords: 0,
  perPage: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  skipped: 0,
  errors: 0,
  startedAt: null,
  finishedAt: null,
  error: null,
  failed: [],
});

/** Ordered to go on: kept before the work begins, so that a crash in between forgets no order. */
export function queue(job: DirectoryJob): void {
  job.status = "queued";
  job.finishedAt = null;
  job.error = null;
}

export function begin(job: DirectoryJob, now: Date): void {
  job.status = "running";
  job.startedAt ??= now.toISOString();
}

/** One page as it was dealt with; `retried` are the failures for whose sake it was read again. */
interface PageResult<T> {
  n: number;
  retried: DirectoryFailure[];
  result: T;
}

export function settlePage(
  job: DirectoryJob,
  { n, retried, result: { page, tally } }: PageResult<{ page: DirectoryPage; tally: PageTally }>,
): void {
  noteTotals(job, page);
  job.page = Math.max(job.page, n);
  job.created += tally.created;
  job.updated += tally.updated;
  job.unchanged += tally.unchanged;
  job.skipped += tally.skipped;
  replaceFailures(
    job,
    retried,
    tally.failures.map(({ externalId, error }) => ({ page: n, externalId, error, attempts: 1 })),
  );
}

/** A page that did not arrive, or whose clients the CRM did not take: all that was wanted of it is still owed. */
export function recordUnread(
  job: DirectoryJob,
  { n, retried, result: { error, attempts } }: PageResult<{ error: string; attempts: number }>,
): void {
  job.page = Math.max(job.page, n);
  const owed = retried.length > 0 ? retried.map(({ externalId }) => externalId) : [null];
  replaceFailures(
    job,
    retried,
    owed.map((externalId) => ({ page: n, externalId, error, attempts })),
  );
}

export const hasNewPageSize = (job: DirectoryJob, page: DirectoryPage): boolean =>
  // The number of pages changes with their size; a last page that merely says how few clients it has does not count.
  job.perPage > 0 && page.perPage !== job.perPage && page.totalPages !== job.totalPages;

/**
 * Goes to the page on which the clients after those already read begin, now that pages have another size: going on by
 * number alone would leave clients out.
 */
export function adoptPageSize(job: DirectoryJob, page: DirectoryPage): void {
  job.page = Math.floor((job.page * job.perPage) / page.perPage);
  noteTotals(job, page);
}

function noteTotals(job: DirectoryJob, { totalPages, totalRecords, perPage }: DirectoryPage): void {
  job.totalPages = totalPages;
  job.totalRecords = totalRecords;
  job.perPage = perPage;
}

export const hasPagesLeft = ({ page, totalPages }: DirectoryJob): boolean => page === 0 || page < totalPages;

/** `broken`: why the run could not come to its end, where it could not. */
export function finish(job: DirectoryJob, now: Date, broken: string | null): void {
  job.finishedAt = now.toISOString();
  const unread = unreadPages(job);
  if (broken !== null) {
    job.status = "failed";
    job.error = broken.slice(0, ERROR_LENGTH);
  } else if (hasPagesLeft(job)) {
    job.status = "incomplete";
  } else if (unread > 0) {
    job.status = "failed";
    job.error = `${unread} of ${job.totalPages} pages could not be read`;
  } else {
    job.status = "completed";
  }
}
