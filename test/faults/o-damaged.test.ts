/** O3 of the fault table: what lies on the disk is not what the hub wrote. It says so, changes nothing, and a backup helps. */
import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../hub/core/clock.ts";
import type { Store } from "../../hub/core/store.ts";
import { backupNow, restoreBackup } from "../../hub/safekeeping/data-folder.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { peekDataKey } from "../../hub/store/peek.ts";
import { keepWatermark } from "../../hub/store/watermark.ts";
import { aMessageFact, aNewSession } from "../support/builders.ts";
import { logBook } from "../support/log-book.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
console.log(`O3: FAULT_SEED=${SEED}`);
const PAGE = 4096;
const HEADER = 12;
const log = logBook();

const say = (store: Store, contents: string[]) =>
  store.inbox.record({
    sessionId: "s1",
    facts: contents.map((content) => aMessageFact({ content })),
    closes: [],
    now: systemClock.now(),
  });

const texts = async (store: Store): Promise<string[]> => {
  const page = await store.inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1000 });
  return page.items.map(({ content }) => content);
};

/**
 * The folder of a hub that was killed: a copy made while it was open, as a kill leaves it. Its last messages are in the log
 * alone; one backup is from before them.
 */
async function aKilledHub() {
  const root = await mkdtemp(join(tmpdir(), "hub-o3-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const [alive, dataDir] = [join(root, "alive"), join(root, "killed")];
  const masterKey = randomBytes(32).toString("hex");
  const folderOf = (dir: string) => ({
    dataDir: dir,
    masterKey,
    masterKeyPrevious: null,
    masterKeyFile: null,
    jidForm: "c.us" as const,
  });
  const open = (dir = dataDir): Promise<Store> =>
    openStore({ dataDir: dir, publicUrl: "http://hub.example", clock: systemClock, log });

  const store = await open(alive);
  await createVault({ masterKey: Buffer.from(masterKey, "hex"), keys: store.vault });
  await store.sessions.create(aNewSession());
  await store.auth.commit("s1", {
    creds: Buffer.from("the login"),
    fingerprint: "f1",
    keys: [{ type: "session", id: "1", value: Buffer.from("ratchet 1") }],
    intake: [],
  });
  await say(
    store,
    Array.from({ length: 300 }, (_, n) => `old ${n}`),
  );
  await store.close();
  const again = await open(alive);
  const keeper = await keepWatermark({ dataDir: alive, store: again, log });
  const backup = await backupNow(folderOf(alive), log);
  await say(again, ["last words"]);
  await cp(alive, dataDir, { recursive: true });
  await keeper.stop();
  await again.close();
  return { dataDir, folder: folderOf(dataDir), open, backup };
}

/** What is in the folder, byte by byte. Locks and the index of the log, which is made anew at will, tell nothing. */
async function bytesIn(dataDir: string): Promise<Record<string, string>> {
  const names = (await readdir(dataDir)).filter((name) => /^hub\.db(-wal)?$|\.json$|^hub\.open$/.test(name));
  const pairs = names
    .sort()
    .map(async (name) => [name, (await readFile(join(dataDir, name))).toString("base64")] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

type Killed = Awaited<ReturnType<typeof aKilledHub>>;

/** Refused in plain words, twice, and nothing was touched; with the backup it goes on. */
async function isRefusedAndHelped({ dataDir, folder, open, backup }: Killed): Promise<void> {
  const before = await bytesIn(dataDir);
  for (let n = 0; n < 2; n++) await expect(open()).rejects.toThrow(/is damaged: .*Restore a backup/s);
  expect(await bytesIn(dataDir)).toEqual(before);
  await restoreBackup(folder, { backup: backup.name }, log);
  const restored = await open();
  expect(await texts(restored)).toHaveLength(300);
  expect((await restored.auth.login("s1")).standing).toBe("stale");
  await restored.close();
}

describe("O3: what lies on the disk is damaged", () => {
  test("O3: bytes of its pages were changed", async () => {
    const killed = await aKilledHub();
    const random = createRandom(SEED);
    const file = join(killed.dataDir, "hub.db");
    const bytes = await readFile(file);
    // Heads of pages: what lies behind them has no checksum, except where it is sealed.
    for (let page = 1; page < bytes.length / PAGE; page++)
      for (let at = 0; at < HEADER; at++) bytes[page * PAGE + at] = random.int(256);
    await writeFile(file, bytes);
    await isRefusedAndHelped(killed);
  });

  test("O3: its first bytes are those of no database", async () => {
    const killed = await aKilledHub();
    const file = join(killed.dataDir, "hub.db");
    await writeFile(file, (await readFile(file)).fill(0x5a, 0, 100));
    await rm(`${file}-wal`);
    expect(() => peekDataKey(killed.dataDir, "hub")).toThrow(/Restore a backup/);
    await isRefusedAndHelped(killed);
  });

  test("O3: its tail was cut off", async () => {
    const killed = await aKilledHub();
    const file = join(killed.dataDir, "hub.db");
    await truncate(file, Math.floor(((await stat(file)).size * 0.6) / PAGE) * PAGE + 1000);
    await isRefusedAndHelped(killed);
  });

  test("O3: its log was taken away: readers are told, and no login goes on with keys that may be old", async () => {
    const { dataDir, open } = await aKilledHub();
    await rm(join(dataDir, "hub.db-wal"));
    await rm(join(dataDir, "hub.db-shm"), { force: true });
    const found = await open();
    expect(await texts(found)).toHaveLength(300);
    expect((await found.identity()).epoch).toBe(2);
    expect((await found.auth.login("s1")).standing).toBe("stale");
    expect(log.lines("store.log_lost").length).toBeGreaterThan(0);
    await found.close();
    const again = await open();
    expect((await again.identity()).epoch).toBe(2);
    await again.close();
  });

  test("O3: its log was cut in the middle of a commit: that commit was never acknowledged, all before it is there", async () => {
    const { dataDir, open } = await aKilledHub();
    const wal = join(dataDir, "hub.db-wal");
    await truncate(wal, (await stat(wal)).size - 100);
    const found = await open();
    const kept = await texts(found);
    expect(kept.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, n) => `old ${n}`));
    await found.close();
  });

  test("O3: the index of its log was deleted or changed: no harm", async () => {
    for (const damage of [
      (file: string) => rm(file, { force: true }),
      (file: string) => writeFile(file, randomBytes(32_768)),
    ]) {
      const { dataDir, open } = await aKilledHub();
      await damage(join(dataDir, "hub.db-shm"));
      const found = await open();
      expect(await texts(found)).toContain("last words");
      expect((await found.identity()).epoch).toBe(1);
      expect((await found.auth.login("s1")).standing).toBe("current");
      await found.close();
    }
  });
});
