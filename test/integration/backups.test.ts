/** Backups of the database: sealed, checked, listed and put back, with everything a reader must notice afterwards. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../hub/core/clock.ts";
import type { Store } from "../../hub/core/store.ts";
import { backupNow, listBackups, restoreBackup } from "../../hub/safekeeping/data-folder.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { createBackups } from "../../hub/store/backups/backups.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { keepWatermark } from "../../hub/store/watermark.ts";
import { aMessageFact, aNewSession } from "../support/builders.ts";
import { fixedClock, hours } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";

const log = logBook();

async function aFolder(masterKey = randomBytes(32).toString("hex")) {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-backups-"));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const folder = {
    dataDir,
    masterKey,
    masterKeyPrevious: null,
    masterKeyFile: null,
    jidForm: "c.us" as const,
  };
  const open = async (): Promise<Store> => {
    const store = await openStore({ dataDir, publicUrl: "http://hub.example", clock: systemClock, log });
    await createVault({ masterKey: Buffer.from(masterKey, "hex"), keys: store.vault });
    return store;
  };
  return { folder, dataDir, open };
}

const say = (store: Store, content: string) =>
  store.inbox.record({
    sessionId: "s1",
    facts: [aMessageFact({ content })],
    closes: [],
    now: systemClock.now(),
  });

const texts = async (store: Store): Promise<string[]> => {
  const page = await store.inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 100 });
  return page.items.map(({ content }) => content).sort();
};

/** A hub with one message, a backup of that, and one message more. */
async function aHubAndItsBackup() {
  const { folder, dataDir, open } = await aFolder();
  const store = await open();
  await store.sessions.create(aNewSession());
  await store.auth.commit("s1", {
    creds: Buffer.from("the login"),
    fingerprint: "f1",
    keys: [{ type: "session", id: "1", value: Buffer.from("ratchet 1") }],
    intake: [],
  });
  await say(store, "before");
  const backup = await backupNow(folder, log);
  await say(store, "after");
  return { folder, dataDir, open, store, backup };
}

