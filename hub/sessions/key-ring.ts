/** The data keys of one scope: what is new is sealed with the newest, and each of them opens what it sealed. */
import { randomBytes } from "node:crypto";
import type { Cipher } from "../core/cipher.ts";
import { cipherOf, idOfKey, KEY_BYTES, keyIdIn } from "./sealing.ts";

export interface DataKey {
  key: Uint8Array;
  /** Null: nobody noted it. */
  madeAt: Date | null;
}

const DATE_BYTES = 8;

/** As it is sealed by the master key: the key, and when it was made if that is known. */
export function writtenDataKey({ key, madeAt }: DataKey): Uint8Array {
  if (madeAt === null) return key;
  const date = Buffer.alloc(DATE_BYTES);
  date.writeBigInt64BE(BigInt(madeAt.getTime()));
  return Buffer.concat([key, date]);
}

export function readDataKey(written: Uint8Array): DataKey {
  const bytes = Buffer.from(written);
  const isDated = bytes.length === KEY_BYTES + DATE_BYTES;
  return {
    key: isDated ? bytes.subarray(0, KEY_BYTES) : bytes,
    madeAt: isDated ? new Date(Number(bytes.readBigInt64BE(KEY_BYTES))) : null,
  };
}

export interface KeyRing {
  /** Stays the same when the ring turns. */
  cipher: Cipher;
  current(): DataKey;
  /** A key that none of them is mistaken for. */
  freshKey(): Uint8Array;
  /** From now on things are sealed with this one; it has to be on disk. */
  turn(next: DataKey): void;
}

export function createKeyRing(first: DataKey, former: DataKey[]): KeyRing {
  const ciphers = new Map(former.map(({ key }) => [idOfKey(key), cipherOf(key)]));
  let current = first;
  let sealing = cipherOf(first.key);
  ciphers.set(idOfKey(first.key), sealing);
  return {
    cipher: {
      seal: (place, plain) => sealing.seal(place, plain),
      open: (place, sealed) => {
        const fitting = ciphers.size === 1 ? sealing : (ciphers.get(keyIdIn(sealed)) ?? sealing);
        return fitting.open(place, sealed);
      },
    },
    current: () => current,
    freshKey: () => {
      let key = randomBytes(KEY_BYTES);
      while (ciphers.has(idOfKey(key))) key = randomBytes(KEY_BYTES);
      return key;
    },
    turn: (next) => {
      current = next;
      sealing = cipherOf(next.key);
      ciphers.set(idOfKey(next.key), sealing);
    },
  };
}
