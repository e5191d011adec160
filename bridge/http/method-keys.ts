/** The keys of the bridge's own callers, as a Frappe site has them: `key:secret`. The first one is made when none is given. */
import { randomBytes } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { readIfThere, syncFolder, writeSynced } from "../durable-file.ts";

/** `admin` may change things, `read` may look. */
export interface MethodKey {
  key: string;
  secret: string;
  role: "admin" | "read";
}

/** In the data folder: the key that was made because none was configured. */
export const METHOD_KEY_FILE = "method-key";

const METHOD_KEY = /^([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_-]{16,140})(?::(admin|read))?$/;

/** `key:secret` or `key:secret:role`; null when it is neither. */
export function parseMethodKey(text: string): MethodKey | null {
  const [, key, secret, role] = METHOD_KEY.exec(text) ?? [];
  if (key === undefined || secret === undefined) return null;
  return { key, secret, role: role === "read" ? "read" : "admin" };
}

/**
 * The key kept in `file`, made when there is none yet; `isNew` says that it must be shown now. An empty file is none: an
 * earlier bridge left one when its first start found no room on the disk.
 * @throws Error when the file holds something else: a key that is silently replaced would lock its callers out
 */
export async function ensureMethodKey(file: string): Promise<{ key: MethodKey; isNew: boolean }> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const made = `admin:${randomBytes(24).toString("base64url")}`;
  const kept = await keptIn(file);
  const isNew = kept === null;
  if (isNew) await put(file, `${made}\n`);
  const key = parseMethodKey(kept ?? made);
  if (key === null)
    throw new Error(`${file} holds no key of the form key:secret; correct it, or move it away.`);
  return { key, isNew };
}

async function keptIn(file: string): Promise<string | null> {
  const text = (await readIfThere(file))?.trim() ?? "";
  return text === "" ? null : text;
}

/** Whole or not at all. No other start comes between: whoever makes a key holds the folder. */
async function put(file: string, text: string): Promise<void> {
  const beside = `${file}.next`;
  try {
    await writeSynced(beside, text);
    await rename(beside, file);
    await syncFolder(dirname(file));
  } finally {
    await rm(beside, { force: true });
  }
}
