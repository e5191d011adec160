/** The bridge's memory as a file in its data folder, which no other bridge may use meanwhile. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { BridgeStartError } from "../errors.ts";
import type { Log } from "../log.ts";
import { bridgeDataSchema, emptyBridgeData, type BridgeState } from "./bridge-state.ts";
import { lockFolder, type FolderLock } from "./folder-lock.ts";
import { openKeptFile } from "./kept-file.ts";

/** @throws BridgeStartError when the folder cannot be used, or another bridge runs on it */
export async function openLowdbState({
  dir,
  clock,
  log,
}: {
  dir: string;
  clock: Clock;
  log: Log;
}): Promise<BridgeState> {
  const lock = await ownFolder(dir);
  const kept = await openKeptFile({
    file: join(dir, "bridge.json"),
    schema: bridgeDataSchema,
    empty: emptyBridgeData,
    clock,
    log,
  }).catch(async (cause: unknown) => {
    await lock.release();
    throw cause;
  });
  return {
    ...kept,
    close: async () => {
      try {
        await kept.close();
      } finally {
        await lock.release();
      }
    },
  };
}

const USELESS: Record<string, string> = {
  EEXIST: "is a file",
  ENOTDIR: "lies below a file",
  EACCES: "may not be written by this user",
  EPERM: "may not be written by this user",
  EROFS: "may not be written",
  ENOSPC: "is on a disk that is full",
};

async function ownFolder(dir: string): Promise<FolderLock> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return await lockFolder(dir);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const why = USELESS[code];
    if (why === undefined) throw cause;
    const problem = `The data folder ${dir} ${why} (${code}): set BRIDGE_DATA_DIR to a folder that the bridge may write.`;
    throw new BridgeStartError(problem, { cause });
  }
}
