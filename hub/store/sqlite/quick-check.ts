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
  const db = new Database(file);
  try {
    const answer = db.pragma("quick_check(1)", { simple: true });
    if (answer !== "ok")
      throw new Error(`The database ${file} is damaged: ${String(answer)}. Restore a backup.`);
    return true;
  } finally {
    db.close();
  }
}
