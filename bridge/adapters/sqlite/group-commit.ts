/**
 * Writes of one turn of the event loop go to disk together: one commit, and so one wait for the disk, for all webhooks
 * that arrived at once. Each piece runs in its own savepoint and fails alone. Nobody is answered before the commit.
 */
import type { WriteResult } from "../../adapter.ts";
import { CrmUnavailable } from "../../errors.ts";
import { rejectedBy } from "../embedded/storage.ts";
import type { Db } from "./connection.ts";
import { inCrmWords, isOfTheRecord } from "./trouble.ts";

/** What one transaction holds at most. The shortest jobs come first, so that a webhook never waits for a big page. */
const MAX_PIECES = 200;

interface Job {
  pieces: (() => WriteResult)[];
  results: WriteResult[];
  resolve: (results: WriteResult[]) => void;
  reject: (cause: unknown) => void;
}

const remaining = ({ pieces, results }: Job): number => pieces.length - results.length;

export interface GroupCommit {
  write(pieces: (() => WriteResult)[]): Promise<WriteResult[]>;
  /** Resolves when all that was given is kept or refused; later writes are refused. */
  stop(): Promise<void>;
}

export function createGroupCommit(db: Db): GroupCommit {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const save = db.prepare("SAVEPOINT piece");
  const release = db.prepare("RELEASE piece");
  const takeBack = db.prepare("ROLLBACK TO piece");
  const whenIdle: (() => void)[] = [];
  let jobs: Job[] = [];
  let scheduled = false;
  let stopped = false;

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    // After everything that this turn of the event loop still receives.
    setImmediate(() => {
      scheduled = false;
      drain();
    });
  }

  function drain(): void {
    const taken = takeJobs();
    try {
      begin.run();
      for (const { job, upTo } of taken)
        while (job.results.length < upTo) {
          const piece = job.pieces[job.results.length];
          if (piece !== undefined) job.results.push(runPiece(piece));
        }
      commit.run();
      settle(taken.map(({ job }) => job));
    } catch (cause) {
      fail(
        taken.map(({ job }) => job),
        cause,
      );
    }
    if (jobs.length > 0) schedule();
    else for (const idle of whenIdle.splice(0)) idle();
  }

  /** The next jobs, and how far each may go in this transaction. Who needs an order of two jobs waits for the first. */
  function takeJobs(): { job: Job; upTo: number }[] {
    const taken: { job: Job; upTo: number }[] = [];
    let room = MAX_PIECES;
    for (const job of jobs.toSorted((a, b) => remaining(a) - remaining(b))) {
      if (room === 0) break;
      const upTo = job.results.length + Math.min(remaining(job), room);
      room -= upTo - job.results.length;
      taken.push({ job, upTo });
    }
    return taken;
  }

  function settle(taken: Job[]): void {
    const done = new Set(taken.filter((job) => remaining(job) === 0));
    jobs = jobs.filter((job) => !done.has(job));
    for (const { resolve, results } of done) resolve(results);
  }

  function fail(taken: Job[], cause: unknown): void {
    // A full disk may have ended the transaction already.
    if (db.open && db.inTransaction) rollback.run();
    jobs = jobs.filter((job) => !taken.includes(job));
    const error = inCrmWords(cause);
    for (const { reject } of taken) reject(error);
  }

  function runPiece(piece: () => WriteResult): WriteResult {
    save.run();
    try {
      const result = piece();
      release.run();
      return result;
    } catch (cause) {
      if (!db.inTransaction || !isOfTheRecord(cause)) throw cause;
      takeBack.run();
      release.run();
      return rejectedBy(cause);
    }
  }

  return {
    write: (pieces) => {
      if (stopped) return Promise.reject(new CrmUnavailable("The CRM's file is closed."));
      if (pieces.length === 0) return Promise.resolve([]);
      return new Promise((resolve, reject) => {
        jobs.push({ pieces, results: [], resolve, reject });
        schedule();
      });
    },
    stop: () => {
      stopped = true;
      if (jobs.length === 0) return Promise.resolve();
      return new Promise((resolve) => void whenIdle.push(resolve));
    },
  };
}
