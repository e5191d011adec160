/** Single records of synced app state and the MACs around them: what holds the two ends of a collection together. */
import { createHmac, randomBytes } from "node:crypto";
import { proto } from "@whiskeysockets/baileys";
import { decryptCbc, derive, encryptCbc, hmacSha256 } from "../signal/kdf.ts";

export interface AppStateKey {
  readonly keyId: Buffer;
  readonly keyData: Buffer;
  /** Milliseconds. */
  readonly timestamp: number;
}

/** One change in the clear. Without a value it removes the index. */
export interface AppStateMutation {
  index: string[];
  value?: proto.ISyncActionValue;
  /** Version of the action, not of the collection. */
  version?: number;
}

export interface SealedRecord {
  indexMac: Buffer;
  /** IV, ciphertext and value MAC: the record's value blob. */
  blob: Buffer;
  valueMac: Buffer;
}

/** What is done with an app state key. */
export interface AppStateCipher {
  seal(mutation: AppStateMutation): SealedRecord;
  /** Throws when the record is not what it claims to be. */
  open(record: { indexMac: Uint8Array; blob: Uint8Array; isRemoval: boolean }): AppStateMutation;
  snapshotMac(collection: string, version: number, ltHash: Buffer): Buffer;
  patchMac(collection: string, version: number, snapshotMac: Uint8Array, valueMacs: Uint8Array[]): Buffer;
}

const IV_LENGTH = 16;
const VALUE_MAC_LENGTH = 32;

export function createAppStateCipher({ keyId, keyData }: AppStateKey): AppStateCipher {
  const keys = derive(keyData, "WhatsApp Mutation Keys", 160);
  const [indexKey, valueKey] = [keys.subarray(0, 32), keys.subarray(32, 64)];
  const [valueMacKey, snapshotMacKey] = [keys.subarray(64, 96), keys.subarray(96, 128)];
  const patchMacKey = keys.subarray(128);

  const valueMacOf = (isRemoval: boolean, encrypted: Uint8Array) => {
    const associated = Buffer.concat([Uint8Array.of(isRemoval ? 2 : 1), keyId]);
    const covered = Buffer.concat([associated, encrypted, uint64(associated.length)]);
    return createHmac("sha512", valueMacKey).update(covered).digest().subarray(0, VALUE_MAC_LENGTH);
  };

  return {
    seal: ({ index, value, version = 1 }) => {
      const indexBytes = Buffer.from(JSON.stringify(index));
      const data = { index: indexBytes, value: value ?? {}, padding: new Uint8Array(), version };
      const iv = randomBytes(IV_LENGTH);
      const plaintext = proto.SyncActionData.encode(data).finish();
      const encrypted = Buffer.concat([iv, encryptCbc(valueKey, iv, plaintext)]);
      const valueMac = valueMacOf(value === undefined, encrypted);
      return {
        indexMac: hmacSha256(indexKey, indexBytes),
        blob: Buffer.concat([encrypted, valueMac]),
        valueMac,
      };
    },

    open: ({ indexMac, blob, isRemoval }) => {
      const encrypted = blob.subarray(0, -VALUE_MAC_LENGTH);
      if (!valueMacOf(isRemoval, encrypted).equals(valueMacOfBlob(blob))) throw new Error("wrong value MAC");
      const plaintext = decryptCbc(valueKey, encrypted.subarray(0, IV_LENGTH), encrypted.subarray(IV_LENGTH));
      const { index, value, version } = proto.SyncActionData.decode(plaintext);
      const indexBytes = Buffer.from(index ?? []);
      if (!hmacSha256(indexKey, indexBytes).equals(indexMac)) throw new Error("wrong index MAC");
      return {
        index: parseIndex(indexBytes),
        ...(isRemoval ? {} : { value: value ?? {} }),
        version: version ?? 1,
      };
    },

    snapshotMac: (collection, version, ltHash) =>
      hmacSha256(snapshotMacKey, Buffer.concat([ltHash, uint64(version), Buffer.from(collection)])),

    patchMac: (collection, version, snapshotMac, valueMacs) =>
      hmacSha256(
        patchMacKey,
        Buffer.concat([snapshotMac, ...valueMacs, uint64(version), Buffer.from(collection)]),
      ),
  };
}

export const valueMacOfBlob = (blob: Uint8Array) => blob.subarray(-VALUE_MAC_LENGTH);

function parseIndex(bytes: Buffer): string[] {
  const index: unknown = JSON.parse(bytes.toString());
  if (!Array.isArray(index) || !index.every((part) => typeof part === "string")) {
    throw new Error("an app state index that is not a list of strings");
  }
  return index;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
