/** Synced app state, as the phone and the server keep it: per name one versioned, hashed collection of records. */
import { proto } from "@whiskeysockets/baileys";
import {
  type AppStateKey,
  type AppStateMutation,
  createAppStateCipher,
  type SealedRecord,
  valueMacOfBlob,
} from "./app-state-records.ts";
import { changeLtHash, EMPTY_LT_HASH } from "./lt-hash.ts";
import { encryptMedia } from "./media.ts";

export { appStateKeyShare, createAppStateKey } from "./app-state-key.ts";
export type { AppStateKey, AppStateMutation } from "./app-state-records.ts";

export type AcceptedPatch =
  | { outcome: "applied"; version: number; mutations: AppStateMutation[] }
  /** The client built on another version than this one: answer 409, and it fetches and tries again. */
  | { outcome: "conflict"; version: number };

export interface AppState {
  readonly key: AppStateKey;
  /** 0 before the first patch. */
  version(collection: string): number;
  /** Current content by JSON of the index. */
  entries(collection: string): ReadonlyMap<string, AppStateMutation>;
  /** The phone changes something: makes the next version and returns its SyncdPatch (version inside). */
  patch(collection: string, mutations: AppStateMutation[]): Buffer;
  /** SyncdPatches after that version, oldest first. */
  patchesSince(collection: string, version: number): Buffer[];
  /** SyncdSnapshot of the current version. */
  snapshot(collection: string): Buffer;
  /** The same as a download: ExternalBlobReference for `<snapshot>`, and the bytes to serve at the path. */
  snapshotBlob(collection: string, directPath: string): { reference: Buffer; ciphertext: Buffer };
  /** A SyncdPatch of the client: verified (all MACs, and so the hash) and kept, or a conflict. Throws when one is wrong. */
  accept(collection: string, baseVersion: number, patch: Uint8Array): AcceptedPatch;
}

interface Entry {
  mutation: AppStateMutation;
  record: SealedRecord;
}

interface Collection {
  ltHash: Buffer;
  /** By JSON of the index. */
  entries: Map<string, Entry>;
  /** The patch that made version n is at n - 1. */
  patches: Buffer[];
}

const { SET, REMOVE } = proto.SyncdMutation.SyncdOperation;

export function createAppState(key: AppStateKey): AppState {
  const cipher = createAppStateCipher(key);
  const keyId = { id: key.keyId };
  const collections = new Map<string, Collection>();
  const collectionOf = (name: string): Collection =>
    collections.get(name) ?? { ltHash: EMPTY_LT_HASH, entries: new Map(), patches: [] };

  const snapshot = (name: string) => {
    const { entries, ltHash, patches } = collectionOf(name);
    const version = patches.length;
    const records = [...entries.values()].map(({ record }) => toWire(record, keyId));
    const mac = cipher.snapshotMac(name, version, ltHash);
    return Buffer.from(proto.SyncdSnapshot.encode({ version: { version }, records, mac, keyId }).finish());
  };

  return {
    key,
    version: (name) => collectionOf(name).patches.length,
    entries: (name) => {
      const entries = [...collectionOf(name).entries];
      return new Map(entries.map(([index, { mutation }]) => [index, mutation]));
    },

    patch: (name, mutations) => {
      const collection = collectionOf(name);
      const version = collection.patches.length + 1;
      const changes = mutations.map((mutation) => ({ mutation, record: cipher.seal(mutation) }));
      const { ltHash, entries } = applied(collection, changes);
      const snapshotMac = cipher.snapshotMac(name, version, ltHash);
      const valueMacs = changes.map(({ record }) => record.valueMac);
      const bytes = proto.SyncdPatch.encode({
        version: { version },
        mutations: changes.map(({ mutation, record }) => ({
          operation: mutation.value === undefined ? REMOVE : SET,
          record: toWire(record, keyId),
        })),
        snapshotMac,
        patchMac: cipher.patchMac(name, version, snapshotMac, valueMacs),
        keyId,
      }).finish();
      const patches = [...collection.patches, Buffer.from(bytes)];
      collections.set(name, { ltHash, entries, patches });
      return Buffer.from(bytes);
    },

    patchesSince: (name, version) => collectionOf(name).patches.slice(version),
    snapshot,
    snapshotBlob: (name, directPath) => {
      const { ciphertext, mediaKey, fileSha256, fileEncSha256, fileLength } = encryptMedia(
        "app-state",
        snapshot(name),
      );
      const reference = { mediaKey, directPath, fileSha256, fileEncSha256, fileSizeBytes: fileLength };
      return { reference: Buffer.from(proto.ExternalBlobReference.encode(reference).finish()), ciphertext };
    },

    accept: (name, baseVersion, bytes) => {
      const collection = collectionOf(name);
      if (baseVersion !== collection.patches.length) {
        return { outcome: "conflict", version: collection.patches.length };
      }
      const version = baseVersion + 1;
      const patch = proto.SyncdPatch.decode(bytes);
      const changes = patch.mutations.map((mutation) => {
        const record = fromWire(mutation.record);
        const isRemoval = mutation.operation === REMOVE;
        return { mutation: cipher.open({ ...record, isRemoval }), record };
      });
      const { ltHash, entries } = applied(collection, changes);
      const snapshotMac = cipher.snapshotMac(name, version, ltHash);
      const valueMacs = changes.map(({ record }) => record.valueMac);
      requireEqual("snapshot MAC", snapshotMac, patch.snapshotMac);
      requireEqual("patch MAC", cipher.patchMac(name, version, snapshotMac, valueMacs), patch.patchMac);
      // The client leaves the version out; who fetches the patch later needs it.
      patch.version = { version };
      const patches = [...collection.patches, Buffer.from(proto.SyncdPatch.encode(patch).finish())];
      collections.set(name, { ltHash, entries, patches });
      return { outcome: "applied", version, mutations: changes.map(({ mutation }) => mutation) };
    },
  };
}

/** What a list of changes, in its order, makes of a collection. */
function applied(collection: Collection, changes: Entry[]): Pick<Collection, "ltHash" | "entries"> {
  const entries = new Map(collection.entries);
  const removed: Buffer[] = [];
  const added: Buffer[] = [];
  for (const change of changes) {
    const index = JSON.stringify(change.mutation.index);
    const before = entries.get(index);
    if (before) removed.push(before.record.valueMac);
    if (change.mutation.value === undefined) {
      entries.delete(index);
    } else {
      entries.set(index, change);
      added.push(change.record.valueMac);
    }
  }
  return { ltHash: changeLtHash(collection.ltHash, { removed, added }), entries };
}

const toWire = ({ indexMac, blob }: SealedRecord, keyId: proto.IKeyId): proto.ISyncdRecord => ({
  index: { blob: indexMac },
  value: { blob },
  keyId,
});

function fromWire(record: proto.ISyncdRecord | null | undefined): SealedRecord {
  const indexMac = record?.index?.blob;
  const blob = record?.value?.blob;
  if (!indexMac || !blob) throw new Error("an app state record without index or value");
  return {
    indexMac: Buffer.from(indexMac),
    blob: Buffer.from(blob),
    valueMac: Buffer.from(valueMacOfBlob(blob)),
  };
}

function requireEqual(what: string, expected: Buffer, actual: Uint8Array | null | undefined): void {
  if (!actual || !expected.equals(actual)) throw new Error(`wrong ${what} of an app state patch`);
}
