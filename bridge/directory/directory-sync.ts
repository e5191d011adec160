/**
 * Copies a client directory into the CRM in the background: one pass at a time, page by page, taken up where a crash, a failure
 * or the end of its time left it, on demand and once a day.
 */
import { randomUUID } from "node:crypto";
import type { ClientStore } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import { BridgeError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { BridgeState, DirectoryJob } from "../state/bridge-state.ts";
import { createDaily, lastAt, realSchedule, type Schedule } from "./daily.ts";
import { finish, newJob, queue } from "./directory-job.ts";
import { unread, type DirectoryFailure } from "./failures.ts";
import { createFollowUps, isOwed, SOON_MS } from "./follow-ups.ts";
import { runPass, type PassWork } from "./pass.ts";
import type { DirectorySource } from "./source.ts";

const KEPT_JOBS = 5;
const DAY_MS = 24 * 60 * 60 * 1000;

/** One failure by its id, those of one page, or every failure and the pages that were not reached; a job's id means all of that job. */
export type RetryWhat = { id: string } | { page: number } | "all";

export interface DirectorySync {
  /**
   * Takes up a pass that a crash or stop interrupted, or that did not come to its end this day, makes up for an hour that was missed,
   * and starts one each day at the hour.
   */
  startDaily(): Promise<void>;
  /**
   * Answers when the job is kept; the work goes on behind. While one runs its id is answered; one whose time ran out goes
   * on, if it was of this directory; otherwise a new pass begins.
   * @throws BridgeError NOT_SUPPORTED when the CRM has no place for clients
   */
  start(): Promise<{ jobId: string; alreadyRunning: boolean }>;
  /** The newest job, or the one that was last tried again; null before the first. */
  status(): DirectoryJob | null;
  /** Newest first; a bounded list. */
  jobs(): DirectoryJob[];
  /**
   * Of the newest job, or the one of that id. `retrying`: how many failures are tried again. Nothing is started while a pass runs.
   * @throws BridgeError NOT_SUPPORTED, JOB_NOT_FOUND (no such job, or it has no such failure), STATE_CONFLICT (another directory's)
   */
  retry(
    what: RetryWhat,
    jobId?: string,
  ): Promise<{ jobId: string; alreadyRunning: boolean; retrying: number }>;
  /** @throws BridgeError JOB_NOT_FOUND */
  wait(jobId: string): Promise<DirectoryJob>;
  idle(): Promise<void>;
  /** The pass under way stops after the client being written, and is taken up at the next start. */
  stop(): Promise<void>;
}

export interface DirectorySyncOptions {
  source: DirectorySource;
  /** Undefined where the CRM has no place for clients. */
  clients: ClientStore | undefined;
  state: BridgeState;
  clock: Clock;
  log: Log;
  /** Of the daily run, in the time zone of the process; null: there is none. */
  hour?: number | null;
  /** Country code of phone numbers that are written without one. */
  country?: string;
  runMs?: number;
  /** Rests between the tries of a page: one try more than there are rests. */
  backoffMs?: readonly number[];
  schedule?: Schedule;
}

export function createDirectorySync({
  source,
  clients,
  state,
  clock,
  log,
  hour = 3,
  country = "58",
  runMs = 15 * 60_000,
  backoffMs = [5_000, 30_000],
  schedule = realSchedule,
}: DirectorySyncOptions): DirectorySync {
  const stopping = new AbortController();
  const rules = { codePrefix: source.codePrefix, country };
  const followUps = createFollowUps();
  let current: { jobId: string; end: Promise<void> } | null = null;

  const newest = (): DirectoryJob | null => state.read().directoryJobs.at(-1) ?? null;
  const jobOf = (jobId: string): DirectoryJob => {
    const job = state.read().directoryJobs.find((one) => one.jobId === jobId);
    if (job === undefined) throw new BridgeError("JOB_NOT_FOUND", `There is no directory job "${jobId}".`);
    return job;
  };
  const needClients = (): ClientStore => {
    if (stopping.signal.aborted) throw new BridgeError("UNAVAILABLE", "The bridge is shutting down.");
    if (clients !== undefined) return clients;
    throw new BridgeError("NOT_SUPPORTED", "The configured CRM has no place for clients of a directory.");
  };

  const run = (work: PassWork, isKept: Promise<void>): void => {
    const deps = { source, clients: needClients(), rules, state, clock, log, runMs, backoffMs };
    let askedMs = 0;
    const end = isKept
      .then(async () => {
        askedMs = await runPass(work, stopping.signal, deps);
      })
      .catch((error: unknown) => {
        // Stopped: the job stays `running`, and the next start takes it up.
        if (!stopping.signal.aborted) return fail(work.jobId, error);
      })
      .finally(() => {
        current = null;
        planAfter(work.jobId, askedMs);
      });
    current = { jobId: work.jobId, end };
  };

  const planAfter = (jobId: string, askedMs: number): void => {
    const job = newest();
    if (job?.jobId !== jobId || !isOwed(job)) return;
    const pause = followUps.pauseAfter(job, askedMs);
    if (pause !== null) daily.soon(pause);
    else log.warn({ jobId }, "directory.not_tried_again");
  };

  /** Something nobody foresaw, such as a full disk below the state. */
  const fail = async (jobId: string, error: unknown): Promise<void> => {
    log.error({ jobId, reason: error instanceof Error ? error.name : typeof error }, "directory.broke");
    try {
      await state.update(({ directoryJobs }) => {
        const job = directoryJobs.find((one) => one.jobId === jobId);
        if (job !== undefined) finish(job, clock.now(), error instanceof Error ? error.message : "unknown");
      });
    } catch (stateError) {
      log.error(
        { jobId, reason: stateError instanceof Error ? stateError.name : "unknown" },
        "directory.state_lost",
      );
    }
  };

  /** Goes on with a job that is kept already; it is the newest from then on. */
  const takeUp = async (work: PassWork): Promise<void> => {
    const isKept = state.update((data) => {
      const job = data.directoryJobs.find((one) => one.jobId === work.jobId);
      if (job === undefined) return;
      queue(job);
      data.directoryJobs = [...data.directoryJobs.filter((one) => one !== job), job];
    });
    run(work, isKept);
    await isKept;
  };

  const start = async (): Promise<{ jobId: string; alreadyRunning: boolean }> => {
    needClients();
    if (current !== null) return { jobId: current.jobId, alreadyRunning: true };
    const last = newest();
    if (last !== null && isUnfinished(last) && isOurs(last)) {
      const { jobId, status } = last;
      await takeUp({ jobId, failures: [], rest: true });
      return { jobId, alreadyRunning: status !== "incomplete" };
    }
    const jobId = `dir_${randomUUID()}`;
    const isKept = state.update((data) => {
      leaveOthers(data.directoryJobs);
      data.directoryJobs = [...data.directoryJobs, newJob(jobId, source.name)].slice(-KEPT_JOBS);
    });
    run({ jobId, failures: [], rest: true }, isKept);
    await isKept;
    return { jobId, alreadyRunning: false };
  };

  const isOurs = (job: DirectoryJob): boolean => job.source === source.name;

  /** Their pages are another directory's: nobody goes on with them any more. */
  const leaveOthers = (all: DirectoryJob[]): void => {
    for (const job of all)
      if (isUnfinished(job) && !isOurs(job))
        finish(job, clock.now(), "it was left unfinished when another directory was configured");
  };

  /** What did not come to its end, unless it has since. */
  const goOn = async (): Promise<void> => {
    const job = newest();
    if (current !== null || job === null || !isOurs(job) || !isOwed(job)) return;
    const failures = job.status === "failed" ? unread(job) : [];
    await takeUp({ jobId: job.jobId, failures, rest: true });
  };

  const logged = (begin: () => Promise<unknown>) => (): void => {
    begin().catch((error: unknown) => {
      log.error({ reason: error instanceof Error ? error.name : typeof error }, "directory.not_started");
    });
  };
  const daily = createDaily({ hour, clock, schedule, work: logged(start), again: logged(goOn) });

  return {
    startDaily: async () => {
      if (clients === undefined || stopping.signal.aborted) return;
      daily.start();
      const all = state.read().directoryJobs;
      if (all.some((job) => isUnfinished(job) && !isOurs(job)))
        await state.update(({ directoryJobs }) => leaveOthers(directoryJobs));
      const last = newest();
      if (last === null) return;
      const isInterrupted = last.status !== "incomplete" && isUnfinished(last);
      const isMissed = hour !== null && hasMissed(all, lastAt(hour, clock.now()));
      if (isInterrupted || isMissed) await start();
      else if (isOurs(last) && isOwed(last) && isOfThisDay(last, clock.now())) daily.soon(SOON_MS);
    },
    start,
    status: newest,
    jobs: () => state.read().directoryJobs.toReversed(),
    retry: async (what, jobId) => {
      needClients();
      if (current !== null) return { jobId: current.jobId, alreadyRunning: true, retrying: 0 };
      const all = state.read().directoryJobs;
      const named = all.find((one) => what !== "all" && "id" in what && one.jobId === what.id);
      const job = named ?? (jobId === undefined ? newest() : jobOf(jobId));
      if (job === null) throw new BridgeError("JOB_NOT_FOUND", "No directory has been read yet.");
      if (!isOurs(job))
        throw new BridgeError(
          "STATE_CONFLICT",
          `This job is of the directory "${job.source}"; start a new one.`,
        );
      const isAll = what === "all" || named !== undefined;
      const failures = isAll ? job.failed : job.failed.filter((failure) => isMeant(failure, what));
      if (failures.length === 0 && !isAll)
        throw new BridgeError("JOB_NOT_FOUND", "The directory job has no such failure.");
      await takeUp({ jobId: job.jobId, failures: [...failures], rest: isAll });
      return { jobId: job.jobId, alreadyRunning: false, retrying: failures.length };
    },
    wait: async (jobId) => {
      jobOf(jobId);
      if (current?.jobId === jobId) await current.end;
      return jobOf(jobId);
    },
    idle: async () => {
      while (current !== null) await current.end;
    },
    stop: async () => {
      daily.stop();
      stopping.abort();
      await current?.end;
    },
  };
}

const isUnfinished = ({ status }: DirectoryJob): boolean =>
  status === "queued" || status === "running" || status === "incomplete";

/** The bridge did not run when it was time for a pass after these. One that never began made up for nothing. */
const hasMissed = (all: readonly DirectoryJob[], hour: Date): boolean =>
  all.every(({ startedAt }) => startedAt === null || Date.parse(startedAt) < hour.getTime());

const isOfThisDay = ({ finishedAt }: DirectoryJob, now: Date): boolean =>
  finishedAt !== null && now.getTime() - Date.parse(finishedAt) < DAY_MS;

function isMeant(failure: DirectoryFailure, what: Exclude<RetryWhat, "all">): boolean {
  return "id" in what ? failure.id === what.id : failure.page === what.page;
}
