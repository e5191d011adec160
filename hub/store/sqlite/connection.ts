/** The one connection to the database file: durable, checked at open, and the transactions everything runs in. */
import { chmodSync, closeSync, openSync } from "node:fs";
import Database from "better-sqlite3";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";

export type Db = Database.Database;

/** Earlier versions can lose committed pages of the write-ahead log. */
const OLDEST_SQLITE = [3, 51, 3] as const;
/** SQLite's number for `synchronous=FULL`: a commit returns when the disk has it. */
const FULL = 2;

export function openConnection(file: string): Db {
  const inMemory = file === ":memory:";
  if (!inMemory) makePrivate(file);
  const db = new Database(file);
  try {
    // Of a new file only: pages that get free can be given back to the disk bit by bit.
    db.pragma("auto_vacuum = INCREMENTAL");
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("busy_timeout = 5000");
    db.pragma("foreign_keys = ON");
    db.pragma("wal_autocheckpoint = 1000");
    db.pragma("journal_size_limit = 67108864");
    // What gets free is overwritten, also where a whole page does. Nothing measurable: a message writes 179 KB with it and without.
    db.pragma("secure_delete = ON");
    db.pragma("temp_store = MEMORY");
    db.pragma("cache_size = -16000");
    assertSafe(db, inMemory);
    migrate(db, migrations);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/** SQLite gives its side files the mode of the main file, so that one is made first. */
function makePrivate(file: string): void {
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
}

/** What the promise of the store rests on; a build or a file system that ignores a setting stops the start. */
function assertSafe(db: Db, inMemory: boolean): void {
  const is = (pragma: string): unknown => db.pragma(pragma, { simple: true });
  const problems: string[] = [];
  if (!inMemory && is("journal_mode") !== "wal") problems.push("journal_mode is not wal");
  if (is("synchronous") !== FULL) problems.push("synchronous is not FULL");
  if (is("secure_delete") !== 1) problems.push("secure_delete is off");
  if (is("foreign_keys") !== 1) problems.push("foreign_keys is off");
  const version = db.prepare<[], { v: string }>("SELECT sqlite_version() AS v").get()?.v ?? "0";
  if (!isAtLeast(version, OLDEST_SQLITE))
    problems.push(`SQLite ${version} is older than ${OLDEST_SQLITE.join(".")}`);
  if (problems.length > 0) throw new Error(`The database cannot be trusted: ${problems.join("; ")}.`);
}

function isAtLeast(version: string, oldest: readonly number[]): boolean {
  const parts = version.split(".").map(Number);
  for (const [index, wanted] of oldest.entries()) {
    const got = parts[index] ?? 0;
    if (got !== wanted) return got > wanted;
  }
  return true;
}
