/**
 * Puts a backup in the database's place. Until `restore.json` is on disk nothing has happened; from then on the new one is in
 * its place after the next start at the latest, however often the process is killed.
 */
import { existsSync, linkSync, renameSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { syncFolder, writeDurably } from "../../core/durable-file.ts";
import type { Log } from "../../core/log.ts";
import type { VaultStore, Watermark } from "../../core/store.ts";
import { isLogMissing } from "../open-mark.ts";
import { holdLock } from "../sqlite/lock.ts";
import { checkFile } from "../sqlite/quick-check.ts";
import { openReader } from "../sqlite/reader.ts";
import { createVaultStore } from "../sqlite/vault.ts";
import { readKeptWatermark, watermarkSchema } from "../watermark.ts";
import type { BackupHead, OpenFileKey } from "./container.ts";
import { unpackWhole } from "./unpack-whole.ts";

const DATABASE = "hub.db";
const COMING = "hub.db.restoring";
const JOURNAL = "restore.json";

const journalSchema = z.object({
  /** How far the hub had got before. */
  since: watermarkSchema.omit({ isLast: true }),
  /** Nothing was used after it. */
  areLoginsKnown: z.boolean(),
  /** Where the database from before goes. */
  aside: z.string(),
});
type Journal = z.output<typeof journalSchema>;

export interface Restored {
  backup: BackupHead;
  /** Name of the database from before, in the data folder; null when there was none. */
  aside: string | null;
}

/** @throws Error in plain words while a hub runs on the folder, or when the backup cannot be used: then nothing was changed */
export async function restoreBackup({
  dataDir,
  file,
  openFileKey,
  prepare,
  clock,
  log,
}: {
  dataDir: string;
  file: string;
  openFileKey: OpenFileKey;
  /** Brings the data keys of the copy under the present master key. */
  prepare: (keys: VaultStore) => Promise<void>;
  clock: Clock;
  log: Log;
}): Promise<Restored> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = holdLock(join(dataDir, "hub.lock.db"));
  try {
    await finishRestore(dataDir);
    const coming = join(dataDir, COMING);
    await removeDatabase(coming);
    const { backup } = await unpackWhole(file, coming, openFileKey);
    await prepareCopy(coming, prepare);
    const { since, areLoginsKnown } = await howFar(dataDir, backup);
    const aside = `hub.db.before-restore-${clock.now().toISOString().replace(/[-:.]/g, "")}`;
    const hadDatabase = existsSync(join(dataDir, DATABASE));
    const journal: Journal = { since, areLoginsKnown, aside };
    await writeDurably(join(dataDir, JOURNAL), JSON.stringify(journal));
    await finishRestore(dataDir);
    log.info({ backup: backup.name, aside }, "backup.restored");
    return { backup, aside: hadDatabase ? aside : null };
  } finally {
    lock.release();
  }
}

async function prepareCopy(coming: string, prepare: (keys: VaultStore) => Promise<void>): Promise<void> {
  const db = new Database(coming, { fileMustExist: true });
  try {
    db.pragma("synchronous = FULL");
    await prepare(createVaultStore({ db }));
    // An order that was under way in it, the backup itself for one, would be entered as broken off when it is opened.
    const hasOrders =
      db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'audit_begun'").get() !== undefined;
    if (hasOrders) db.exec("DELETE FROM audit_begun");
  } finally {
    db.close();
  }
}

/** The database itself knows best; a damaged one leaves the file beside it, and a lost folder only the backup. */
async function howFar(
  dataDir: string,
  backup: BackupHead,
): Promise<{ since: Watermark; areLoginsKnown: boolean }> {
  const file = join(dataDir, DATABASE);
  try {
    if (existsSync(file) && !isLogMissing(dataDir, file)) {
      checkFile(file, { largest: Infinity });
      const reader = openReader(file);
      const since = await reader.watermark();
      reader.close();
      return { since, areLoginsKnown: true };
    }
  } catch {
    // Damaged, or older than these tables: what the file beside it says is the next best.
  }
  const kept = keptOrNull(dataDir);
  if (kept === null) return { since: backup.watermark, areLoginsKnown: false };
  const { isLast, ...since } = kept;
  return { since, areLoginsKnown: isLast };
}

function keptOrNull(dataDir: string): ReturnType<typeof readKeptWatermark> {
  try {
    return readKeptWatermark(dataDir);
  } catch {
    return null;
  }
}

/**
 * Moves the new database into place, if one is to come; safe to be killed and called again at any point. Returns what its
 * hub must be told at its first opening (`declareRestored`), until `forgetRestore`.
 */
export async function finishRestore(dataDir: string): Promise<Journal | null> {
  const at = (name: string): string => join(dataDir, name);
  if (!existsSync(at(JOURNAL))) {
    await removeDatabase(at(COMING));
    return null;
  }
  const journal = journalSchema.parse(JSON.parse(await readFile(at(JOURNAL), "utf8")));
  if (existsSync(at(COMING))) {
    if (existsSync(at(DATABASE)) && !existsSync(at(journal.aside))) linkSync(at(DATABASE), at(journal.aside));
    // A log of the old database would be taken for the new one's.
    for (const side of ["-wal", "-shm"])
      if (existsSync(at(DATABASE + side))) renameSync(at(DATABASE + side), at(journal.aside + side));
    await syncFolder(dataDir);
    renameSync(at(COMING), at(DATABASE));
    await syncFolder(dataDir);
  }
  return journal;
}

export async function forgetRestore(dataDir: string): Promise<void> {
  await rm(join(dataDir, JOURNAL), { force: true });
  await syncFolder(dataDir);
}

async function removeDatabase(file: string): Promise<void> {
  for (const side of ["", "-wal", "-shm", "-journal"]) await rm(file + side, { force: true });
}