describe("a backup", () => {
  test("is made beside a running hub, and can be read by nobody without the key", async () => {
    const { dataDir, store, backup, folder } = await aHubAndItsBackup();
    const file = join(dataDir, "backups", backup.name);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(dataDir, "backups"))).toEqual([backup.name]);
    const bytes = await readFile(file);
    for (const secret of ["before", "the login", "SQLite format"]) expect(bytes.includes(secret)).toBe(false);
    expect(await listBackups(folder)).toEqual([backup]);
    expect(backup).toMatchObject({ kind: "manual", watermark: { epoch: 1 } });
    await store.close();
  });

  test("is not put back while a hub runs", async () => {
    const { folder, store, backup } = await aHubAndItsBackup();
    await expect(restoreBackup(folder, { backup: backup.name }, log)).rejects.toThrow(/Another Inbox Hub/);
    expect(await texts(store)).toEqual(["after", "before"]);
    await store.close();
  });

  test("that was put back begins a new epoch, numbers nothing twice, and marks logins used since", async () => {
    const { folder, dataDir, open, store, backup } = await aHubAndItsBackup();
    await store.auth.commit("s1", {
      keys: [{ type: "session", id: "1", value: Buffer.from("ratchet 2") }],
      intake: [],
    });
    const before = await store.watermark();
    await store.close();
    const { aside } = await restoreBackup(folder, { backup: backup.name }, log);
    expect(await readdir(dataDir)).toContain(aside);

    const restored = await open();
    expect(await texts(restored)).toEqual(["before"]);
    expect(await restored.identity()).toEqual({ hubId: before.hubId, epoch: before.epoch + 1 });
    const recorded = await say(restored, "new");
    expect(recorded.lastSeq).toBe(before.seq + 1_000_001);
    expect((await restored.auth.login("s1")).standing).toBe("stale");
    await restored.close();

    const again = await open();
    expect((await again.identity()).epoch).toBe(before.epoch + 1);
    await again.close();
  });

  test("of logins that were not used since leaves them as they are", async () => {
    const { folder, open, store, backup } = await aHubAndItsBackup();
    await store.close();
    await restoreBackup(folder, { backup: backup.name }, log);
    const restored = await open();
    expect((await restored.auth.login("s1")).standing).toBe("current");
    await restored.close();
  });

  test("of a login that was replaced since brings no way back to it", async () => {
    const { folder, open, store, backup } = await aHubAndItsBackup();
    await store.auth.quarantine("s1", "logged out", systemClock.now());
    await store.close();
    await restoreBackup(folder, { backup: backup.name }, log);
    const restored = await open();
    expect((await restored.auth.login("s1")).standing).toBe("superseded");
    await restored.close();
  });

  test("restored onto an empty folder takes every login for used since", async () => {
    const { folder, dataDir, store, backup } = await aHubAndItsBackup();
    await store.close();
    const elsewhere = await aFolder(folder.masterKey);
    await restoreBackup(elsewhere.folder, { backup: join(dataDir, "backups", backup.name) }, log);
    const restored = await elsewhere.open();
    expect(await texts(restored)).toEqual(["before"]);
    expect((await restored.auth.login("s1")).standing).toBe("stale");
    await restored.close();
  });

  test("takes the place of a damaged database, and of its logins nobody knows how far they were used", async () => {
    const { folder, dataDir, open, store, backup } = await aHubAndItsBackup();
    await store.close();
    const file = join(dataDir, "hub.db");
    await writeFile(file, (await readFile(file)).fill(0xff, 0, 8192));
    await writeFile(`${file}-wal`, "what is left of its log");
    await expect(open()).rejects.toThrow();
    const { aside } = await restoreBackup(folder, { backup: backup.name }, log);
    expect(await readdir(dataDir)).toContain(aside);
    const restored = await open();
    expect(await texts(restored)).toEqual(["before"]);
    expect((await restored.auth.login("s1")).standing).toBe("stale");
    await restored.close();
  });

  test("that was changed, cut short or sealed by another key changes nothing", async () => {
    const { folder, dataDir, open, store, backup } = await aHubAndItsBackup();
    await store.close();
    const file = join(dataDir, "backups", backup.name);
    const whole = await readFile(file);
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(flipped.readUInt8(whole.length - 5000) ^ 1, whole.length - 5000);
    for (const bytes of [flipped, whole.subarray(0, whole.length - 60), whole.subarray(0, 9000)]) {
      await writeFile(file, bytes);
      await expect(restoreBackup(folder, { backup: backup.name }, log)).rejects.toThrow(/damaged|cut short/);
    }
    await writeFile(file, "no backup");
    await expect(restoreBackup(folder, { backup: backup.name }, log)).rejects.toThrow(/no backup/);
    await writeFile(file, whole);
    const stranger = { ...folder, masterKey: randomBytes(32).toString("hex") };
    await expect(restoreBackup(stranger, { backup: backup.name }, log)).rejects.toThrow(/another master key/);
    const reopened = await open();
    expect(await texts(reopened)).toEqual(["after", "before"]);
    expect((await reopened.identity()).epoch).toBe(1);
    await reopened.close();
  });
});

test("hourly backups are kept for a day, one of each day for two weeks, those by hand for good", async () => {
  const { dataDir, open } = await aFolder();
  const store = await open();
  const vault = await createVault({ masterKey: randomBytes(32), keys: memoryKeys() });
  const clock = fixedClock();
  const backups = createBackups({
    dataDir,
    store,
    keyForFile: vault.forFile,
    openFileKey: vault.openFile,
    clock,
    log,
  });
  await backups.now("manual");
  for (let hour = 0; hour < 26; hour++) {
    clock.advance(hours(1));
    await backups.hourly();
  }
  for (let day = 0; day < 15; day++) {
    clock.advance(hours(24));
    await backups.hourly();
  }
  const count: Record<string, number> = {};
  for (const { kind } of await backups.list()) count[kind] = (count[kind] ?? 0) + 1;
  expect(count).toEqual({ manual: 1, daily: 14, hourly: 24 });

  // The clock was ahead all the time, and is set right: what is made now makes room among what bears a later date.
  clock.advance(-hours(20 * 24));
  const made = [await backups.hourly()];
  clock.advance(hours(1));
  made.push(await backups.hourly());
  expect(made.map(({ kind }) => kind)).toEqual(["daily", "hourly"]);
  expect(await backups.list()).toEqual(expect.arrayContaining(made));
  expect(await backups.list()).toHaveLength(1 + 14 + 24);
  expect(await backups.drill()).toEqual(made[1]);
  await store.close();
}, 120_000);

