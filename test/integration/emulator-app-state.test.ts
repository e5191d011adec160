/** The emulator's app state against Baileys' readers and writers of it, with every MAC verified on both sides. */
import {
  decodePatches,
  decodeSyncdPatch,
  decodeSyncdSnapshot,
  encodeSyncdPatch,
  LT_HASH_ANTI_TAMPERING,
  type LTHashState,
  newLTHashState,
  proto,
  type WAPatchCreate,
  type WAPatchName,
} from "@whiskeysockets/baileys";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import pino from "pino";
import { expect, test } from "vitest";
import {
  appStateKeyShare,
  type AppStateMutation,
  createAppState,
  createAppStateKey,
} from "../whatsapp/crypto/app-state.ts";
import { changeLtHash, EMPTY_LT_HASH } from "../whatsapp/crypto/lt-hash.ts";
import { decryptMedia } from "../whatsapp/crypto/media.ts";

const CONTACTS = "critical_unblock_low";
const { SET, REMOVE } = proto.SyncdMutation.SyncdOperation;

const index = (action: string) => JSON.stringify([action, "1@lid"]);

const contact = (jid: string, fullName: string): AppStateMutation => ({
  index: ["contact", jid],
  value: { contactAction: { fullName }, timestamp: 1 },
  version: 2,
});

test("Baileys reads the address book from a snapshot", async () => {
  const { state, client } = phoneAndClient();
  state.patch(CONTACTS, [contact("1@lid", "Ana"), contact("2@lid", "Beto")]);
  state.patch(CONTACTS, [
    { index: ["contact", "1@lid"] },
    contact("2@lid", "Alberto"),
    contact("3@lid", "Carla"),
  ]);

  expect(await client.readSnapshot(CONTACTS, state.snapshot(CONTACTS))).toEqual(["Alberto", "Carla"]);
  expect(client.state(CONTACTS).version).toBe(2);
  expect(client.warnings).toEqual([]);
  expect([...state.entries(CONTACTS).keys()]).toEqual(['["contact","2@lid"]', '["contact","3@lid"]']);
});

test("a snapshot to download holds the same", async () => {
  const { state, client } = phoneAndClient();
  state.patch(CONTACTS, [contact("1@lid", "Ana")]);
  const { reference, ciphertext } = state.snapshotBlob(CONTACTS, "/v/snapshot");
  const { directPath, mediaKey } = proto.ExternalBlobReference.decode(reference);
  expect(directPath).toBe("/v/snapshot");
  const bytes = decryptMedia("app-state", ciphertext, mediaKey ?? Buffer.alloc(0));
  expect(await client.readSnapshot(CONTACTS, bytes)).toEqual(["Ana"]);
});

test("Baileys follows patch by patch: names, archive, mute, pin, read, removals", async () => {
  const { state, client } = phoneAndClient();
  state.patch("regular_low", [
    { index: ["archive", "1@lid"], value: { archiveChatAction: { archived: true } }, version: 3 },
    { index: ["pin_v1", "1@lid"], value: { pinAction: { pinned: true }, timestamp: 5 }, version: 5 },
  ]);
  state.patch("regular_low", [
    { index: ["markChatAsRead", "1@lid"], value: { markChatAsReadAction: { read: false } }, version: 3 },
    { index: ["pin_v1", "1@lid"] },
  ]);
  state.patch("regular_high", [
    { index: ["mute", "1@lid"], value: { muteAction: { muted: true, muteEndTimestamp: 99 } }, version: 2 },
  ]);
  const low = await client.readPatches("regular_low", state.patchesSince("regular_low", 0));
  expect(low).toMatchObject({
    [index("archive")]: { archiveChatAction: { archived: true } },
    [index("markChatAsRead")]: { markChatAsReadAction: { read: false } },
  });
  expect(await client.readPatches("regular_high", state.patchesSince("regular_high", 0))).toMatchObject({
    [index("mute")]: { muteAction: { muted: true } },
  });
  expect(client.warnings).toEqual([]);
  expect([client.state("regular_low").version, state.version("regular_low")]).toEqual([2, 2]);

  state.patch("regular_low", [
    { index: ["archive", "1@lid"], value: { archiveChatAction: { archived: false } } },
  ]);
  const news = state.patchesSince("regular_low", 2);
  expect(news).toHaveLength(1);
  expect(await client.readPatches("regular_low", news)).toMatchObject({
    [index("archive")]: { archiveChatAction: { archived: false } },
  });
  expect(client.warnings).toEqual([]);
});

test("what Baileys writes is verified, kept, and read by the next companion", async () => {
  const { state, client } = phoneAndClient();
  const chat = (archived: boolean): WAPatchCreate => ({
    type: "regular_low",
    index: ["archive", "1@lid"],
    syncAction: { archiveChatAction: { archived }, timestamp: 7 },
    apiVersion: 3,
    operation: SET,
  });
  for (const archived of [true, false]) {
    const base = client.state("regular_low").version;
    const accepted = state.accept("regular_low", base, await client.writes(chat(archived)));
    expect(accepted).toMatchObject({
      outcome: "applied",
      version: base + 1,
      mutations: [{ index: ["archive", "1@lid"], value: { archiveChatAction: { archived } }, version: 3 }],
    });
  }
  const late = state.accept("regular_low", 0, await client.writes(chat(true)));
  expect(late).toEqual({ outcome: "conflict", version: 2 });

  const next = phoneAndClient(state.key).client;
  await next.readPatches("regular_low", state.patchesSince("regular_low", 0));
  expect(next.state("regular_low").version).toBe(2);
  expect(next.warnings).toEqual([]);
});

