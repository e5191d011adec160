/** The files of a hub that does not run. While one runs, they are its own. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../../hub/config.ts";
import { systemClock } from "../../hub/core/clock.ts";
import type { Log } from "../../hub/core/log.ts";
import type { Store } from "../../hub/core/store.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { FolderInUse } from "../../hub/store/sqlite/lock.ts";
import { CommandError } from "./command-error.ts";
import type { Desk } from "./desk.ts";

const nothing = (): void => undefined;
/** What a command did stands on the screen. */
export const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** What can be done with a folder; loaded when it is asked for, because it brings the WhatsApp library along. */
export const dataFolder = () => import("../../hub/safekeeping/data-folder.ts");

/** What the hub's own parts say in plain words is the command's answer. */
export async function inPlainWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new CommandError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Opens the store for one piece of work. @throws CommandError when a hub runs, or there is none */
export async function withStore<T>(desk: Desk, work: (store: Store) => Promise<T>): Promise<T> {
  const { dataDir, publicUrl } = readConfig(desk.env);
  if (!existsSync(join(dataDir, "hub.db")))
    throw new CommandError(`There is no hub in ${dataDir}. Check HUB_DATA_DIR.`);
  const store = await inPlainWords(
    openStore({ dataDir, publicUrl: publicUrl ?? "", clock: systemClock, log: silent }),
  );
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Does `work` unless a hub runs: then that hub is the only one to write, and finds out by itself. */
export async function unlessRunning(desk: Desk, work: (store: Store) => Promise<void>): Promise<void> {
  try {
    await withStore(desk, work);
  } catch (error) {
    if (!(error instanceof CommandError && error.cause instanceof FolderInUse)) throw error;
  }
}
