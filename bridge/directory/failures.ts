/** The pages and clients that failed in a directory job: a bounded list, each to be tried again on its own. */
import type { DirectoryJob } from "../state/bridge-state.ts";

export type DirectoryFailure = DirectoryJob["failed"][number];

/** Clients listed by name; more are only counted, and the next pass meets them again. */
const LISTED_CLIENTS = 200;
export const ERROR_LENGTH = 200;

/** `before` is forgotten, or comes back with `after` and keeps the count of its attempts. */
export function replaceFailures(
  job: DirectoryJob,
  before: DirectoryFailure[],
  after: Omit<DirectoryFailure, "id">[],
): void {
  const gone = new Map(before.map((failure) => [failure.id, failure]));
  job.failed = job.failed.filter(({ id }) => !gone.has(id));
  job.errors += after.length - before.length;
  for (const failure of after) {
    const { page, externalId, error } = failure;
    if (externalId !== null && job.failed.length >= LISTED_CLIENTS) continue;
    const id = externalId === null ? `${page}` : `${page}:${externalId}`;
    const attempts = failure.attempts + (gone.get(id)?.attempts ?? 0);
    job.failed.push({ id, page, externalId, error: error.slice(0, ERROR_LENGTH), attempts });
  }
}

/** The pages of which nobody was read. */
export const unread = (job: DirectoryJob): DirectoryFailure[] =>
  job.failed.filter(({ externalId }) => externalId === null);

export const unreadPages = (job: DirectoryJob): number => unread(job).length;

/** The clients that failed on a page; null where the whole page did. */
export function failedClients(failures: DirectoryFailure[]): Set<string> | null {
  const ids = failures.map(({ externalId }) => externalId).filter((id) => id !== null);
  return ids.length === 0 || ids.length < failures.length ? null : new Set(ids);
}

export function failuresByPage(failures: DirectoryFailure[]): Map<number, DirectoryFailure[]> {
  const pages = new Map<number, DirectoryFailure[]>();
  for (const failure of failures) pages.set(failure.page, [...(pages.get(failure.page) ?? []), failure]);
  return pages;
}
