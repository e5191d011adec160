/**
 * C13 of the fault table: a migration, a backup, a restore, a new master key, a quarantine and its undo, an import, each killed
 * at every point at which it could be. What is found afterwards is the old or the new, never half, and it goes on.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../hub/core/clock.ts";
import type { Store } from "../../hub/core/store.ts";
import { backupNow, importLogins, listBackups, restoreBackup } from "../../hub/safekeeping/data-folder.ts";
import { startKeyRotation } from "../../hub/sessions/key-rotation.ts";
import { createLogins } from "../../hub/sessions/logins.ts";
import { layNextKey, readMasterKeys } from "../../hub/sessions/master-key.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { migrate } from "../../hub/store/sqlite/migrate.ts";
import { migrations } from "../../hub/store/sqlite/migrations/index.ts";
import { BufferJSON, initAuthCreds, proto } from "../../hub/whatsapp/baileys.ts";
import { aMessageFact, aNewSession } from "../support/builders.ts";
import { atEveryStep } from "../support/every-step.ts";
import { logBook } from "../support/log-book.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
const log = logBook();
const KEYS = 5;
/** Of a process that does it all; each takes a few seconds. */
const KILLS = 8;
const KILLED_WITHIN_MS = 2_000;

const folderAt = (dataDir: string) => ({
  dataDir,
  masterKey: null,
  masterKeyPrevious: null,
  masterKeyFile: null,
  jidForm: "c.us" as const,
});

/** As a start of the hub opens it. */
async function opened(dataDir: string) {
  const store = await openStore({ dataDir, publicUrl: "http://hub.example", clock: systemClock, log });
  const file = join(dataDir, "master.key");
  const mayCreate = (await store.vault.dataKey("hub")) === null;
  const vault = await createVault({
    ...(await readMasterKeys({ configured: null, file, mayCreate })),
    keys: store.vault,
  });
  const logins = createLogins({
    auth: store.auth,
    keys: store.vault,
    vault,
    dir: join(dataDir, "vault"),
    clock: systemClock,
  });
  return { store, vault, logins, file };
}

const say = (store: Store, content: string) =>
  store.inbox.record({
    sessionId: "s1",
    facts: [aMessageFact({ content })],
    closes: [],
    now: systemClock.now(),
  });

const texts = async (store: Store): Promise<string> => {
  const page = await store.inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 100 });
  return page.items
    .map(({ content }) => content)
    .sort()
    .join(" ");
};

/** A hub with a message and a whole login, and no process on it. */
async function aFolder(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-c13-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const { store, vault } = await opened(dataDir);
  await store.sessions.create(aNewSession());
  const cipher = await vault.cipher("session:s1");
  await store.auth.commit("s1", {
    creds: cipher.seal("creds", Buffer.from("the login")),
    fingerprint: "f1",
    keys: Array.from({ length: KEYS }, (_, n) => ({
      type: "session",
      id: String(n),
      value: cipher.seal(String(n), Buffer.from(`key ${n}`)),
    })),
    intake: [],
  });
  await say(store, "one");
  await store.close();
  return dataDir;
}

/** Whole, or not there. */
async function loginIn(store: Store): Promise<string> {
  const rows = await store.auth.loginRows("s1");
  const { fingerprint } = await store.auth.login("s1");
  if (rows === null) return fingerprint === null ? "none" : "a login without rows";
  const isWhole = rows.creds !== null && rows.keys.length === KEYS && fingerprint === "f1";
  return isWhole ? "whole" : `half: ${rows.keys.length} keys, ${String(fingerprint)}`;
}

/** Judges what each kill left, in its order; returns what was found without repeats. */
async function found(copies: string[], judge: (dataDir: string) => Promise<string>): Promise<string[]> {
  const all: string[] = [];
  for (const copy of copies) {
    const each = await judge(copy);
    if (all.at(-1) !== each) all.push(each);
  }
  console.log(`C13: ${copies.length} kills`);
  return all;
}

