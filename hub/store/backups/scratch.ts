/**
 * Room for a copy that lies open for a moment: in the data folder, where nobody else reads, and gone when the work ends. What a
 * `kill -9` leaves behind is nobody's any more, and goes at the next occasion.
 */
import { existsSync, rmSync, statSync } from "node:fs";
import { mkdtemp, readdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { FolderInUse, holdLock } from "../sqlite/lock.ts";

const SPARE_BYTES = 64 * 1024 * 1024;
const ENDINGS = ["SIGINT", "SIGTERM"] as const;
const PREFIX = "scratch-";
/** Held by the process that works there; the system takes it back from one that died. */
const LOCK = "lock.db";
/** Between a folder and its lock lies a moment. */
const UNLOCKED_MS = 60_000;

/** @throws Error in plain words when there is no room */
export async function inScratch<T>(
  { dataDir, neededBytes }: { dataDir: string; neededBytes: number },
  work: (folder: string) => Promise<T>,
): Promise<T> {
  await sweepScratch(dataDir);
  const { bavail, bsize } = await statfs(dataDir);
  if (bavail * bsize < neededBytes + SPARE_BYTES)
    throw new Error(
      `There is no room in ${dataDir}: the copy needs ${Math.ceil((neededBytes + SPARE_BYTES) / 1e6)} MB for a moment.`,
    );
  const folder = await mkdtemp(join(dataDir, PREFIX));
  const lock = holdLock(join(folder, LOCK));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  const endClean = (signal: NodeJS.Signals): void => {
    clean();
    // Not caught any more by now: it ends the process as it would have.
    process.kill(process.pid, signal);
  };
  for (const signal of ENDINGS) process.once(signal, endClean);
  try {
    return await work(folder);
  } finally {
    for (const signal of ENDINGS) process.off(signal, endClean);
    clean();
    lock.release();
  }
}

/** Removes what nobody works in. */
export async function sweepScratch(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const folder = join(dataDir, name);
    if (name.startsWith(PREFIX) && isLeft(folder)) await rm(folder, { recursive: true, force: true });
  }
}

function isLeft(folder: string): boolean {
  const lock = join(folder, LOCK);
  if (!existsSync(lock)) {
    const mtimeMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return Date.now() - mtimeMs > UNLOCKED_MS;
  }
  try {
    holdLock(lock).release();
    return true;
  } catch (cause) {
    if (cause instanceof FolderInUse) return false;
    throw cause;
  }
}
