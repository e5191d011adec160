/**
 * Encryption at rest. Everything sealed is `version ‖ key id ‖ nonce ‖ tag ‖ data` under AES-256-GCM, bound to the place
 * it lives in. Each scope has a data key of its own; the master key seals only those, so that a new master key means
 * writing a few small rows anew. While that is under way, rows of the old one and of the new one are both read. A data key
 * that has served long enough seals nothing new, and stays for what it sealed.
 */
import { randomBytes } from "node:crypto";
import type { Cipher } from "../core/cipher.ts";
import { HubError } from "../core/errors.ts";
import type { VaultStore } from "../core/store.ts";
import type { MasterKeys } from "./master-key.ts";
import { createKeyRing, readDataKey, writtenDataKey, type DataKey, type KeyRing } from "./key-ring.ts";
import { cipherOf, idOfKey, isSealedBy, KEY_BYTES } from "./sealing.ts";
import { createInOrder } from "./slots.ts";

export interface Vault {
  /** Scope is `hub` or `session:<sessionId>`; its data key is made at the first use and then kept in memory. */
  cipher(scope: string): Promise<Cipher>;
  /** A new data key for a scope whose own is lost; what that one sealed stays unreadable. */
  renew(scope: string): Promise<void>;
  /** A new data key for each scope whose own is so old; the others go on opening what they sealed. Returns how many. */
  renewOld(age: { now: Date; maxAgeMs: number }): Promise<number>;
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

/** Data keys that seal nothing new lie beside the one in use, under its scope and what sealed bytes call them. */
const FORMER = "#";
export const isFormerOf = (scope: string, name: string): boolean => name.startsWith(`${scope}${FORMER}`);
const isFormer = (name: string): boolean => name.includes(FORMER);

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

  const rings = new Map<string, Promise<KeyRing>>();
  const formerNames = new Set((await keys.scopes()).filter(isFormer));
  /** What reads a data key and writes it anew must not meet another that does. */
  const inOrder = createInOrder();

  const save = (name: string, dataKey: DataKey): Promise<void> =>
    keys.saveDataKey(name, master.seal(wrappedPlace(name), writtenDataKey(dataKey)));

  async function openRing(scope: string): Promise<KeyRing> {
    const wrapped = await keys.dataKey(scope);
    if (wrapped === null) return makeRing(scope);
    return createKeyRing(readDataKey(unwrap(masters, scope, wrapped)), await formerKeys(scope));
  }

  async function formerKeys(scope: string): Promise<DataKey[]> {
    const found: DataKey[] = [];
    for (const name of formerNames) {
      const wrapped = isFormerOf(scope, name) ? await keys.dataKey(name) : null;
      const former = wrapped === null ? null : openIfWhole(name, wrapped);
      if (former !== null) found.push(former);
    }
    return found;
  }

  /** Null when it is damaged: what it sealed cannot be read, and that is no reason to read nothing. */
  function openIfWhole(name: string, wrapped: Uint8Array): DataKey | null {
    try {
      return readDataKey(unwrap(masters, name, wrapped));
    } catch {
      return null;
    }
  }

  async function makeRing(scope: string): Promise<KeyRing> {
    const made = { key: randomBytes(KEY_BYTES), madeAt: null };
    await save(scope, made);
    return createKeyRing(made, await formerKeys(scope));
  }

  function keep(scope: string, opening: Promise<KeyRing>): Promise<KeyRing> {
    // One promise per scope: two callers at once must not make two keys. A failed read may be tried again.
    const kept = opening.catch((cause: unknown) => {
      rings.delete(scope);
      throw cause;
    });
    rings.set(scope, kept);
    return kept;
  }

  const ring = (scope: string): Promise<KeyRing> => rings.get(scope) ?? keep(scope, openRing(scope));
  const cipher = async (scope: string): Promise<Cipher> => (await ring(scope)).cipher;

  async function renewOld({ now, maxAgeMs }: { now: Date; maxAgeMs: number }): Promise<number> {
    let renewed = 0;
    for (const scope of (await keys.scopes()).filter((name) => !isFormer(name))) {
      const turning = await ring(scope).catch((cause: unknown) => {
        if (cause instanceof HubError) throw cause;
        return null; // damaged: its session will notice
      });
      if (turning === null) continue;
      const { key, madeAt } = turning.current();
      if (madeAt !== null && now.getTime() - madeAt.getTime() < maxAgeMs) continue;
      // One whose age nobody noted is young from now on.
      const next = { key: madeAt === null ? key : turning.freshKey(), madeAt: now };
      if (madeAt !== null) {
        // First: until the new one is written, the old one is only there twice.
        const former = `${scope}${FORMER}${idOfKey(key)}`;
        await save(former, { key, madeAt });
        formerNames.add(former);
        renewed++;
      }
      await save(scope, next);
      turning.turn(next);
    }
    return renewed;
  }

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
      await keep(scope, makeRing(scope));
    },
    renewOld: (age) => inOrder.add(() => renewOld(age)),
    forFile: (place) => {
      const key = randomBytes(KEY_BYTES);
      return { cipher: cipherOf(key), wrapped: master.seal(filePlace(place), key) };
    },
    openFile: (place, wrapped) => openFileKey(masters, place, wrapped),
    rotate: (next) =>
      inOrder.add(() => {
        master = cipherOf(next);
        masters = [next, ...masters];
        return finishRotation();
      }),
    finishRotation: () => inOrder.add(finishRotation),
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
