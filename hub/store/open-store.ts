/** Opens the data folder of one hub: private, held by one process alone, and checked before anything is written. */
import { accessSync, chmodSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import { finishRestore, forgetRestore } from "./backups/restore.ts";
import { lookBeside, lookFirst } from "./damage.ts";
import { isLogMissing, keepInMind, markOpen, unmarkOpen } from "./open-mark.ts";
import { unusableFolder } from "./own-files.ts";
import { FolderInUse, holdLock, type Lock } from "./sqlite/lock.ts";
import { orDamaged } from "./sqlite/quick-check.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";
import { isBehind, readKeptWatermark, writeWatermark, type KeptWatermark } from "./watermark.ts";

export interface OpenStoreOptions {
  dataDir: string;
  publicUrl: string;
  clock: Clock;
  log: Log;
  /**
   * A large database that turned out to be damaged after all: nothing more may be built on it, and the next start refuses.
   * Who gives this does not wait for the look at a large one.
   */
  onDamaged?: (cause: Error) => void;
  /** Bytes from which on a database is large. */
  large?: number;
}

/** So much is looked over in a quarter of a second; it grows with what is stored, and the start must not. */
const LARGE = 32 * 1024 * 1024;

export async function openStore({
  dataDir,
  publicUrl,
  clock,
  log,
  onDamaged,
  large = LARGE,
}: OpenStoreOptions): Promise<Store> {
  const lock = openFolder(dataDir);
  try {
    const restore = await finishRestore(dataDir);
    const mark = readKeptWatermark(dataDir);
    const file = join(dataDir, "hub.db");
    assertNotLost(file, mark);
    const hasLostItsLog = isLogMissing(dataDir, file);
    const isLookOwed = await lookFirst(dataDir, file, onDamaged === undefined ? null : large);
    if (hasLostItsLog) await keepInMind(dataDir);
    const store = await orDamaged(
      file,
      openSqliteStore({
        file,
        publicUrl,
        clock,
        onSetBack: (backMs) => log.warn({ backMs }, "clock.set_back"),
      }),
    );
    await settleRestore({ dataDir, store, restore, mark, hasLostItsLog, log });
    await markOpen(dataDir);
    const { hubId } = await store.identity();
    log.info({ hubId, bytes: statSync(file).size }, "store.opened");
    const looking =
      isLookOwed && onDamaged !== undefined ? lookBeside({ dataDir, file, onDamaged, log }) : null;
    return {
      ...store,
      close: async () => {
        await looking?.stop();
        await unmarkOpen(dataDir).catch((err: unknown) => log.warn({ err }, "store.mark_not_removed"));
        await store.close();
        lock.release();
      },
    };
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

/** @throws Error in plain words when the folder is another hub's, or cannot be written to */
function openFolder(dataDir: string): Lock {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // A folder that was there before may be readable for others.
    chmodSync(dataDir, 0o700);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return holdLock(join(dataDir, "hub.lock.db"));
  } catch (cause) {
    if (cause instanceof FolderInUse || !(cause instanceof Error && "code" in cause)) throw cause;
    throw unusableFolder(dataDir, String(cause.code), cause);
  }
}

/** An empty database beside the traces of a full one would begin to count anew, and ask every account for a new link. */
function assertNotLost(file: string, mark: KeptWatermark | null): void {
  if (mark !== null && !existsSync(file))
    throw new Error(
      `The database ${file} is gone, but a hub has run on this folder (watermark.json). ` +
        "Put the database back or restore a backup; to begin anew on purpose, remove watermark.json.",
    );
}

/** A copy is told that it is one, whether a restore put it there or somebody by hand. */
async function settleRestore({
  dataDir,
  store,
  restore,
  mark,
  hasLostItsLog,
  log,
}: {
  dataDir: string;
  store: Store;
  restore: Awaited<ReturnType<typeof finishRestore>>;
  mark: KeptWatermark | null;
  hasLostItsLog: boolean;
  log: Log;
}): Promise<void> {
  if (restore !== null) {
    await store.declareRestored(restore.since, restore);
    await writeWatermark(dataDir, { ...(await store.watermark()), isLast: false });
    await forgetRestore(dataDir);
  } else if (hasLostItsLog) {
    log.warn({}, "store.log_lost");
    await store.declareRestored(mark ?? (await store.watermark()), { areLoginsKnown: false });
    await writeWatermark(dataDir, { ...(await store.watermark()), isLast: false });
  } else if (mark !== null && isBehind(await store.watermark(), mark)) {
    log.warn({}, "store.older_than_its_watermark");
    await store.declareRestored(mark, { areLoginsKnown: mark.isLast });
    await writeWatermark(dataDir, { ...(await store.watermark()), isLast: false });
  }
}
