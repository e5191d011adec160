/** Looks for damage in a database file before anything is built on it. */
import { existsSync, statSync } from "node:fs";
import Database from "better-sqlite3";

/** A gigabyte is read in about a second; a hub that starts must be ready within five. */
const LARGEST = 1024 ** 3;

/** False when there was nothing to check, or too much. Throws when the file is damaged. */
export function checkFile(file: string, { largest = LARGEST } = {}): boolean {
  if (!existsSync(file)) return false;
  const { size } = statSync(file);
  if (size === 0 || size > largest) return false;
  const answer = asDamage(file, () => {
    // Only to read: one that may write would bring the log into the file when it closes.
    const db = new Database(file, { readonly: true });
    try {
      return db.pragma("quick_check(1)", { simple: true });
    } finally {
      db.close();
    }
  });
  if (answer !== "ok") throw damaged(file, String(answer));
  return true;
}

/** What SQLite says of a file that is none of its own any more, in words that say what to do. */
export function asDamage<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(cause.code))
      throw damaged(file, cause.message, cause);
    throw cause;
  }
}

const damaged = (file: string, what: string, cause?: unknown): Error =>
  new Error(
    `The database ${file} is damaged: ${what}. Nothing was changed. Restore a backup: ` +
      "npm run hub -- backups lists them, npm run hub -- restore <backup> --yes puts one back.",
    { cause },
  );
