/** The states of a directory job, and what each page adds to it. Only these functions change a job. */
import type { DirectoryJob } from "../state/bridge-state.ts";
import {
  ERROR_LENGTH,
  failedClients,
  replaceFailures,
  unread,
  unreadPages,
  type DirectoryFailure,
} from "./failures.ts";
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
  records: 0,
  ahead: null,
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
  // Read again for the sake of some clients, its others were counted before.
  if (failedClients(retried) === null && job.records !== null)
    job.records += page.clients.length + page.unreadable.length;
  job.created += tally.created;
  job.updated += tally.updated;
  job.unchanged += tally.unchanged - metAgain(job, n, tally);
  job.skipped += tally.skipped;
  replaceFailures(
    job,
    retried,
    tally.failures.map(({ externalId, error }) => ({ page: n, externalId, error, attempts: 1 })),
  );
}

/** What was written of a page before its run ended on it. Its clients are met again, and are then no unchanged ones. */
export function countAhead(job: DirectoryJob, n: number, { created, updated }: PageTally): void {
  job.created += created;
  job.updated += updated;
  const before = job.ahead?.page === n ? job.ahead.clients : 0;
  if (created + updated > 0) job.ahead = { page: n, clients: before + created + updated };
}

function metAgain(job: DirectoryJob, n: number, { unchanged }: PageTally): number {
  if (job.ahead?.page !== n) return 0;
  const { clients } = job.ahead;
  job.ahead = null;
  return Math.min(clients, unchanged);
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
 * number alone would leave clients out. Pages that could not be read are among what is left: their numbers mean others now.
 */
export function adoptPageSize(job: DirectoryJob, page: DirectoryPage): void {
  const whole = Math.min(job.page, ...unread(job).map(({ page: n }) => n - 1));
  replaceFailures(
    job,
    job.failed.filter(({ page: n }) => n > whole),
    [],
  );
  job.page = Math.floor((whole * job.perPage) / page.perPage);
  if (job.records !== null) job.records = job.page * page.perPage;
  job.ahead = null;
  noteTotals(job, page);
}

function noteTotals(job: DirectoryJob, { totalPages, totalRecords, perPage }: DirectoryPage): void {
  job.totalPages = totalPages;
  job.totalRecords = totalRecords;
  job.perPage = perPage;
}

export const hasPagesLeft = ({ page, totalPages }: DirectoryJob): boolean => page === 0 || page < totalPages;

/** Below this share of what the directory says it has, it is not only that clients come and go while it is read. */
const WHOLE = 0.9;

const isShort = ({ records, totalRecords }: DirectoryJob): boolean =>
  records !== null && records < totalRecords * WHOLE;

/** `broken`: why the run could not come to its end, where it could not. */
export function finish(job: DirectoryJob, now: Date, broken: string | null): void {
  job.finishedAt = now.toISOString();
  const missing = unreadPages(job);
  if (broken !== null) {
    job.status = "failed";
    job.error = broken.slice(0, ERROR_LENGTH);
  } else if (hasPagesLeft(job)) {
    job.status = "incomplete";
  } else if (missing > 0) {
    job.status = "failed";
    job.error = `${missing} of ${job.totalPages} pages could not be read`;
  } else if (isShort(job)) {
    job.status = "failed";
    job.error = `${job.records} of ${job.totalRecords} clients came: the pages hold fewer than the directory says`;
  } else {
    job.status = "completed";
  }
}
