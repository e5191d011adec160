/**
 * Encryption at rest. Everything sealed is `version ‖ key id ‖ nonce ‖ tag ‖ data` under AES-256-GCM, bound to the place
 * it lives in. Each scope has a data key of its own; the master key seals only those, so that a new master key means
 * writing a few small rows anew. While that is under way, rows of the old one and of the new one are both read.
 */
import { randomBytes } from "node:crypto";
import type { Cipher } from "../core/cipher.ts";
import { HubError } from "../core/errors.ts";
import type { VaultStore } from "../core/store.ts";
import type { MasterKeys } from "./master-key.ts";
import { cipherOf, isSealedBy, KEY_BYTES } from "./sealing.ts";

export interface Vault {
  /** Scope is `hub` or `session:<sessionId>`; its data key is made at the first use and then kept in memory. */
  cipher(scope: string): Promise<Cipher>;
  /** A new data key for a scope whose own is lost; what that one sealed stays unreadable. */
  renew(scope: string): Promise<void>;
  /** A cipher for a file that must be readable without this database, and its key, sealed by the master key. */
  forFile(place: string): { cipher: Cipher; wrapped: Uint8Array };
  /** What `forFile` made, opened again. */
  openFile(place: string, wrapped: Uint8Array): Cipher;
  /** Seals all data keys with this master key from now on; see `finishRotation`. */
  rotate(masterKey: Uint8Array): Promise<Rotation>;
  /** Seals with the present master key whatever an older one still seals. */
  finishRotation(): Promise<Rotation>;
}

export interface Rotation {
  rewrapped: number;
  /** Scopes whose data key opens with none of the master keys; left as they are. */
  unreadable: string[];
}

/** The scope that exists in every hub: opening its key proves the master key. */
const HUB_SCOPE = "hub";

/** Throws a plain-worded Error when the data was sealed under none of these; for a look before anything is opened. */
export function assertMasterKey({ masterKey, previous }: MasterKeys, wrapped: Uint8Array): void {
  unwrap([masterKey, ...previous], HUB_SCOPE, wrapped);
}

/**
 * `previous`: master keys that may still seal some data keys. Throws a plain-worded Error, and has written nothing, when
 * the data was sealed under none of them.
 */
export async function createVault({
  masterKey,
  previous = [],
  keys,
}: {
  masterKey: Uint8Array;
  previous?: Uint8Array[];
  keys: VaultStore;
}): Promise<Vault> {
  let master = cipherOf(masterKey);
  let masters = [masterKey, ...previous];
  const known = await keys.dataKey(HUB_SCOPE);
  if (known !== null) unwrap(masters, HUB_SCOPE, known);

  const ciphers = new Map<string, Promise<Cipher>>();

  async function openScope(scope: string): Promise<Cipher> {
    const wrapped = await keys.dataKey(scope);
    return wrapped === null ? makeKey(scope) : cipherOf(unwrap(masters, scope, wrapped));
  }

  async function makeKey(scope: string): Promise<Cipher> {
    const key = randomBytes(KEY_BYTES);
    await keys.saveDataKey(scope, master.seal(wrappedPlace(scope), key));
    return cipherOf(key);
  }

  function keep(scope: string, opening: Promise<Cipher>): Promise<Cipher> {
    // One promise per scope: two callers at once must not make two keys. A failed read may be tried again.
    const kept = opening.catch((cause: unknown) => {
      ciphers.delete(scope);
      throw cause;
    });
    ciphers.set(scope, kept);
    return kept;
  }

  const cipher = (scope: string): Promise<Cipher> => ciphers.get(scope) ?? keep(scope, openScope(scope));

  async function finishRotation(): Promise<Rotation> {
    const [current = masterKey] = masters;
    const rotation: Rotation = { rewrapped: 0, unreadable: [] };
    for (const scope of await keys.scopes()) {
      const wrapped = await keys.dataKey(scope);
      if (wrapped === null || isSealedBy(current, wrapped)) continue;
      try {
        const key = unwrap(masters, scope, wrapped);
        await keys.saveDataKey(scope, master.seal(wrappedPlace(scope), key));
        rotation.rewrapped++;
      } catch (cause) {
        if (cause instanceof HubError) throw cause;
        // One damaged row, which its session will notice, must not keep all others on the old key.
        rotation.unreadable.push(scope);
      }
    }
    return rotation;
  }

  // At the first start this leaves the proof that later starts check the master key against.
  await cipher(HUB_SCOPE);
  return {
    cipher,
    renew: async (scope) => {
      await keep(scope, makeKey(scope));
    },
    forFile: (place) => {
      const key = randomBytes(KEY_BYTES);
      return { cipher: cipherOf(key), wrapped: master.seal(filePlace(place), key) };
    },
    openFile: (place, wrapped) => openFileKey(masters, place, wrapped),
    rotate: (next) => {
      master = cipherOf(next);
      masters = [next, ...masters];
      return finishRotation();
    },
    finishRotation,
  };
}

const wrappedPlace = (scope: string): string => `vault|${scope}`;
const filePlace = (place: string): string => `file|${place}`;

/** The cipher of a file made with `forFile`. @throws Error in plain words when none of the master keys opens it */
export function openFileKey(masterKeys: Uint8Array[], place: string, wrapped: Uint8Array): Cipher {
  for (const masterKey of masterKeys)
    if (isSealedBy(masterKey, wrapped)) return cipherOf(cipherOf(masterKey).open(filePlace(place), wrapped));
  throw new Error(`${place} was sealed under another master key. Use the key the hub had when it was made.`);
}

function unwrap(masters: Uint8Array[], scope: string, wrapped: Uint8Array): Uint8Array {
  const [first, ...others] = masters;
  const fitting = others.find((each) => isSealedBy(each, wrapped)) ?? first;
  try {
    if (fitting === undefined) throw new Error("there is no master key");
    return cipherOf(fitting).open(wrappedPlace(scope), wrapped);
  } catch (cause) {
    throw new Error(
      `The master key does not open the data key "${scope}": this data was sealed with another master key, ` +
        "or the key's row is damaged. Start the hub with the key it had before; nothing was changed.",
      { cause },
    );
  }
}