describe("C13", () => {
  test("a migration", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "hub-c13-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const db = new Database(join(dataDir, "hub.db"));
    db.pragma("journal_mode = WAL");
    migrate(db, migrations.slice(0, 3));
    db.prepare("INSERT INTO meta(key, value) VALUES('kept', 'yes')").run();
    db.close();
    const copies = await atEveryStep(dataDir, async () => {
      await (await opened(dataDir)).store.close();
    });
    const states = await found(copies, async (copy) => {
      await (await opened(copy)).store.close();
      const after = new Database(join(copy, "hub.db"));
      const kept: unknown = after.prepare("SELECT value FROM meta WHERE key = 'kept'").pluck().get();
      const version: unknown = after.pragma("user_version", { simple: true });
      after.close();
      return `${String(kept)} ${String(version)}`;
    });
    expect(states).toEqual([`yes ${migrations.length}`]);
  });

  test("a backup", async () => {
    const dataDir = await aFolder();
    const copies = await atEveryStep(dataDir, () => backupNow(folderAt(dataDir), log));
    const states = await found(copies, async (copy) => {
      const before = (await listBackups(folderAt(copy))).length;
      const next = await backupNow(folderAt(copy), log);
      expect((await readdir(join(copy, "backups"))).filter((name) => name.includes("half"))).toEqual([]);
      await restoreBackup(folderAt(copy), { backup: next.name }, log);
      const { store } = await opened(copy);
      const state = `${before} ${await texts(store)} ${await loginIn(store)}`;
      await store.close();
      return state;
    });
    expect(states).toEqual(["0 one whole", "1 one whole"]);
  }, 120_000);

  test("a restore", async () => {
    const dataDir = await aFolder();
    const { name } = await backupNow(folderAt(dataDir), log);
    const { store } = await opened(dataDir);
    await say(store, "two");
    const { seq } = await store.watermark();
    await store.close();
    const copies = await atEveryStep(dataDir, async () => {
      await restoreBackup(folderAt(dataDir), { backup: name }, log);
      await (await opened(dataDir)).store.close();
    });
    const states = await found(copies, async (copy) => {
      const after = await opened(copy);
      const { epoch } = await after.store.identity();
      const jumped = (await after.store.watermark()).seq >= seq + 1_000_000;
      const state = `${await texts(after.store)}, ${epoch > 1 ? "a new epoch" : "the old epoch"}, ${jumped ? "new numbers" : "old numbers"}`;
      await after.store.close();
      expect(existsSync(join(copy, "restore.json"))).toBe(false);
      expect(existsSync(join(copy, "hub.db.restoring"))).toBe(false);
      return state;
    });
    expect(states).toEqual(["one two, the old epoch, old numbers", "one, a new epoch, new numbers"]);
  });

  test("a new master key", async () => {
    const dataDir = await aFolder();
    const { store, vault, file } = await opened(dataDir);
    const sealed = (await vault.cipher("session:s1")).seal("place", Buffer.from("secret"));
    await store.close();
    const copies = await atEveryStep(dataDir, async () => {
      await layNextKey(file);
      const rotating = await opened(dataDir);
      const rotation = await startKeyRotation({ ...rotating, clock: systemClock, log });
      await rotation.turn();
      await rotation.stop();
      await rotating.store.close();
    });
    const states = await found(copies, async (copy) => {
      const after = await opened(copy);
      const finishing = await startKeyRotation({ ...after, clock: systemClock, log });
      await finishing.stop();
      const plain = (await after.vault.cipher("session:s1")).open("place", sealed);
      await after.store.close();
      // Whatever it was, one key opens everything now.
      const again = await opened(copy);
      const { rewrapped } = await again.vault.finishRotation();
      await again.store.close();
      return `${Buffer.from(plain).toString()} ${rewrapped} ${String(existsSync(`${file}.next`) && existsSync(join(copy, "master.key.next")))}`;
    });
    expect(states).toEqual(["secret 0 false"]);
  });

  test("a quarantine and its undo", async () => {
    const dataDir = await aFolder();
    const judge = async (copy: string): Promise<string> => {
      const after = await opened(copy);
      const state = await loginIn(after.store);
      if (state === "none") {
        const { id } = await after.logins.toBringBack("s1", null);
        await after.logins.bringBack("s1", id);
        expect(await loginIn(after.store)).toBe("whole");
      }
      await after.store.close();
      return state;
    };
    let id = "";
    const away = await atEveryStep(dataDir, async () => {
      const { store, logins } = await opened(dataDir);
      id = (await logins.quarantine("s1", "test", { isUndoable: true }))?.quarantineId ?? "";
      await store.close();
    });
    const back = await atEveryStep(dataDir, async () => {
      const { store, logins } = await opened(dataDir);
      await logins.bringBack("s1", id);
      await store.close();
    });
    expect(await found(away, judge)).toEqual(["whole", "none"]);
    expect(await found(back, judge)).toEqual(["none", "whole"]);
  });

  test("an import", async () => {
    const from = await mkdtemp(join(tmpdir(), "hub-c13-import-"));
    onTestFinished(() => rm(from, { recursive: true, force: true }));
    const creds = initAuthCreds();
    creds.account = proto.ADVSignedDeviceIdentity.fromObject({ details: randomBytes(4) });
    creds.me = { id: "34600111222:3@s.whatsapp.net" };
    await writeFile(join(from, "creds.json"), JSON.stringify(creds, BufferJSON.replacer));
    for (let n = 0; n < KEYS; n++)
      await writeFile(join(from, `session-3460099${n}.0.json`), JSON.stringify({ version: "v1", n }));
    const dataDir = await aFolder();
    const order = { from, sessionId: "new" };
    const copies = await atEveryStep(dataDir, () => importLogins(folderAt(dataDir), order, log));
    const states = await found(copies, async (copy) => {
      const { store } = await opened(copy);
      const session = await store.sessions.get("new");
      const rows = session === null ? null : await store.auth.loginRows("new");
      const facts = session === null ? null : await store.auth.login("new");
      await store.close();
      const again = await importLogins(folderAt(copy), order, log);
      expect(again[0]?.refused === null).toBe(session === null);
      return `${String(rows?.keys.length)} ${String(facts?.isThere)}`;
    });
    expect(states).toEqual(["undefined undefined", `${KEYS} true`]);
  });

  test("all of them in a process that is really killed, at random", async () => {
    console.log(`C13: FAULT_SEED=${SEED}`);
    const random = createRandom(`${SEED} C13`);
    const dataDir = await aFolder();
    await backupNow(folderAt(dataDir), log);
    const struck: string[] = [];
    for (let round = 0; round < KILLS; round++) {
      struck.push(await killedAfter(dataDir, random.int(KILLED_WITHIN_MS)));
      const { store, vault, logins } = await opened(dataDir);
      if ((await loginIn(store)) === "none") {
        const { id } = await logins.toBringBack("s1", null);
        await logins.bringBack("s1", id);
      }
      expect(await loginIn(store)).toBe("whole");
      expect(await texts(store)).toBe("one");
      const rows = await store.auth.loginRows("s1");
      const cipher = await vault.cipher("session:s1");
      expect(Buffer.from(cipher.open("creds", rows?.creds ?? new Uint8Array())).toString()).toBe("the login");
      await store.close();
    }
    console.log(`C13: killed during ${struck.join(", ")}`);
  }, 180_000);
});

/** Returns what it was doing. */
async function killedAfter(dataDir: string, ms: number): Promise<string> {
  const script = join(import.meta.dirname, "dying-keeper.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let doing = "nothing";
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => (doing = line));
  await once(lines, "line");
  await setTimeout(ms);
  child.kill("SIGKILL");
  await Promise.all([once(child, "exit"), once(lines, "close")]);
  return doing;
}
