/**
 * How far the hub has got, in a small file beside the database: a database that knows less than this file is a copy of an
 * earlier moment, whoever put it there.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "../core/durable-file.ts";
import type { Log } from "../core/log.ts";
import type { Store, Watermark } from "../core/store.ts";

const EVERY_MS = 60_000;
export const WATERMARK_FILE = "watermark.json";

export interface KeptWatermark extends Watermark {
  /** Written when the hub stopped: nothing was used after it. */
  isLast: boolean;
}

export const watermarkSchema = z.object({
  hubId: z.string(),
  epoch: z.int(),
  seq: z.int(),
  logins: z.array(
    z.object({
      sessionId: z.string(),
      fingerprint: z.string().nullable(),
      generation: z.int(),
      keyVersion: z.int(),
    }),
  ),
  isLast: z.boolean(),
}) satisfies z.ZodType<KeptWatermark>;

/** Null when there is none. @throws Error in plain words when it cannot be read */
export function readKeptWatermark(dataDir: string): KeptWatermark | null {
  const file = join(dataDir, WATERMARK_FILE);
  if (!existsSync(file)) return null;
  // A file that cannot be read is not damaged: whoever removed it would hide that the database is an older one.
  const written = readFileSync(file, "utf8");
  try {
    return watermarkSchema.parse(JSON.parse(written));
  } catch (cause) {
    throw new Error(
      `${file} is damaged: it tells whether the database is the newest one. If it is, remove ${WATERMARK_FILE} and start again.`,
      { cause },
    );
  }
}

export const writeWatermark = (dataDir: string, mark: KeptWatermark): Promise<void> =>
  writeDurably(join(dataDir, WATERMARK_FILE), JSON.stringify(mark));

/** The database lacks something that had happened before the watermark was written. */
export const isBehind = (now: Watermark, mark: Watermark): boolean =>
  now.hubId === mark.hubId &&
  (now.seq < mark.seq ||
    now.epoch < mark.epoch ||
    mark.logins.some((last) => {
      const login = now.logins.find(({ sessionId }) => sessionId === last.sessionId);
      return (login?.keyVersion ?? 0) < last.keyVersion || (login?.generation ?? 0) < last.generation;
    }));

export interface WatermarkKeeper {
  /** Now, beside the regular times; a failure is logged. */
  note(): void;
  /** The last one. */
  stop(): Promise<void>;
}

/** Resolves when the first one is on disk: nothing may be used before. */
export async function keepWatermark({
  dataDir,
  store,
  log,
}: {
  dataDir: string;
  store: Pick<Store, "watermark">;
  log: Log;
}): Promise<WatermarkKeeper> {
  let inOrder: Promise<void> = Promise.resolve();
  const write = async (isLast: boolean): Promise<void> =>
    writeWatermark(dataDir, { ...(await store.watermark()), isLast });
  const note = (): void => {
    inOrder = inOrder
      .then(() => write(false))
      .catch((err: unknown) => log.warn({ err }, "store.watermark_not_written"));
  };
  await write(false);
  const timer = setInterval(note, EVERY_MS);
  timer.unref();
  return {
    note,
    stop: async () => {
      clearInterval(timer);
      await inOrder;
      await write(true).catch((err: unknown) => log.warn({ err }, "store.watermark_not_written"));
    },
  };
}
