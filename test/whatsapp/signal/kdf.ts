/** The derivations that all of Signal's chains are made of, and its one cipher. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";

/** A position in a chain: `index` is that of the next message. */
export interface Chain {
  key: Buffer;
  index: number;
}

const MESSAGE_SEED = Buffer.from([1]);
const CHAIN_SEED = Buffer.from([2]);
const NO_SALT = Buffer.alloc(32);

export const hmacSha256 = (key: Uint8Array, data: Uint8Array) =>
  createHmac("sha256", key).update(data).digest();

export const messageSeed = (chain: Chain) => hmacSha256(chain.key, MESSAGE_SEED);

export const nextLink = (chain: Chain): Chain => ({
  key: hmacSha256(chain.key, CHAIN_SEED),
  index: chain.index + 1,
});

/** HKDF-SHA256. */
export function derive(secret: Uint8Array, info: string, length: number, salt: Uint8Array = NO_SALT): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, length));
}

export function encryptCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

export function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Buffer {
  const decipher = createDecipheriv("aes-256-cbc", key, iv);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}