test("a removal by Baileys takes the entry away", async () => {
  const { state, client } = phoneAndClient();
  state.patch(CONTACTS, [contact("1@lid", "Ana"), contact("2@lid", "Beto")]);
  await client.readSnapshot(CONTACTS, state.snapshot(CONTACTS));
  const patch = {
    type: CONTACTS,
    index: ["contact", "1@lid"],
    syncAction: {},
    apiVersion: 2,
    operation: REMOVE,
  } as const;
  const bytes = await client.writes({ ...patch, index: [...patch.index] });
  expect(state.accept(CONTACTS, 1, bytes)).toMatchObject({ mutations: [{ index: ["contact", "1@lid"] }] });
  expect([...state.entries(CONTACTS).keys()]).toEqual(['["contact","2@lid"]']);
});

test("a patch with anything changed in it is refused, by the phone and by Baileys", async () => {
  const { state, client } = phoneAndClient();
  const other = createAppState(state.key);
  const patch = proto.SyncdPatch.decode(other.patch(CONTACTS, [contact("1@lid", "Ana")]));
  const record = patch.mutations[0]?.record;
  for (const secret of [patch.patchMac, patch.snapshotMac, record?.value?.blob, record?.index?.blob]) {
    if (!secret) throw new Error("the patch lacks a part");
    flipBit(secret);
    const bytes = proto.SyncdPatch.encode(patch).finish();
    expect(() => state.accept(CONTACTS, 0, bytes)).toThrow("wrong");
    expect(await client.readPatches(CONTACTS, [bytes]).catch(() => ({}))).toEqual({});
    flipBit(secret);
  }
  expect(state.accept(CONTACTS, 0, proto.SyncdPatch.encode(patch).finish())).toMatchObject({
    outcome: "applied",
  });
});

test("the key is handed over in the form that Baileys takes", () => {
  const key = createAppStateKey();
  const message = proto.Message.decode(proto.Message.encode(appStateKeyShare([key])).finish());
  const [shared] = message.protocolMessage?.appStateSyncKeyShare?.keys ?? [];
  expect(Buffer.from(shared?.keyId?.keyId ?? [])).toEqual(key.keyId);
  expect(Buffer.from(shared?.keyData?.keyData ?? [])).toEqual(key.keyData);
});

test("the hash equals that of the bridge, whatever is added and removed", () => {
  const member = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.array(member), fc.array(member), (added, removed) => {
      const expected = LT_HASH_ANTI_TAMPERING.subtractThenAdd(EMPTY_LT_HASH, removed, added);
      const hash = changeLtHash(EMPTY_LT_HASH, { removed, added });
      expect(hash).toEqual(Buffer.from(expected));
      expect(changeLtHash(hash, { removed: added, added: removed })).toEqual(EMPTY_LT_HASH);
    }),
  );
  expect(changeLtHash(EMPTY_LT_HASH, { removed: [], added: [randomBytes(32)] })).not.toEqual(EMPTY_LT_HASH);
});

function flipBit(bytes: Uint8Array): void {
  bytes.set([Buffer.from(bytes).readUInt8(3) ^ 1], 3);
}

/** The phone's app state, and Baileys' functions with the state that a socket would keep for them. */
function phoneAndClient(key = createAppStateKey()) {
  const warnings: unknown[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => void warnings.push(line) });
  const states = new Map<string, LTHashState>();
  const stateOf = (name: string) => states.get(name) ?? newLTHashState();
  const keyId = key.keyId.toString("base64");
  const keyOf = (id: string) => Promise.resolve(id === keyId ? { keyData: key.keyData } : undefined);

  const client = {
    warnings,
    state: stateOf,
    readSnapshot: async (name: WAPatchName, bytes: Uint8Array) => {
      const snapshot = proto.SyncdSnapshot.decode(bytes);
      const { state, mutationMap } = await decodeSyncdSnapshot(
        name,
        snapshot,
        keyOf,
        undefined,
        true,
        logger,
      );
      states.set(name, state);
      return Object.values(mutationMap).map(({ syncAction }) => syncAction.value?.contactAction?.fullName);
    },
    readPatches: async (name: WAPatchName, patches: Uint8Array[]) => {
      const decoded = patches.map((bytes) => proto.SyncdPatch.decode(bytes));
      for (const patch of decoded) await decodeSyncdPatch(patch, name, stateOf(name), keyOf, () => {}, true);
      const read = await decodePatches(name, decoded, stateOf(name), keyOf, {}, undefined, logger, true);
      states.set(name, read.state);
      const entries = Object.entries(read.mutationMap);
      return Object.fromEntries(entries.map(([index, { syncAction }]) => [index, syncAction.value]));
    },
    writes: async (create: WAPatchCreate) => {
      const { patch, state } = await encodeSyncdPatch(create, keyId, stateOf(create.type), keyOf);
      states.set(create.type, state);
      return proto.SyncdPatch.encode(patch).finish();
    },
  };
  return { state: createAppState(key), client };
}