test("a backup while messages arrive is of one moment, from within the hub and from beside it", async () => {
  const { folder, open } = await aFolder();
  const store = await open();
  await store.sessions.create(aNewSession());
  const vault = await createVault({ masterKey: Buffer.from(folder.masterKey, "hex"), keys: store.vault });
  const parts = { keyForFile: vault.forFile, openFileKey: vault.openFile, clock: systemClock, log };
  const backups = createBackups({ dataDir: folder.dataDir, store, ...parts });
  const over = new AbortController();
  let said = 0;
  const talking = (async () => {
    while (!over.signal.aborted) {
      await say(store, `message ${said++}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const made = [await backups.now("manual"), await backupNow(folder, log), await backups.now("manual")];
  over.abort();
  await talking;
  await store.close();
  for (const { name } of made) {
    await restoreBackup(folder, { backup: name }, log);
    const restored = await open();
    const page = await restored.inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1000 });
    const events = await restored.events.after({ after: 0, limit: 100_000, sessions: "*" });
    const received = events.filter(({ body }) => body.includes('"message.received"'));
    expect(page.total).toBe(received.length);
    await restored.close();
  }
  expect(said).toBeGreaterThan(10);
}, 60_000);

test("two backups at once, of the hub and of a command, do not meet: one is made, the other says why not", async () => {
  const { folder, dataDir, store } = await aHubAndItsBackup();
  const vault = await createVault({ masterKey: Buffer.from(folder.masterKey, "hex"), keys: store.vault });
  const parts = { keyForFile: vault.forFile, openFileKey: vault.openFile, clock: systemClock, log };
  const backups = createBackups({ dataDir, store, ...parts });
  const results = await Promise.allSettled([backups.now("manual"), backupNow(folder, log)]);
  const refused = results.filter(({ status }) => status === "rejected");
  expect(refused).toMatchObject([{ reason: { message: expect.stringMatching(/being made/) as string } }]);
  expect(await backups.list()).toHaveLength(2);
  await store.close();
});

test("a drill unpacks the newest backup and leaves nothing behind; one that is no use is found out", async () => {
  const { folder, dataDir, store, backup } = await aHubAndItsBackup();
  const vault = await createVault({ masterKey: Buffer.from(folder.masterKey, "hex"), keys: store.vault });
  const parts = { keyForFile: vault.forFile, openFileKey: vault.openFile, clock: systemClock, log };
  const backups = createBackups({ dataDir, store, ...parts });
  expect(await backups.drill()).toEqual(backup);
  expect(await readdir(join(dataDir, "backups"))).toEqual([backup.name]);
  const file = join(dataDir, "backups", backup.name);
  const whole = await readFile(file);
  await writeFile(file, whole.subarray(0, whole.length - 100));
  await expect(backups.drill()).rejects.toThrow(/damaged or cut short/);
  await writeFile(file, "no backup at all");
  await expect(backups.drill()).rejects.toThrow(/None of the backups can be read/);
  await rm(file);
  expect(await backups.drill()).toBeNull();
  await store.close();
});

describe("a database that knows less than its watermark", () => {
  test("was put there by hand, and is told that it is a copy", async () => {
    const { dataDir, open, store } = await aHubAndItsBackup();
    const old = await readFile(join(dataDir, "hub.db"));
    await store.close();
    const copy = await readFile(join(dataDir, "hub.db"));
    const later = await open();
    await later.auth.commit("s1", { keys: [{ type: "session", id: "1", value: null }], intake: [] });
    const keeper = await keepWatermark({ dataDir, store: later, log });
    await say(later, "later");
    await keeper.stop();
    await later.close();
    expect(old.length).toBeGreaterThan(0);
    await writeFile(join(dataDir, "hub.db"), copy);
    const found = await open();
    expect((await found.identity()).epoch).toBe(2);
    expect((await found.auth.login("s1")).standing).toBe("stale");
    await found.close();
  });

  test("that cannot be read says what to do", async () => {
    const { dataDir, open, store } = await aHubAndItsBackup();
    await store.close();
    await writeFile(join(dataDir, "watermark.json"), "{");
    await expect(open()).rejects.toThrow(/watermark\.json is damaged/);
    await rm(join(dataDir, "watermark.json"));
    await (await open()).close();
  });

  test("and one that is gone is not begun anew", async () => {
    const { dataDir, open, store } = await aHubAndItsBackup();
    await (await keepWatermark({ dataDir, store, log })).stop();
    await store.close();
    await rm(join(dataDir, "hub.db"));
    await expect(open()).rejects.toThrow(/is gone/);
    expect(await readdir(dataDir)).not.toContain("hub.db");
  });
});

function memoryKeys() {
  const rows = new Map<string, Uint8Array>();
  return {
    dataKey: (scope: string) => Promise.resolve(rows.get(scope) ?? null),
    saveDataKey: (scope: string, wrapped: Uint8Array) => Promise.resolve(void rows.set(scope, wrapped)),
    scopes: () => Promise.resolve([...rows.keys()]),
  };
}
