import { expect, test } from "vitest";
import { initAuthCreds, proto } from "../../hub/whatsapp/baileys.ts";
import { LoginDamaged } from "../../hub/core/whatsapp.ts";
import { credsBytes, isPaired, loadCreds } from "../../hub/whatsapp/auth-state.ts";
import { createBaileysLog } from "../../hub/whatsapp/baileys-log.ts";
import { codecOf } from "../../hub/whatsapp/key-codec.ts";
import { silenceLibsignal } from "../../hub/whatsapp/libsignal-console.ts";
import { createUndecrypted } from "../../hub/whatsapp/undecrypted.ts";

const there = (type: string, value: unknown): unknown => {
  const codec = codecOf(type);
  return codec.decode(codec.encode(codec.hold(value)));
};

test("every kind of key comes back as it went", () => {
  const pair = { private: Buffer.alloc(32, 1), public: Buffer.alloc(32, 2) };
  expect(there("pre-key", pair)).toEqual(pair);
  expect(there("identity-key", Buffer.alloc(33, 5))).toEqual(Buffer.alloc(33, 5));
  expect(there("lid-mapping", "111222")).toBe("111222");
  expect(there("session", { _sessions: { a: { n: 1 } }, version: "v1" })).toEqual({
    _sessions: { a: { n: 1 } },
    version: "v1",
  });
  expect(there("sender-key-memory", { "1@lid": true })).toEqual({ "1@lid": true });
  const state = {
    version: 3,
    hash: Buffer.alloc(128, 1),
    indexValueMap: { "a=": { valueMac: Buffer.alloc(32) } },
  };
  expect(there("app-state-sync-version", state)).toEqual(state);
  expect(there("tctoken", { token: Buffer.of(1, 2), timestamp: "3" })).toEqual({
    token: Buffer.of(1, 2),
    timestamp: "3",
  });
  expect(there("a-kind-of-the-future", { a: Buffer.of(1) })).toEqual({ a: Buffer.of(1) });
});

test("an app-state key is read as the proto that Baileys wants", () => {
  const key = proto.Message.AppStateSyncKeyData.fromObject({ keyData: Buffer.alloc(32, 3), timestamp: 5 });
  const back = there("app-state-sync-key", key);
  expect(back).toBeInstanceOf(proto.Message.AppStateSyncKeyData);
  expect(Buffer.from((back as proto.Message.AppStateSyncKeyData).keyData ?? [])).toEqual(Buffer.alloc(32, 3));
});

test("a sender key's skipped messages come back as bytes, however they were written", () => {
  const record = JSON.stringify([
    {
      senderKeyId: 1,
      senderMessageKeys: [{ iteration: 2, seed: Buffer.of(7, 8, 9) }],
      empty: Buffer.alloc(0),
    },
  ]);
  for (const bytes of [
    codecOf("sender-key").decode(Buffer.from(record)),
    there("sender-key", Buffer.from(record)),
  ])
    expect(JSON.parse(String(bytes))).toEqual([
      {
        senderKeyId: 1,
        senderMessageKeys: [
          { iteration: 2, seed: { type: "Buffer", data: Buffer.of(7, 8, 9).toString("base64") } },
        ],
        empty: { type: "Buffer", data: "" },
      },
    ]);
});

test("what Baileys goes on changing is kept as it was when it was stored", () => {
  const devices = ["0"];
  const held = codecOf("device-list").hold(devices);
  devices.push("5");
  expect(held).toEqual(["0"]);
});

test("credentials come back with their bytes; damaged ones are never taken for none", async () => {
  const creds = initAuthCreds();
  creds.account = proto.ADVSignedDeviceIdentity.fromObject({
    details: Buffer.of(1),
    accountSignature: Buffer.alloc(64),
  });
  const rows: { sealed: Uint8Array | null } = { sealed: credsBytes(creds) };
  const load = () =>
    loadCreds({
      sessionId: "s1",
      auth: { creds: () => Promise.resolve(rows.sealed) },
      cipher: () => Promise.resolve({ seal: (_place, plain) => plain, open: (_place, sealed) => sealed }),
    });
  const back = await load();
  expect(Buffer.from(back?.noiseKey.private ?? [])).toEqual(Buffer.from(creds.noiseKey.private));
  expect(back?.account).toBeInstanceOf(proto.ADVSignedDeviceIdentity);
  expect(back !== null && isPaired(back)).toBe(true);
  rows.sealed = Buffer.from("{");
  await expect(load()).rejects.toThrow(LoginDamaged);
  rows.sealed = null;
  expect(await load()).toBeNull();
});

test("the library's log loses numbers, ids, keys and objects, and repeats are counted", () => {
  const lines: unknown[] = [];
  const write = (facts: object, event: string) => void lines.push({ ...facts, event });
  const log = createBaileysLog({ debug: write, info: write, warn: write, error: write }, "s1");
  log.info({ node: "secret" }, "quiet");
  log.error(
    { key: { remoteJid: "34600111222@s.whatsapp.net" }, err: new Error("no session for 34600111222.0") },
    "failed for 34600111222@s.whatsapp.net with 3EB0A1B2C3D4E5F60718",
  );
  log.error({}, "failed for 34600333444@s.whatsapp.net with 3EB0A1B2C3D4E5F60719");
  expect(lines).toEqual([
    {
      sessionId: "s1",
      event: "whatsapp.library",
      text: "failed for #@s.whatsapp.net with #",
      error: "no session for #.0",
    },
  ]);
  expect(log.child({}).level).toBe("warn");
});

test("libsignal's lines are dropped from the console, all others stay", () => {
  const seen: unknown[] = [];
  const target = {
    info: (...args: unknown[]) => void seen.push(args),
    warn: () => undefined,
    error: () => undefined,
  };
  const restore = silenceLibsignal(target);
  target.info("Closing session:", { privKey: "secret" });
  target.info("mine", 1);
  restore();
  target.info("Closing session:", 2);
  expect(seen).toEqual([
    ["mine", 1],
    ["Closing session:", 2],
  ]);
});

test("a message that arrives after all closes its earlier, unreadable stanzas, and only its own", () => {
  const undecrypted = createUndecrypted();
  const named = (id: string, chat: string, digest: number) => ({
    id,
    chat,
    participant: "",
    digest: Buffer.of(digest),
  });
  undecrypted.add(named("3A", "1@lid", 1));
  undecrypted.add(named("3A", "1@lid", 2));
  undecrypted.add(named("3A", "2@lid", 3));
  const arrived = {
    ...named("3A", "1:7@lid", 2),
    order: 1,
    seenAt: new Date(0),
    parts: [],
    again: false,
    restored: false,
  };
  const node = { tag: "message", attrs: {} };
  expect(undecrypted.solvedBy({ ...arrived, node })).toEqual([Buffer.of(1)]);
  expect(undecrypted.solvedById("3A")).toEqual([Buffer.of(3)]);
  expect(undecrypted.solvedById("3A")).toEqual([]);
});
