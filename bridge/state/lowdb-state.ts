/** The bridge's memory as a file in its data folder, which no other bridge may use meanwhile. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { bridgeDataSchema, emptyBridgeData, type BridgeState } from "./bridge-state.ts";
import { lockFolder } from "./folder-lock.ts";
import { openKeptFile } from "./kept-file.ts";

/** @throws Error in plain words when another bridge runs on this folder */
export async function openLowdbState({
  dir,
  clock,
  log,
}: {
  dir: string;
  clock: Clock;
  log: Log;
}): Promise<BridgeState> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(dir);
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
