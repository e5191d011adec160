/** Something kept in one JSON file. A kill at any moment leaves the file as it was before a write, or as it is after. */
import { Low } from "lowdb";
import type { Kept } from "./kept.ts";
import { createStateFile, type StateFileOptions } from "./state-file.ts";

/** What was only noted is written after this: one write for many of them. */
const NOTED_MS = 200;

/** The file is made by the first write; its folder must be there by then. */
export async function openKeptFile<T extends object>(options: StateFileOptions<T>): Promise<Kept<T>> {
  const low = new Low<T>(createStateFile(options), options.empty());
  await low.read();

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

  const apply = (change: (data: T) => void): void => {
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
          options.log.warn({ err: cause }, "state.not_kept");
        });
      }, NOTED_MS);
    },
    // Whoever waited for a write that failed was told; the last word is tried once more.
    close: async () => {
      if (noted !== null) await save().catch(() => undefined);
      await running.catch(() => low.write());
    },
  };
}
