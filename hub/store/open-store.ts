/** Opens the data folder of one hub: private, held by one process alone, and checked before anything is written. */
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import { holdLock } from "./sqlite/lock.ts";
import { checkFile } from "./sqlite/quick-check.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";

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
    const file = join(dataDir, "hub.db");
    const checked = checkFile(file);
    const store = await openSqliteStore({ file, publicUrl, clock });
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
