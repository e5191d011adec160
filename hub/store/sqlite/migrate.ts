/** Brings a database file to the schema of this code: each step is one transaction, kept in `user_version`. */
import { renameSync, rmSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type Database from "better-sqlite3";

/** What the steps themselves, and the hub's first minutes, need beside the copy. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** @throws Error in plain words when the database is newer than this code, or the disk has no room for the copy before it */
export function migrate(db: Database.Database, steps: readonly string[], freeBytes = freeBytesBeside): void {
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > steps.length)
    throw new Error(
      `The database was written by a newer Inbox Hub (schema ${version}, this one knows ${steps.length}): update the hub.`,
    );
  if (version > 0 && version < steps.length && !db.memory) keepCopy(db, version, freeBytes(db.name));
  steps.forEach((step, index) => {
    if (index < version) return;
    db.transaction(() => {
      db.exec(step);
      db.pragma(`user_version = ${index + 1}`);
    })();
  });
}

/** A step that turns out to be wrong must not cost the data it met. A copy that was broken off is made again. */
function keepCopy(db: Database.Database, version: number, freeBytes: number): void {
  const copy = `${db.name}.schema-${version}`;
  rmSync(`${copy}.half`, { force: true });
  const neededBytes = bytesOf(db) + SPARE_BYTES;
  if (freeBytes < neededBytes)
    throw new Error(
      `The update brings the database to a new form and keeps a copy of it as it is: that needs ${inMegabytes(neededBytes)} MB, ` +
        `and the disk of ${dirname(db.name)} has ${inMegabytes(freeBytes)} MB left. Make room (backups that are copied elsewhere, ` +
        "logs, hub.db.schema-… files of earlier updates), then start again. Nothing was changed.",
    );
  db.prepare("VACUUM INTO ?").run(`${copy}.half`);
  renameSync(`${copy}.half`, copy);
}

function freeBytesBeside(file: string): number {
  const { bavail, bsize } = statfsSync(dirname(file));
  return bavail * bsize;
}

/** Of what is in use: pages that are free are not copied. */
function bytesOf(db: Database.Database): number {
  const [pages, free, size] = ["page_count", "freelist_count", "page_size"].map((name) =>
    Number(db.pragma(name, { simple: true })),
  );
  return ((pages ?? 0) - (free ?? 0)) * (size ?? 0);
}

const inMegabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
