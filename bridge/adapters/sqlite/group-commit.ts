/**
 * Writes of one turn of the event loop go to disk together: one commit, and so one wait for the disk, for all webhooks
 * that arrived at once. A piece fails alone: where one does, all are taken back and run again, each in a savepoint of its own.
 * Nobody is answered before the commit.
 */
import type { WriteResult } from "../../adapter.ts";
import { CrmUnavailable } from "../../errors.ts";
import { rejectedBy } from "../embedded/storage.ts";
import type { Db } from "./connection.ts";
import type { HeldChats } from "./held-chats.ts";
import { inCrmWords, isOfTheRecord } from "./trouble.ts";

/** What one transaction holds at most. The shortest jobs come first, so that a webhook never waits for a big page. */
const MAX_PIECES = 200;

interface Job {
  pieces: (() => WriteResult)[];
  results: WriteResult[];
  resolve: (results: WriteResult[]) => void;
  reject: (cause: unknown) => void;
}

/** What of a job is done in one transaction. */
interface Turn {
  job: Job;
  pieces: Job["pieces"];
}

const remaining = ({ pieces, results }: Job): number => pieces.length - results.length;

export interface GroupCommit {
  write(pieces: (() => WriteResult)[]): Promise<WriteResult[]>;
  /** Resolves when all that was given is kept or refused; later writes are refused. */
  stop(): Promise<void>;
}

export function createGroupCommit(db: Db, held: Pick<HeldChats, "write" | "forget">): GroupCommit {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const save = db.prepare("SAVEPOINT piece");
  const release = db.prepare("RELEASE piece");
  const backToSavepoint = db.prepare("ROLLBACK TO piece");
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
    const turns = takeTurns();
    try {
      keep(turns, keptTogether(turns) ?? keptEach(turns));
    } catch (cause) {
      fail(turns, cause);
    }
    if (jobs.length > 0) schedule();
    else for (const idle of whenIdle.splice(0)) idle();
  }

  /** The next jobs, and how much of each fits into this transaction. Who needs an order of two jobs waits for the first. */
  function takeTurns(): Turn[] {
    const turns: Turn[] = [];
    let room = MAX_PIECES;
    for (const job of jobs.toSorted((a, b) => remaining(a) - remaining(b))) {
      if (room === 0) break;
      const done = job.results.length;
      const pieces = job.pieces.slice(done, done + room);
      room -= pieces.length;
      turns.push({ job, pieces });
    }
    return turns;
  }

  /** As nearly always, nothing is wrong with any. Null: something is, and nothing of it is kept. */
  function keptTogether(turns: Turn[]): WriteResult[][] | null {
    try {
      return inTransaction(() => {
        const results = turns.map(({ pieces }) => pieces.map((piece) => piece()));
        held.write();
        return results;
      });
    } catch (cause) {
      if (!db.inTransaction || !isOfTheRecord(cause)) throw cause;
      takeBack();
      return null;
    }
  }

  function keptEach(turns: Turn[]): WriteResult[][] {
    return inTransaction(() => turns.map(({ pieces }) => pieces.map(runPiece)));
  }

  function inTransaction<T>(work: () => T): T {
    begin.run();
    const result = work();
    commit.run();
    held.forget();
    return result;
  }

  function takeBack(): void {
    held.forget();
    // A full disk may have ended the transaction already.
    if (db.open && db.inTransaction) rollback.run();
  }

  function keep(turns: Turn[], results: WriteResult[][]): void {
    turns.forEach(({ job }, index) => job.results.push(...(results[index] ?? [])));
    const done = new Set(turns.map(({ job }) => job).filter((job) => remaining(job) === 0));
    jobs = jobs.filter((job) => !done.has(job));
    for (const { resolve, results: all } of done) resolve(all);
  }

  function fail(turns: Turn[], cause: unknown): void {
    takeBack();
    const failed = new Set(turns.map(({ job }) => job));
    jobs = jobs.filter((job) => !failed.has(job));
    const error = inCrmWords(cause);
    for (const { reject } of failed) reject(error);
  }

  function runPiece(piece: () => WriteResult): WriteResult {
    save.run();
    try {
      const result = piece();
      held.write();
      release.run();
      return result;
    } catch (cause) {
      if (!db.inTransaction || !isOfTheRecord(cause)) throw cause;
      held.forget();
      backToSavepoint.run();
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
