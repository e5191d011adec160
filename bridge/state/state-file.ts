/** One JSON file, replaced as a whole: written beside, forced to the disk, then renamed over the old one. */
import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Adapter } from "lowdb";
import type { z } from "zod";
import type { Clock } from "../clock.ts";
import { readIfThere, syncFolder, writeSynced } from "../durable-file.ts";
import { BridgeError } from "../errors.ts";
import type { Log } from "../log.ts";

export interface StateFileOptions<T> {
  file: string;
  schema: z.ZodType<T>;
  empty: () => T;
  clock: Clock;
  log: Log;
}

export function createStateFile<T extends object>({
  file,
  schema,
  empty,
  clock,
  log,
}: StateFileOptions<T>): Adapter<T> {
  const beside = `${file}.next`;

  /** What cannot be read is kept for a person to look at; the bridge begins anew. */
  const setAside = async (why: string): Promise<null> => {
    const keptAs = `${file}.unreadable-${clock.now().toISOString().replace(/[:.]/g, "-")}`;
    await rename(file, keptAs);
    log.error({ file, keptAs, why }, "state.unreadable");
    return null;
  };

  return {
    read: async () => {
      const text = await readIfThere(file);
      if (text === null) return null;
      const parsed = parseJson(text);
      if (parsed === undefined) return setAside("not JSON");
      // A file of an older bridge lacks what was added since.
      const result = schema.safeParse(isRecord(parsed) ? { ...empty(), ...parsed } : parsed);
      if (result.success) return result.data;
      const where = result.error.issues[0]?.path.slice(0, 1).join("") ?? "";
      return setAside(`wrong shape at ${where === "" ? "the top" : where}`);
    },
    write: async (data) => {
      try {
        await writeSynced(beside, JSON.stringify(data));
        await rename(beside, file);
        await syncFolder(dirname(file));
      } catch (cause) {
        throw notKept(cause);
      }
    },
  };
}

/** What a system refuses to write is a person's to mend, and no fault of ours. */
function notKept(cause: unknown): unknown {
  if (!(cause instanceof Error && "syscall" in cause && "code" in cause)) return cause;
  const code = String(cause.code);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new BridgeError(
      "DISK_FULL",
      `The disk of the bridge's data folder (BRIDGE_DATA_DIR) is full (${code}): make room there, and ask again.`,
      { cause },
    );
  return new BridgeError(
    "STATE_NOT_KEPT",
    `The bridge cannot write to its data folder (BRIDGE_DATA_DIR, ${code}): look at its disk and its rights, and ask again.`,
    { cause },
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
