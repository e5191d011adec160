/** Where the master key comes from: the configuration, or a file that only the hub's own user can read. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { writeDurably } from "../core/durable-file.ts";

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

/**
 * The key of the configuration if there is one, else the key in `file`. A missing file is made only with `mayCreate`,
 * which belongs to a hub without data: making a key beside data that an older one sealed would hide the loss.
 */
export async function readMasterKey({
  configured,
  file,
  mayCreate,
}: {
  configured: string | null;
  file: string;
  mayCreate: boolean;
}): Promise<Uint8Array> {
  if (configured !== null) return parseMasterKey(configured);
  const written = await readIfThere(file);
  if (written !== null) return parseMasterKey(written);
  if (!mayCreate) {
    throw new Error(
      `The master key file ${file} is missing, and there is data that it sealed. ` +
        "Put the file back or set HUB_MASTER_KEY; nothing was changed.",
    );
  }
  const key = randomBytes(KEY_BYTES);
  await writeDurably(file, `${key.toString("hex")}\n`);
  return key;
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null;
    throw cause;
  }
}
