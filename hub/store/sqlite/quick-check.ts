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

/** Number of the schema a database was written with; 0 when it has none yet. Throws when the file is damaged. */
export function schemaOf(file: string): number {
  return asDamage(file, () => {
    const db = new Database(file, { readonly: true });
    try {
      return Number(db.pragma("user_version", { simple: true }));
    } finally {
      db.close();
    }
  });
}

/** What SQLite says of a file that is none of its own any more, in words that say what to do. */
export function asDamage<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw isDamage(cause) ? damaged(file, cause.message, { cause }) : cause;
  }
}

/** The same of work that may have written before it met the damage, and whose failures have words of the store already. */
export async function orDamaged<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const said = cause instanceof Error ? (cause.cause ?? cause) : cause;
    throw isDamage(said) ? damaged(file, said.message, { cause, isChanged: true }) : cause;
  }
}

const isDamage = (cause: unknown): cause is Error =>
  cause instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(cause.code);

export const damaged = (
  file: string,
  what: string,
  { cause, isChanged = false }: { cause?: unknown; isChanged?: boolean } = {},
): Error =>
  new Error(
    `The database ${file} is damaged: ${what}. ${isChanged ? "The hub ends." : "Nothing was changed."} Restore a backup: ` +
      "npm run hub -- backups lists them, npm run hub -- restore <backup> --yes puts one back.",
    { cause },
  );
