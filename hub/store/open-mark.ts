/**
 * A file that stands beside the database while it is open. After a kill the database's log stands there as well: when only the
 * log is missing, somebody took it away, and with it what was written last.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { syncFolder, writeDurably } from "../core/durable-file.ts";

const OPEN_MARK = "hub.open";
const OPEN = "open\n";
const LOG_LOST = "its log is lost\n";

/** The hub was killed, and its log is gone since: the database is a copy of an earlier moment. */
export function isLogMissing(dataDir: string, file: string): boolean {
  const mark = join(dataDir, OPEN_MARK);
  if (!existsSync(mark) || !existsSync(file)) return false;
  return !existsSync(`${file}-wal`) || readFileSync(mark, "utf8") === LOG_LOST;
}

/** Opening the database makes a new log: what is known must outlive a kill right after it. */
export const keepInMind = (dataDir: string): Promise<void> =>
  writeDurably(join(dataDir, OPEN_MARK), LOG_LOST);

/** To be called while the log exists, so that the mark never stands alone by itself. */
export const markOpen = (dataDir: string): Promise<void> => writeDurably(join(dataDir, OPEN_MARK), OPEN);

/** The log is about to be written back into the database and removed. */
export async function unmarkOpen(dataDir: string): Promise<void> {
  rmSync(join(dataDir, OPEN_MARK), { force: true });
  await syncFolder(dataDir);
}
