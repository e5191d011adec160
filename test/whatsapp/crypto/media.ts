/** Encrypted attachments of WhatsApp: what lies on its media servers, and the keys that the messages carry. */
import { createHash, randomBytes } from "node:crypto";
import { decryptCbc, derive, encryptCbc, hmacSha256 } from "../signal/kdf.ts";

/** Name in the key derivation. What shares one (stickers and images, voice notes and audio) is the same to the cipher. */
const KEY_NAMES = {
  image: "Image",
  sticker: "Image",
  video: "Video",
  audio: "Audio",
  document: "Document",
  history: "History",
  "app-state": "App State",
  "image-thumbnail": "Image Thumbnail",
  "video-thumbnail": "Video Thumbnail",
  "document-thumbnail": "Document Thumbnail",
  "link-thumbnail": "Link Thumbnail",
};

export type MediaKind = keyof typeof KEY_NAMES;

export interface EncryptedMedia {
  mediaKey: Buffer;
  fileSha256: Buffer;
  fileEncSha256: Buffer;
  /** Length of the plaintext. */
  fileLength: number;
  /** What is uploaded and downloaded: AES-CBC, then 10 bytes of MAC. */
  ciphertext: Buffer;
}

const MAC_LENGTH = 10;

export function encryptMedia(
  kind: MediaKind,
  plaintext: Uint8Array,
  mediaKey: Buffer = randomBytes(32),
): EncryptedMedia {
  const { iv, cipherKey, macKey } = mediaKeys(kind, mediaKey);
  const encrypted = encryptCbc(cipherKey, iv, plaintext);
  const ciphertext = Buffer.concat([encrypted, macOf(macKey, iv, encrypted)]);
  return {
    mediaKey,
    fileSha256: sha256(plaintext),
    fileEncSha256: sha256(ciphertext),
    fileLength: plaintext.length,
    ciphertext,
  };
}

/** Throws when the MAC is wrong. */
export function decryptMedia(kind: MediaKind, ciphertext: Uint8Array, mediaKey: Uint8Array): Buffer {
  const { iv, cipherKey, macKey } = mediaKeys(kind, mediaKey);
  const encrypted = ciphertext.subarray(0, -MAC_LENGTH);
  if (!macOf(macKey, iv, encrypted).equals(ciphertext.subarray(-MAC_LENGTH))) {
    throw new Error("wrong MAC of a media file");
  }
  return decryptCbc(cipherKey, iv, encrypted);
}

function mediaKeys(kind: MediaKind, mediaKey: Uint8Array) {
  const bytes = derive(mediaKey, `WhatsApp ${KEY_NAMES[kind]} Keys`, 112);
  return { iv: bytes.subarray(0, 16), cipherKey: bytes.subarray(16, 48), macKey: bytes.subarray(48, 80) };
}

const macOf = (macKey: Buffer, iv: Buffer, encrypted: Uint8Array) =>
  hmacSha256(macKey, Buffer.concat([iv, encrypted])).subarray(0, MAC_LENGTH);

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
