/**
 * A backup as a file: a head that can be read without a key, and the copy in sealed pieces. Each piece is bound to the head and
 * to its place, and a last one says how many there are: none can be changed, left out, moved or cut off unseen.
 */
import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { z } from "zod";
import type { Cipher } from "../../core/cipher.ts";
import { watermarkSchema } from "../watermark.ts";

/** hourly and daily ones make room for newer ones; manual ones stay. */
export const BACKUP_KINDS = ["hourly", "daily", "manual"] as const;
export type BackupKind = (typeof BACKUP_KINDS)[number];

/** Seals the key of one file; what opens it needs the master key and nothing else. */
export type KeyForFile = (place: string) => { cipher: Cipher; wrapped: Uint8Array };
export type OpenFileKey = (place: string, wrapped: Uint8Array) => Cipher;

const headSchema = z.object({
  name: z.string(),
  kind: z.enum(BACKUP_KINDS),
  at: z.iso.datetime(),
  schema: z.int(),
  /** How far the hub had got. */
  watermark: watermarkSchema.omit({ isLast: true }),
  /** Size of the copy inside. */
  bytes: z.int(),
  wrapped: z.base64(),
});
export type BackupHead = z.output<typeof headSchema>;

const MAGIC = Buffer.from("InboxHubBackup1\n");
const PIECE_BYTES = 1024 * 1024;
/** Nonce, tag and header of a sealed piece, generously. */
const SEALED_EXTRA = 1024;
const HEAD_LIMIT = 16 * 1024 * 1024;

const placeOf = (head: Buffer): ((piece: string) => string) => {
  const digest = createHash("sha256").update(head).digest("hex");
  return (piece) => `backup|${digest}|${piece}`;
};

export async function writeContainer(
  file: string,
  plainFile: string,
  about: Omit<BackupHead, "wrapped" | "bytes">,
  keyForFile: KeyForFile,
): Promise<void> {
  const plain = await open(plainFile, "r");
  const target = await open(file, "wx", 0o600);
  try {
    const { cipher, wrapped } = keyForFile(`backup|${about.name}`);
    const { size } = await plain.stat();
    const head: BackupHead = { ...about, bytes: size, wrapped: Buffer.from(wrapped).toString("base64") };
    const headBytes = Buffer.from(JSON.stringify(head));
    await target.appendFile(Buffer.concat([MAGIC, sized(headBytes)]));
    const place = placeOf(headBytes);
    const buffer = Buffer.alloc(PIECE_BYTES);
    let n = 0;
    for (;;) {
      const { bytesRead } = await plain.read(buffer, 0, PIECE_BYTES);
      if (bytesRead === 0) break;
      await target.appendFile(sized(cipher.seal(place(String(n++)), buffer.subarray(0, bytesRead))));
    }
    await target.appendFile(sized(cipher.seal(place(`end ${n}`), Buffer.alloc(0))));
    await target.sync();
  } finally {
    await plain.close();
    await target.close();
  }
}

/** @throws Error in plain words when this is no backup */
export async function readHead(file: string): Promise<BackupHead> {
  const source = await open(file, "r");
  try {
    return (await takeHead(source)).head;
  } finally {
    await source.close();
  }
}

/**
 * Opens every piece and hands it on, in order. Only when it resolves was it the whole backup, unchanged.
 * @throws Error in plain words when it is not, or when the key does not fit
 */
export async function openContainer(
  file: string,
  openFileKey: OpenFileKey,
  take: (plain: Uint8Array) => Promise<void>,
): Promise<BackupHead> {
  const source = await open(file, "r");
  try {
    const { head, bytes } = await takeHead(source);
    const cipher = openFileKey(`backup|${head.name}`, Buffer.from(head.wrapped, "base64"));
    const place = placeOf(bytes);
    const pieces = Math.ceil(head.bytes / PIECE_BYTES);
    try {
      for (let n = 0; n < pieces; n++)
        await take(cipher.open(place(String(n)), await takeSized(source, PIECE_BYTES + SEALED_EXTRA)));
      cipher.open(place(`end ${pieces}`), await takeSized(source, SEALED_EXTRA));
    } catch (cause) {
      throw new Error(`The backup ${head.name} is damaged or cut short; take another one.`, { cause });
    }
    return head;
  } finally {
    await source.close();
  }
}

/** Into a new file, complete on disk when it resolves. */
export async function unpackContainer(
  file: string,
  plainFile: string,
  openFileKey: OpenFileKey,
): Promise<BackupHead> {
  const target = await open(plainFile, "wx", 0o600);
  try {
    const head = await openContainer(file, openFileKey, (piece) => target.appendFile(piece));
    await target.sync();
    return head;
  } finally {
    await target.close();
  }
}

async function takeHead(source: FileHandle): Promise<{ head: BackupHead; bytes: Buffer }> {
  try {
    if (!(await taken(source, MAGIC.length)).equals(MAGIC)) throw new Error("no such head");
    const bytes = await takeSized(source, HEAD_LIMIT);
    return { head: headSchema.parse(JSON.parse(bytes.toString("utf8"))), bytes };
  } catch (cause) {
    throw new Error("This file is no backup of Inbox Hub, or its beginning is damaged.", { cause });
  }
}

function sized(bytes: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

async function takeSized(source: FileHandle, limit: number): Promise<Buffer> {
  const size = (await taken(source, 4)).readUInt32BE();
  if (size > limit) throw new Error("a piece is too large");
  return taken(source, size);
}

async function taken(source: FileHandle, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await source.read(Buffer.alloc(bytes), 0, bytes);
  if (bytesRead !== bytes) throw new Error("the file ends too early");
  return buffer;
}
