/** Goes through the pages of a directory job, keeps what became of each, and leaves the job in a state that says so. */
import type { ClientStore } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";
import type { Log } from "../log.ts";
import type { BridgeState, DirectoryJob } from "../state/bridge-state.ts";
import { createAttempts } from "./attempts.ts";
import type { ClientRules } from "./decide-client.ts";
import { emptyTally } from "./directory-job.ts";
import * as jobs from "./directory-job.ts";
import { failedClients, failuresByPage, unreadPages, type DirectoryFailure } from "./failures.ts";
import { createOutage } from "./outage.ts";
import type { DirectorySource } from "./source.ts";
import { readPage, writePage, type PageTrouble } from "./sync-page.ts";

const LOGGED_PAGES = 10;
/** With so many pages unread the directory is broken, not a page. */
const UNREAD_PAGES = 200;
const MOVED = "the directory changed its page size since; a new run finds it";
const UNSTEADY = "the directory says another page size each time";
const LEFT = "not on this page any more; a new run finds it";

export interface PassDeps {
  source: DirectorySource;
  clients: ClientStore;
  rules: ClientRules;
  state: BridgeState;
  clock: Clock;
  log: Log;
  /** How long one run may last; a page that began is finished. */
  runMs: number;
  backoffMs: readonly number[];
}

export interface PassWork {
  jobId: string;
  /** Failures to be tried again, before the pages that are left. */
  failures: DirectoryFailure[];
  /** Whether the pages not read yet are read as well. */
  rest: boolean;
}

/** Why a run stopped before its end; null when it goes on. */
type Ending = { kind: "timeUp"; restMs: number } | { kind: "broken"; error: string; reason: string } | null;

/**
 * Resolves when the job is in a final state, with the milliseconds of rest that directory or CRM asked for; rejects when `signal`
 * was aborted, and the job is still `running`.
 */
export async function runPass(work: PassWork, signal: AbortSignal, deps: PassDeps): Promise<number> {
  const { state, clock, log, source } = deps;
  const { jobId, failures } = work;
  const elapsed = createElapsed(clock);
  const leftMs = (): number => deps.runMs - elapsed();
  const job = (): DirectoryJob => jobIn(state.read().directoryJobs, jobId);
  const change = (how: (job: DirectoryJob) => void): Promise<void> =>
    state.update(({ directoryJobs }) => how(jobIn(directoryJobs, jobId)));
  // Once between two pages that count: an unsteady directory would be asked for ever.
  let mayMove = true;
  const outage = createOutage();

  const syncPage = async (n: number, retried: DirectoryFailure[]): Promise<Ending> => {
    const attempts = createAttempts({ backoffMs: deps.backoffMs, leftMs, signal });
    const unread = async (trouble: PageTrouble, tally = emptyTally()): Promise<Ending> => {
      if (trouble.kind === "timeUp") {
        await change((it) => jobs.countAhead(it, n, tally));
        return { kind: "timeUp", restMs: attempts.restMs };
      }
      const { error, reason } = trouble;
      const tries = Math.max(1, attempts.made);
      log.warn({ jobId, page: n, attempts: tries, reason }, "directory.page_failed");
      await change((it) => {
        jobs.countAhead(it, n, tally);
        jobs.recordUnread(it, { n, retried, result: { error, attempts: tries } });
      });
      return endingAfter(trouble, job());
    };

    const read = await readPage(n, { source, attempts, signal });
    if (read.kind !== "read") return unread(read);
    const { page } = read;
    const wanted = failedClients(retried);
    if (jobs.hasNewPageSize(job(), page)) {
      if (wanted !== null || !work.rest) return unread({ kind: "unread", error: MOVED, reason: MOVED });
      if (!mayMove) return { kind: "broken", error: UNSTEADY, reason: UNSTEADY };
      mayMove = false;
      await change((it) => jobs.adoptPageSize(it, page));
      return null;
    }
    const written = await writePage(page, wanted, { ...deps, attempts, outage, signal });
    if (written.kind !== "written") return unread(written, written.tally);
    const { tally } = written;
    const present = new Set([...page.clients, ...page.unreadable].map(({ externalId }) => externalId));
    for (const externalId of wanted ?? [])
      if (!present.has(externalId)) tally.failures.push({ externalId, error: LEFT });
    mayMove = true;
    await change((it) => jobs.settlePage(it, { n, retried, result: { page, tally } }));
    return null;
  };

  const isOver = (): boolean => leftMs() <= 0;

  const retryFailures = async (): Promise<Ending> => {
    for (const [n, asked] of failuresByPage(failures)) {
      signal.throwIfAborted();
      if (isOver()) return { kind: "timeUp", restMs: 0 };
      // Since pages have another size, some are read with the rest.
      const retried = asked.filter(({ id }) => job().failed.some((failure) => failure.id === id));
      if (retried.length === 0) continue;
      const ending = await syncPage(n, retried);
      if (ending !== null) return ending;
    }
    return null;
  };

  const readOn = async (): Promise<Ending> => {
    while (jobs.hasPagesLeft(job())) {
      signal.throwIfAborted();
      if (isOver()) return { kind: "timeUp", restMs: 0 };
      const ending = await syncPage(job().page + 1, []);
      if (ending !== null) return ending;
      if (job().page % LOGGED_PAGES === 0) log.info({ jobId, ...figuresOf(job()) }, "directory.progress");
    }
    return null;
  };

  await change((it) => jobs.begin(it, clock.now()));
  const { page: before } = job();
  log.info(
    { jobId, source: source.name, fromPage: before + 1, retrying: failures.length },
    "directory.started",
  );
  const ending = (await retryFailures()) ?? (work.rest ? await readOn() : null);
  const broken = ending?.kind === "broken" ? ending : null;
  await change((it) => jobs.finish(it, clock.now(), broken?.error ?? null));
  logEnd(log, job(), broken?.reason);
  return ending?.kind === "timeUp" ? ending.restMs : 0;
}

function endingAfter(trouble: Exclude<PageTrouble, { kind: "timeUp" }>, job: DirectoryJob): Ending {
  const { error, reason } = trouble;
  if (trouble.kind === "ended") return { kind: "broken", error, reason };
  // Only a page that arrives tells how many there are.
  if (job.totalPages === 0) return { kind: "broken", error, reason };
  if (unreadPages(job) < UNREAD_PAGES) return null;
  return { kind: "broken", error: `${UNREAD_PAGES} pages could not be read: ${error}`, reason };
}

function jobIn(all: DirectoryJob[], jobId: string): DirectoryJob {
  const job = all.find((one) => one.jobId === jobId);
  if (job === undefined) throw new Error(`directory job ${jobId} is not kept any more`);
  return job;
}

function logEnd(log: Log, job: DirectoryJob, reason: string | undefined): void {
  const facts = { jobId: job.jobId, ...figuresOf(job), ...(reason === undefined ? {} : { reason }) };
  if (job.status === "failed") log.error(facts, "directory.failed");
  else if (job.status === "incomplete") log.warn(facts, "directory.incomplete");
  else log.info(facts, "directory.completed");
}

const figuresOf = (job: DirectoryJob): object => {
  const { page, totalPages, totalRecords, created, updated, unchanged, skipped, errors } = job;
  return { page, totalPages, totalRecords, created, updated, unchanged, skipped, errors };
};
