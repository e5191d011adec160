/** The bridge's memory in one JSON file. A kill at any moment leaves the file as it was before a write, or as it is after. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Low } from "lowdb";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { emptyBridgeData, type BridgeData, type BridgeState } from "./bridge-state.ts";
import { lockFolder } from "./folder-lock.ts";
import { createStateFile } from "./state-file.ts";

/** What was only noted is written after this: one write for many of them. */
const NOTED_MS = 200;

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
  const low = new Low<BridgeData>(
    createStateFile({ file: join(dir, "bridge.json"), clock, log }),
    emptyBridgeData(),
  );
  await low.read().catch(async (cause: unknown) => {
    await lock.release();
    throw cause;
  });

  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  let noted: NodeJS.Timeout | null = null;
  /** Changes that come while a write runs share the one after it. */
  const save = (): Promise<void> => {
    if (next !== null) return next;
    const write = async (): Promise<void> => {
      next = null;
      if (noted !== null) clearTimeout(noted);
      noted = null;
      await low.write();
    };
    // Whether the write before failed is told to those who waited for it; this one holds their changes too.
    next = running.then(write, write);
    running = next;
    return next;
  };

  const apply = (change: (data: BridgeData) => void): void => {
    const draft = structuredClone(low.data);
    change(draft);
    low.data = draft;
  };

  return {
    read: () => low.data,
    update: async (change) => {
      apply(change);
      await save();
    },
    note: (change) => {
      apply(change);
      noted ??= setTimeout(() => {
        save().catch((cause: unknown) => {
          log.warn({ err: cause }, "state.not_kept");
        });
      }, NOTED_MS);
    },
    // Whoever waited for a write that failed was told; the last word is tried once more.
    close: async () => {
      try {
        if (noted !== null) await save().catch(() => undefined);
        await running.catch(() => low.write());
      } finally {
        await lock.release();
      }
    },
  };
}
