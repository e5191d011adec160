/** Bytes of media on disk: own names only, whole or not there. A file appears under its name after it is synced. */
import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { HubError } from "../core/errors.ts";
import { HEAD_BYTES } from "./media-kind.ts";

const MEDIA_ID = /^med_[0-9A-HJKMNP-TV-Z]{26}$/;
export const isMediaId = (text: string): boolean => MEDIA_ID.test(text);

export interface WrittenFile {
  size: number;
  /** Base64. */
  sha256: string;
  /** The first bytes, for telling what it is. */
  head: Uint8Array;
}

interface WriteRules {
  capBytes: number;
  tooBig: () => Error;
  /** Looks at the whole file before it gets its name. */
  verify?: (written: WrittenFile) => void | Promise<void>;
}

export interface MediaFiles {
  pathOf(mediaId: string): string;
  /** Size of a stored file, or null when its bytes are not on disk. */
  sizeOf(mediaId: string): Promise<number | null>;
  /** Streams bytes under this id. Beyond the cap, when the source fails or `verify` throws, nothing stays. */
  write(mediaId: string, bytes: Readable, rules: WriteRules): Promise<WrittenFile>;
  /** The same bytes under a second id, without copying them. */
  duplicate(mediaId: string, newId: string): Promise<void>;
  /** The first bytes of a stored file. */
  head(mediaId: string): Promise<Uint8Array>;
  remove(mediaId: string): Promise<void>;
  /** Deletes what a crash left half-written. */
  tidy(): Promise<void>;
}

export function createMediaFiles(dir: string): MediaFiles {
  const pathOf = (mediaId: string): string => {
    if (!isMediaId(mediaId)) throw new Error("not a media id"); // ids are parsed at the edge: this is a bug
    // The tail of an id is random, its head is the date: only the tail spreads files over folders.
    return join(dir, mediaId.slice(-2), mediaId);
  };

  return {
    pathOf,
    sizeOf: async (mediaId) => {
      const found = await stat(pathOf(mediaId)).catch(absent);
      return found === null ? null : found.size;
    },
    write: async (mediaId, bytes, rules) => {
      const path = pathOf(mediaId);
      // Two tries at one file (one given up, one new) must not write into each other.
      const part = `${path}.${randomBytes(4).toString("hex")}.part`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const file = await open(part, "wx", 0o600);
        try {
          const written = await pour(bytes, file, rules);
          await rules.verify?.(written);
          await file.sync();
          await rename(part, path);
          return written;
        } finally {
          await file.close();
        }
      } catch (error) {
        bytes.destroy();
        // Where even that is refused, what was refused first is what to tell; `tidy` takes the rest away.
        await rm(part, { force: true }).catch(() => undefined);
        throw diskFailure(error) ?? error;
      }
    },
    duplicate: async (mediaId, newId) => {
      const path = pathOf(newId);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await link(pathOf(mediaId), path);
    },
    head: async (mediaId) => {
      const file = await open(pathOf(mediaId), "r");
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
    remove: async (mediaId) => rm(pathOf(mediaId), { force: true }),
    tidy: async () => {
      const entries = await readdir(dir, { recursive: true }).catch(absent);
      for (const name of entries ?? [])
        if (name.endsWith(".part")) await rm(join(dir, name), { force: true });
    },
  };
}

async function pour(
  bytes: Readable,
  file: FileHandle,
  { capBytes, tooBig }: WriteRules,
): Promise<WrittenFile> {
  const hash = createHash("sha256");
  const heads: Buffer[] = [];
  let size = 0;
  for await (const piece of bytes) {
    // Streams of bytes are what every source here opens; text would be a bug of ours.
    const chunk = piece as Buffer;
    if (size < HEAD_BYTES) heads.push(chunk.subarray(0, HEAD_BYTES - size));
    size += chunk.length;
    if (size > capBytes) throw tooBig();
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  return { size, sha256: hash.digest("base64"), head: Buffer.concat(heads) };
}

const DISK_CODES = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "EMFILE", "ENFILE"]);

const codeOf = (error: unknown): string | null =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;

/** Our disk, not the file, is at fault: worth a repeat later. */
function diskFailure(error: unknown): HubError | null {
  if (error instanceof HubError || !DISK_CODES.has(codeOf(error) ?? "")) return null;
  return new HubError("STORE_UNAVAILABLE", "The hub cannot write files right now.", {
    retryAfterSeconds: 30,
    cause: error,
  });
}

function absent(error: unknown): null {
  if (codeOf(error) === "ENOENT") return null;
  throw error;
}
