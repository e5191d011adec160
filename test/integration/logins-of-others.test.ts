/** Logins that come from other programs' folders, and go back into one: the same device before and after. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { BufferJSON, initAuthCreds, proto } from "../../hub/whatsapp/baileys.ts";
import { exportLogin, importLogins } from "../../hub/safekeeping/data-folder.ts";
import { codecOf } from "../../hub/whatsapp/key-codec.ts";
import { readMultiFile } from "../../hub/whatsapp/multi-file.ts";
import { logBook } from "../support/log-book.ts";
import { folderOf, openSessionsHub } from "../support/sessions-hub.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();
const log = logBook();

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hub-logins-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function emptyHub() {
  const dataDir = await temporary();
  const masterKey = randomBytes(32).toString("hex");
  return { dataDir, masterKey, masterKeyPrevious: null, masterKeyFile: null, jidForm: "c.us" as const };
}

/** A folder as Baileys itself writes it. */
async function aFolder(folder: string, number = "34600111222"): Promise<void> {
  const creds = initAuthCreds();
  creds.account = proto.ADVSignedDeviceIdentity.fromObject({ details: Buffer.of(1) });
  creds.me = { id: `${number}:3@s.whatsapp.net`, lid: "777:3@lid", name: "Shop" };
  const keys: Record<string, unknown> = {
    creds,
    "app-state-sync-key-AAA__b+c=": proto.Message.AppStateSyncKeyData.fromObject({
      keyData: Buffer.of(5, 6),
    }),
    "app-state-sync-version-regular_high": { version: 3, hash: Buffer.alloc(4), indexValueMap: {} },
    "sender-key-34600111222-1500000000@g.us--34600111222--3": Buffer.from("[]"),
    "sender-key-1203@g.us--777_1--0": Buffer.from("[]"),
    "sender-key-memory-1203@g.us": { "1:0": true },
    "pre-key-7": { public: Buffer.alloc(32, 1), private: Buffer.alloc(32, 2) },
    "session-34600999.0": { _sessions: {}, version: "v1" },
    "lid-mapping-777_reverse": "34600111222",
    "device-list-34600999": ["0", "3"],
    "identity-key-34600999.0": Buffer.alloc(33, 3),
    "tctoken-34600999@s.whatsapp.net": { token: Buffer.of(9) },
  };
  await mkdir(folder, { recursive: true });
  for (const [name, value] of Object.entries(keys))
    await writeFile(join(folder, `${name}.json`), JSON.stringify(value, BufferJSON.replacer));
}

describe("a folder of another program", () => {
  test("is read key by key, with names turned back only where a sign was replaced", async () => {
    const folder = await temporary();
    await aFolder(folder);
    await writeFile(join(folder, "session-1.0.json"), "");
    await writeFile(join(folder, "notes.txt"), "mine");
    const before = await readdir(folder);
    const login = await readMultiFile(folder);
    expect(login).toMatchObject({ phoneNumber: "34600111222", lid: "777@lid", pushName: "Shop" });
    expect(login.keys.map(({ type, id }) => `${type} ${id}`).sort()).toEqual([
      "app-state-sync-key AAA/b+c=",
      "app-state-sync-version regular_high",
      "device-list 34600999",
      "identity-key 34600999.0",
      "lid-mapping 777_reverse",
      "pre-key 7",
      "sender-key 1203@g.us::777_1::0",
      "sender-key 34600111222-1500000000@g.us::34600111222::3",
      "sender-key-memory 1203@g.us",
      "session 34600999.0",
      "tctoken 34600999@s.whatsapp.net",
    ]);
    const appKey = login.keys.find(({ type }) => type === "app-state-sync-key");
    const { encode, decode } = codecOf("app-state-sync-key");
    expect(decode(encode(appKey?.value))).toMatchObject({ keyData: Buffer.of(5, 6) });
    expect(login.unreadable).toEqual(["notes.txt", "session-1.0.json"]);
    expect(await readdir(folder)).toEqual(before);
  });

  test.each([
    ["an empty creds.json", ""],
    ["half a creds.json", '{"noiseKey":{"private":{"type":"Buf'],
    ["one of another kind", '{"hello":1}'],
    ["one that was never linked", JSON.stringify(initAuthCreds(), BufferJSON.replacer)],
  ])("with %s is refused", async (_what, creds) => {
    const folder = await temporary();
    await writeFile(join(folder, "creds.json"), creds);
    await expect(readMultiFile(folder)).rejects.toThrow(/creds\.json/);
    const hub = await emptyHub();
    const [result] = await importLogins(hub, { from: folder, sessionId: "s1" }, log);
    expect(result?.refused).toMatch(/creds\.json/);
  });

  test("among others in a root is imported by its name; the same login or number a second time is refused", async () => {
    const root = await temporary();
    await aFolder(join(root, "front desk"));
    await aFolder(join(root, "42"), "34600333444");
    await aFolder(join(root, "same-number"));
    await mkdir(join(root, "zz-copy"));
    for (const name of await readdir(join(root, "42")))
      await writeFile(join(root, "zz-copy", name), await readFile(join(root, "42", name)));
    await mkdir(join(root, "empty"));
    const hub = await emptyHub();
    const results = await importLogins(hub, { from: root }, log);
    expect(results.map(({ sessionId, refused }) => [sessionId, refused === null])).toEqual([
      ["s42", true],
      ["front_desk", true],
      ["same-number", false],
      ["zz-copy", false],
    ]);
    expect(results[2]?.refused).toMatch(/front_desk/);
    expect(results[3]?.refused).toMatch(/s42/);
    const again = await importLogins(hub, { from: join(root, "42"), sessionId: "other" }, log);
    expect(again[0]?.refused).not.toBeNull();
  });
});

