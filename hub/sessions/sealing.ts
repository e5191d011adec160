/** Bytes under one key: `version ‖ key id ‖ nonce ‖ tag ‖ data`, AES-256-GCM, bound to the place they live in. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import type { Cipher } from "../core/cipher.ts";

const ALGORITHM = "aes-256-gcm";
const VERSION = 1;
export const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_AT = 1 + KEY_ID_BYTES;
const TAG_AT = NONCE_AT + NONCE_BYTES;
const DATA_AT = TAG_AT + TAG_BYTES;

/** The first bytes of the key's hash: tells keys apart, says nothing about them. */
const keyIdOf = (key: Uint8Array): Buffer =>
  createHash("sha256").update(key).digest().subarray(0, KEY_ID_BYTES);

const headerOf = (key: Uint8Array): Buffer => Buffer.concat([Buffer.of(VERSION), keyIdOf(key)]);

export const idOfKey = (key: Uint8Array): string => keyIdOf(key).toString("hex");

/** Which key these bytes say that sealed them. */
export const keyIdIn = (sealed: Uint8Array): string =>
  Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength).toString("hex", 1, NONCE_AT);

/** Whether these bytes say that this key sealed them. */
export const isSealedBy = (key: Uint8Array, sealed: Uint8Array): boolean =>
  Buffer.from(sealed).subarray(0, NONCE_AT).equals(headerOf(key));

export function cipherOf(bytes: Uint8Array): Cipher {
  if (bytes.length !== KEY_BYTES)
    throw new Error(`a key has ${KEY_BYTES} bytes, this one has ${bytes.length}`);
  const key = createSecretKey(bytes);
  const header = headerOf(bytes);
  return {
    seal: (place, plain) => seal(key, header, place, plain),
    open: (place, sealed) => open(key, header, place, sealed),
  };
}

function seal(key: KeyObject, header: Buffer, place: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(place));
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([header, nonce, cipher.getAuthTag(), data]);
}

function open(key: KeyObject, header: Buffer, place: string, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < DATA_AT) throw new Error("sealed bytes are cut short");
  if (bytes[0] !== VERSION) throw new Error(`sealed bytes of version ${String(bytes[0])} are not known here`);
  if (!bytes.subarray(0, NONCE_AT).equals(header)) throw new Error("sealed with another key");
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(NONCE_AT, TAG_AT), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(bytes.subarray(TAG_AT, DATA_AT));
  return Buffer.concat([decipher.update(bytes.subarray(DATA_AT)), decipher.final()]);
}
