/**
 * Encryption at rest. Everything sealed is `version ‖ key id ‖ nonce ‖ tag ‖ data` under AES-256-GCM, bound to the place
 * it lives in. Each scope has a data key of its own; the master key seals only those.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import type { Cipher } from "../core/cipher.ts";
import type { VaultStore } from "../core/store.ts";

export interface Vault {
  /** Scope is `hub` or `session:<sessionId>`; its data key is made at the first use and then kept in memory. */
  cipher(scope: string): Promise<Cipher>;
}

const ALGORITHM = "aes-256-gcm";
const VERSION = 1;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_AT = 1 + KEY_ID_BYTES;
const TAG_AT = NONCE_AT + NONCE_BYTES;
const DATA_AT = TAG_AT + TAG_BYTES;

/** The scope that exists in every hub: opening its key proves the master key. */
const HUB_SCOPE = "hub";

/** Throws a plain-worded Error, and has written nothing, when the data was sealed under another master key. */
export async function createVault({
  masterKey,
  keys,
}: {
  masterKey: Uint8Array;
  keys: VaultStore;
}): Promise<Vault> {
  const master = cipherOf(masterKey);
  const known = await keys.dataKey(HUB_SCOPE);
  if (known !== null) unwrap(master, HUB_SCOPE, known);

  const ciphers = new Map<string, Promise<Cipher>>();

  async function openScope(scope: string): Promise<Cipher> {
    const wrapped = await keys.dataKey(scope);
    if (wrapped !== null) return cipherOf(unwrap(master, scope, wrapped));
    const key = randomBytes(KEY_BYTES);
    await keys.saveDataKey(scope, master.seal(wrappedPlace(scope), key));
    return cipherOf(key);
  }

  function cipher(scope: string): Promise<Cipher> {
    const opened = ciphers.get(scope);
    if (opened !== undefined) return opened;
    // One promise per scope: two callers at once must not make two keys. A failed read may be tried again.
    const opening = openScope(scope).catch((cause: unknown) => {
      ciphers.delete(scope);
      throw cause;
    });
    ciphers.set(scope, opening);
    return opening;
  }

  // At the first start this leaves the proof that later starts check the master key against.
  await cipher(HUB_SCOPE);
  return { cipher };
}

const wrappedPlace = (scope: string): string => `vault|${scope}`;

function unwrap(master: Cipher, scope: string, wrapped: Uint8Array): Uint8Array {
  try {
    return master.open(wrappedPlace(scope), wrapped);
  } catch (cause) {
    throw new Error(
      `The master key does not open the data key "${scope}": this data was sealed with another master key, ` +
        "or the key's row is damaged. Start the hub with the key it had before; nothing was changed.",
      { cause },
    );
  }
}

/** The first bytes of the key's hash: tells keys apart, says nothing about them. */
const keyIdOf = (key: Uint8Array): Buffer =>
  createHash("sha256").update(key).digest().subarray(0, KEY_ID_BYTES);

function cipherOf(bytes: Uint8Array): Cipher {
  if (bytes.length !== KEY_BYTES)
    throw new Error(`a key has ${KEY_BYTES} bytes, this one has ${bytes.length}`);
  const key = createSecretKey(bytes);
  const header = Buffer.concat([Buffer.of(VERSION), keyIdOf(bytes)]);
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
