/** The one connection to the CRM's own file: durable, and at the schema of this code. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { CrmMisconfigured } from "../../errors.ts";
import { migrations } from "./migrations/index.ts";

export type Db = Database.Database;

/** How long a write waits, with everything else of the process, for another program that has the file open. */
const BUSY_MS = 1000;

export function openConnection(file: string): Db {
  if (file !== ":memory:") makePrivate(file);
  const db = new Database(file);
  try {
    db.pragma(`busy_timeout = ${BUSY_MS}`);
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("wal_autocheckpoint = 1000");
    db.pragma("journal_size_limit = 67108864");
    db.pragma("temp_store = MEMORY");
    // Small: what is not in it lies in the cache of the system, a moment away, and the bridge is to stay small beside a CRM.
    db.pragma("cache_size = -4000");
    migrate(db);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/** Messages of customers are nobody else's business; SQLite gives its side files the mode of the main file. */
function makePrivate(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  closeSync(openSync(file, "a", 0o600));
}

/** Each step is one transaction, counted in `user_version`. */
export function migrate(db: Db): void {
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > migrations.length)
    throw new CrmMisconfigured(
      `The CRM's file was written by a newer bridge (schema ${version}, this one knows ${migrations.length}): update the bridge.`,
    );
  if (version === migrations.length) return;
  // A step may change a rule of the schema in place; at all other times the library forbids that, rightly.
  db.unsafeMode(true);
  try {
    migrations.slice(version).forEach((step, index) => {
      db.transaction(() => {
        db.exec(step);
        db.pragma(`user_version = ${version + index + 1}`);
      }).immediate();
    });
  } finally {
    db.unsafeMode(false);
  }
}
