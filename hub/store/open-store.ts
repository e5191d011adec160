/** Opens the data folder of one hub: private, held by one process alone, and checked before anything is written. */
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import { finishRestore, forgetRestore } from "./backups/restore.ts";
import { holdLock } from "./sqlite/lock.ts";
import { checkFile } from "./sqlite/quick-check.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";
import { isBehind, readKeptWatermark, writeWatermark, type KeptWatermark } from "./watermark.ts";

export interface OpenStoreOptions {
  dataDir: string;
  publicUrl: string;
  clock: Clock;
  log: Log;
}

export async function openStore({ dataDir, publicUrl, clock, log }: OpenStoreOptions): Promise<Store> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // A folder that was there before may be readable for others.
  chmodSync(dataDir, 0o700);
  const lock = holdLock(join(dataDir, "hub.lock.db"));
  try {
    const restore = await finishRestore(dataDir);
    const mark = readKeptWatermark(dataDir);
    const file = join(dataDir, "hub.db");
    assertNotLost(file, mark);
    const checked = checkFile(file);
    const store = await openSqliteStore({ file, publicUrl, clock });
    await settleRestore({ dataDir, store, restore, mark, log });
    const { hubId } = await store.identity();
    log.info({ hubId, bytes: statSync(file).size, checked }, "store.opened");
    return {
      ...store,
      close: async () => {
        await store.close();
        lock.release();
      },
    };
  } catch (cause) {
    lock.release();
    throw cause;
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
  log,
}: {
  dataDir: string;
  store: Store;
  restore: Awaited<ReturnType<typeof finishRestore>>;
  mark: KeptWatermark | null;
  log: Log;
}): Promise<void> {
  if (restore !== null) {
    await store.declareRestored(restore.since, restore);
    await writeWatermark(dataDir, { ...(await store.watermark()), isLast: false });
    await forgetRestore(dataDir);
  } else if (mark !== null && isBehind(await store.watermark(), mark)) {
    log.warn({}, "store.older_than_its_watermark");
    await store.declareRestored(mark, { areLoginsKnown: mark.isLast });
    await writeWatermark(dataDir, { ...(await store.watermark()), isLast: false });
  }
}
