/**
 * That the newest backup was tried out by hand, and how it went. The command that does it beside a running hub must not write
 * into that hub's database: it leaves a note, which the hub enters into its book.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { doneBy } from "../core/audit.ts";
import { writeDurably } from "../core/durable-file.ts";
import { SAFEKEEPING_MARKS } from "../core/safekeeping-marks.ts";
import type { Store } from "../core/store.ts";

const noteSchema = z.object({
  at: z.iso.datetime().transform((text) => new Date(text)),
  backup: z.string(),
  ok: z.boolean(),
});
export type DrillNote = z.output<typeof noteSchema>;

const fileIn = (dataDir: string): string => join(dataDir, "drilled.json");

export const noteDrill = (dataDir: string, note: DrillNote): Promise<void> =>
  writeDurably(fileIn(dataDir), JSON.stringify(note));

/** Null when there is none, or none that can be read: then it was not tried out. */
export async function readDrillNote(dataDir: string): Promise<DrillNote | null> {
  const text = await readFile(fileIn(dataDir), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return noteSchema.parse(JSON.parse(text));
  } catch {
    return null; // not ours
  }
}

/** Into the audit log and the marks; answers the note, if there was one. */
export async function enterDrill({
  dataDir,
  audit,
  marks,
}: Pick<Store, "audit" | "marks"> & { dataDir: string }): Promise<DrillNote | null> {
  const note = await readDrillNote(dataDir);
  if (note === null) return null;
  const { at, backup, ok } = note;
  const name = SAFEKEEPING_MARKS.drill[ok ? "done" : "failed"];
  const last = await marks.get(name);
  if (last === null || last < at) {
    const entry = doneBy("operator", "backup.drilled", at, { target: backup });
    await audit.append({ ...entry, outcome: ok ? "done" : "failed" });
    await marks.set(name, at);
  }
  await rm(fileIn(dataDir), { force: true });
  return note;
}
