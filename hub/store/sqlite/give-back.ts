/** Free pages of the file go back to the disk, a few at a time: a whole VACUUM would stop everything for its length. */
import type { Db } from "./connection.ts";

/** Pages that are soon used again are not worth the way. */
const KEPT_FREE = 2_000;

export function giveBack(db: Db, pages: number): number {
  const free = (): number => Number(db.pragma("freelist_count", { simple: true }));
  const before = free();
  if (before <= KEPT_FREE) return 0;
  // `exec` goes through all steps of it; a statement would stop after the first page.
  db.exec(`PRAGMA incremental_vacuum(${Math.min(Math.trunc(pages), before - KEPT_FREE)})`);
  // Files made by earlier versions keep their free pages for themselves.
  return before - free();
}
