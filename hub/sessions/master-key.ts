/**
 * Where the master key comes from: the configuration, or a file that only the hub's own user can read. While a new key takes
 * the place of an old one, both are known: the old one still seals what was not written anew yet.
 */
import { randomBytes } from "node:crypto";
import { existsSync, linkSync } from "node:fs";
import { readdir, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { syncFolder, writeDurably } from "../core/durable-file.ts";

const KEY_BYTES = 32;

/** Thirty-two bytes, written as 64 hex digits or as base64 (either alphabet). Throws an Error that says what is wrong. */
export function parseMasterKey(written: string): Uint8Array {
  const text = written.trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) {
    const key = Buffer.from(text, "base64");
    if (key.length === KEY_BYTES) return key;
  }
  throw new Error(`the master key must be ${KEY_BYTES} bytes, as 64 hex digits or as base64`);
}

export interface MasterKeys {
  masterKey: Uint8Array;
  /** May still seal some data keys. */
  previous: Uint8Array[];
}

/**
 * The key of the configuration if there is one, else the key in `file`, or the one that is to take its place. A missing file
 * is made only with `mayCreate`, which belongs to a hub without data: making a key beside data that an older one sealed
 * would hide the loss.
 */
export async function readMasterKeys({
  configured,
  configuredPrevious = null,
  file,
  mayCreate,
}: {
  configured: string | null;
  configuredPrevious?: string | null;
  file: string;
  mayCreate: boolean;
}): Promise<MasterKeys> {
  const previous = configuredPrevious === null ? [] : [parseMasterKey(configuredPrevious)];
  if (configured !== null) return { masterKey: parseMasterKey(configured), previous };
  const written = await readKeyFile(file);
  const next = await nextKey(file);
  if (written !== null)
    return next === null
      ? { masterKey: written, previous }
      : { masterKey: next, previous: [written, ...previous] };
  if (!mayCreate) {
    throw new Error(
      `The master key file ${file} is missing, and there is data that it sealed. ` +
        "Put the file back or set HUB_MASTER_KEY; nothing was changed.",
    );
  }
  const masterKey = randomBytes(KEY_BYTES);
  await writeDurably(file, written64(masterKey));
  return { masterKey, previous };
}

/** The key that is to take the place of the one in `file`; null when there is none. */
export const nextKey = (file: string): Promise<Uint8Array | null> => readKeyFile(`${file}.next`);

/** Lays a new key down beside the old one; it takes its place when everything is sealed with it. */
export async function layNextKey(file: string, key: Uint8Array = randomBytes(KEY_BYTES)): Promise<void> {
  if (!existsSync(`${file}.next`)) await writeDurably(`${file}.next`, written64(key));
}

/** Everything is sealed with the new key. The old one is kept: backups from before open with it. */
export async function adoptNextKey(file: string, now: Date): Promise<void> {
  if (!existsSync(`${file}.next`)) return;
  const aside = `${file}.until-${now.toISOString().replace(/[-:.]/g, "")}`;
  if (!existsSync(aside)) linkSync(file, aside);
  await rename(`${file}.next`, file);
  await syncFolder(path.dirname(file));
}

/** Keys that were in use before, newest first; for backups from their time. */
export async function formerKeys(file: string): Promise<Uint8Array[]> {
  const prefix = `${path.basename(file)}.until-`;
  const names = (await readdir(path.dirname(file))).filter((name) => name.startsWith(prefix));
  const keys: Uint8Array[] = [];
  for (const name of names.sort().reverse()) {
    const key = await readKeyFile(path.join(path.dirname(file), name));
    if (key !== null) keys.push(key);
  }
  return keys;
}

const written64 = (key: Uint8Array): string => `${Buffer.from(key).toString("hex")}\n`;

async function readKeyFile(file: string): Promise<Uint8Array | null> {
  let written: string;
  try {
    written = await readFile(file, "utf8");
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    if (cause.code === "ENOENT") return null;
    throw new Error(
      `The master key file ${file} cannot be read (${String(cause.code)}); the hub's own user must be able to.`,
      { cause },
    );
  }
  try {
    return parseMasterKey(written);
  } catch (cause) {
    throw new Error(
      `What is in ${file} is no master key: it must be 32 bytes, as 64 hex digits or as base64.`,
      {
        cause,
      },
    );
  }
}
