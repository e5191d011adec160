/** The media servers' disk: encrypted blobs by path. Messages carry the path and the key. */
import { createHash, randomBytes } from "node:crypto";
import { encryptMedia, type EncryptedMedia, type MediaKind } from "../crypto/media.ts";

export interface StoredMedia extends Omit<EncryptedMedia, "ciphertext"> {
  directPath: string;
  url: string;
}

export interface MediaStore {
  /** Encrypts an attachment and keeps it where a message can point. */
  put(kind: MediaKind, plaintext: Uint8Array): StoredMedia;
  /** Keeps bytes that are encrypted already. */
  putBlob(directPath: string, ciphertext: Buffer): void;
  newPath(): string;
  /** Remembers which attachment a message carries: its phone can be asked for it again. */
  carriedBy(messageId: string, stored: Pick<StoredMedia, "mediaKey" | "directPath">): void;
  keyOfMessage(messageId: string): Pick<StoredMedia, "mediaKey" | "directPath"> | undefined;
  get(path: string): Buffer | undefined;
  clear(): void;
}

/** The host that Baileys rc14 puts before a path (DEF_MEDIA_HOST). */
const MEDIA_HOST = "mmg.whatsapp.net";
export const mediaUrl = (directPath: string): string => `https://${MEDIA_HOST}${directPath}`;

export function createMediaStore(): MediaStore {
  const blobs = new Map<string, Buffer>();
  const carried = new Map<string, Pick<StoredMedia, "mediaKey" | "directPath">>();
  const newPath = (): string => `/v/t62.7118-24/${randomBytes(16).toString("hex")}.enc`;
  return {
    put(kind, plaintext) {
      const { ciphertext, ...keys } = encryptMedia(kind, plaintext);
      const directPath = newPath();
      blobs.set(directPath, ciphertext);
      return { ...keys, directPath, url: mediaUrl(directPath) };
    },
    putBlob: (directPath, ciphertext) => void blobs.set(directPath, ciphertext),
    newPath,
    carriedBy: (messageId, { mediaKey, directPath }) => void carried.set(messageId, { mediaKey, directPath }),
    keyOfMessage: (messageId) => carried.get(messageId),
    // Baileys and others append their own query.
    get: (path) => blobs.get(path.split("?")[0] ?? ""),
    clear: () => {
      blobs.clear();
      carried.clear();
    },
  };
}

/** Where an upload lands: named by its hash, as the client's path names it (base64url of the ciphertext's SHA-256). */
export const uploadPath = (ciphertext: Buffer): string =>
  `/o1/v/t24/f2/m234/${createHash("sha256").update(ciphertext).digest("base64url")}`;
