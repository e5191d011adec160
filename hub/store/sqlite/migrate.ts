/** Brings a database file to the schema of this code: each step is one transaction, kept in `user_version`. */
import { renameSync, rmSync } from "node:fs";
import type Database from "better-sqlite3";

export function migrate(db: Database.Database, steps: readonly string[]): void {
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > steps.length)
    throw new Error(
      `The database was written by a newer Inbox Hub (schema ${version}, this one knows ${steps.length}): update the hub.`,
    );
  if (version > 0 && version < steps.length && !db.memory) keepCopy(db, version);
  steps.forEach((step, index) => {
    if (index < version) return;
    db.transaction(() => {
      db.exec(step);
      db.pragma(`user_version = ${index + 1}`);
    })();
  });
}

/** A step that turns out to be wrong must not cost the data it met. A copy that was broken off is made again. */
function keepCopy(db: Database.Database, version: number): void {
  const copy = `${db.name}.schema-${version}`;
  rmSync(`${copy}.half`, { force: true });
  db.prepare("VACUUM INTO ?").run(`${copy}.half`);
  renameSync(`${copy}.half`, copy);
}
