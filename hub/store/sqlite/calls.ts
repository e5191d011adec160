/** Methods of the port as SQLite runs them: to the end before the call returns, with failures named for the caller. */
import Database from "better-sqlite3";
import { HubError } from "../../core/errors.ts";

/** Failures of the disk or of its file, not of our statements. */
const DISK = /^SQLITE_(FULL|IOERR|BUSY|LOCKED|READONLY|CANTOPEN|NOMEM|CORRUPT|NOTADB|PERM|PROTOCOL)/;

/** The work is done when the promise exists, so calls keep their order and nothing is between "seen" and "on disk". */
export const call =
  <A extends unknown[], R>(work: (...args: A) => R) =>
  (...args: A): Promise<R> =>
    new Promise((resolve) => {
      resolve(inStoreWords(() => work(...args)));
    });

export function inStoreWords<R>(work: () => R): R {
  try {
    return work();
  } catch (cause) {
    throw isDiskFailure(cause)
      ? new HubError("STORE_UNAVAILABLE", "The hub cannot use its disk at the moment.", {
          retryAfterSeconds: 5,
          cause,
        })
      : cause;
  }
}

const isDiskFailure = (cause: unknown): boolean =>
  (cause instanceof Database.SqliteError && DISK.test(cause.code)) ||
  // What better-sqlite3 says after `close()`.
  (cause instanceof TypeError && cause.message === "The database connection is not open");