describe("a login with damaged rows", () => {
  /** An imported login, and its rows as somebody left them. */
  async function damaged(sql: string) {
    const from = join(await temporary(), "shop");
    await aFolder(from);
    const hub = await emptyHub();
    await importLogins(hub, { from, sessionId: "shop" }, log);
    const db = new Database(join(hub.dataDir, "hub.db"));
    db.exec(sql);
    db.close();
    return { hub, from, to: join(await temporary(), "away") };
  }

  test("is exported without the keys that cannot be opened, and what was left out is counted by kind", async () => {
    const { hub, from, to } = await damaged(
      `UPDATE auth_key SET v = CAST(substr(v, 1, 40) || x'00' || substr(v, 42) AS BLOB) WHERE type = 'session';
       UPDATE auth_key SET v = x'01' WHERE type = 'sender-key';`,
    );
    const { keys, unreadable } = await exportLogin(hub, { sessionId: "shop", to }, log);
    expect(keys).toBe(8);
    expect(unreadable).toEqual({ session: 1, "sender-key": 2 });
    const kinds = /^(session|sender-key)-(?!memory)/;
    const whole = (await readdir(from)).filter((name) => !kinds.test(name));
    expect((await readdir(to)).sort()).toEqual(whole.sort());
  });

  test("is not exported when its credentials cannot be opened: nothing is left behind, nothing changed here", async () => {
    const { hub, to } = await damaged(
      "UPDATE auth_creds SET v = CAST(substr(v, 1, 40) || x'00' || substr(v, 42) AS BLOB)",
    );
    await expect(exportLogin(hub, { sessionId: "shop", to }, log)).rejects.toThrow(
      /The credentials of this session cannot be opened/,
    );
    expect(await readdir(join(to, ".."))).toEqual([]);
  });
});

describe("a linked session", () => {
  test("exported and imported into another hub is the same device, and the old one goes on with new keys", async () => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", number);
    const to = join(await temporary(), "exported");
    await expect(exportLogin(folderOf(hub), { sessionId: "s1", to }, log)).rejects.toThrow(
      /Another Inbox Hub/,
    );
    const other = await openSessionsHub(emulator);
    await hub.startAgain(async () => {
      await exportLogin(folderOf(hub), { sessionId: "s1", to }, log);
    });
    expect((await stat(join(to, "creds.json"))).mode & 0o777).toBe(0o600);
    expect(await hub.sessions.get("s1")).toMatchObject({ state: "stopped", reason: { code: "exported" } });

    await other.startAgain(async () => {
      const [result] = await importLogins(
        folderOf(other),
        { from: to, sessionId: "moved", connect: true },
        log,
      );
      expect(result).toMatchObject({ refused: null, unreadable: 0 });
    });
    expect(await other.reaches("moved", "connected")).toMatchObject({ phoneNumber: number });
    emulator.receive({ account: number, kind: "text", text: "over there" });
    await until(
      "the message",
      async () => (await other.store.inbox.stats("moved", { dayStart: 0 })).received > 0,
    );
    expect(emulator.account(number).devices).toHaveLength(1);
    await other.sessions.disconnect("moved");

    await hub.sessions.connect("s1", { waitMs: 8000 });
    await hub.reaches("s1", "connected");
    emulator.receive({ account: number, kind: "text", text: "back here" });
    await until("the message", async () => (await hub.store.inbox.stats("s1", { dayStart: 0 })).received > 0);
  }, 60_000);
});
