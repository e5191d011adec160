/** The data folder: private, held by one process, refused when it is damaged or newer than the code. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Store } from "../../hub/core/store.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { migrate } from "../../hub/store/sqlite/migrate.ts";
import { aMessageFact, aNewSession, T0 } from "../support/builders.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { logBook, type LogBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
let root = "";
const opened: Store[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hub-open-"));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(root, { recursive: true });
});

async function open(dataDir = join(root, "data")): Promise<Store> {
  const store = await openStore({ dataDir, publicUrl: "https://hub.example", clock: fixedClock(), log });
  opened.push(store);
  return store;
}
const modeOf = (file: string): number => statSync(file).mode & 0o777;

test("folder and files are for their owner alone, also when the folder was open before", async () => {
  const dataDir = join(root, "data");
  const first = await open(dataDir);
  await first.close();
  chmodSync(dataDir, 0o755);
  const store = await open(dataDir);
  await store.sessions.create(aNewSession());
  expect(modeOf(dataDir)).toBe(0o700);
  for (const name of ["hub.db", "hub.db-wal", "hub.db-shm"]) expect(modeOf(join(dataDir, name))).toBe(0o600);
});

test("a second hub on the folder is told so, and the first goes on", async () => {
  const store = await open();
  await expect(open()).rejects.toThrow(/Another Inbox Hub is running/);
  await store.sessions.create(aNewSession());
  await store.close();
  expect(await (await open()).sessions.list()).toHaveLength(1);
});

test("closing writes everything into the one file", async () => {
  const store = await open();
  await store.sessions.create(aNewSession());
  await store.inbox.record({ sessionId: "s1", facts: [aMessageFact({ id: "A" })], closes: [], now: T0 });
  await store.close();
  expect(existsSync(join(root, "data", "hub.db-wal"))).toBe(false);
  expect(await (await open()).inbox.message("s1", "A")).not.toBeNull();
});

test("the database is durable, checked and of this code's schema", async () => {
  await (await open()).close();
  const db = new Database(join(root, "data", "hub.db"));
  expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
  expect(db.pragma("quick_check", { simple: true })).toBe("ok");
  db.pragma("user_version = 99");
  db.close();
  await expect(open()).rejects.toThrow(/newer Inbox Hub/);
});

test("a damaged database is not opened, and nothing is written to it", async () => {
  const store = await open();
  await store.sessions.create(aNewSession());
  for (let n = 0; n < 200; n++)
    await store.inbox.record({ sessionId: "s1", facts: [aMessageFact()], closes: [], now: T0 });
  await store.close();
  const file = join(root, "data", "hub.db");
  const content = readFileSync(file);
  content.fill(0x55, 3 * 4096, 40 * 4096);
  writeFileSync(file, content);
  await expect(open()).rejects.toThrow(/damaged|malformed/);
  expect(readFileSync(file).equals(content)).toBe(true);
});

/** A store of several hundred pages, closed; and what its file held. */
async function aFilledFile(): Promise<{ dataDir: string; file: string; content: Buffer }> {
  const dataDir = join(root, "data");
  const store = await open(dataDir);
  await store.sessions.create(aNewSession());
  const facts = Array.from({ length: 1500 }, () => aMessageFact({}, { live: false }));
  await store.inbox.record({ sessionId: "s1", facts, closes: [], now: T0 });
  await store.close();
  const file = join(dataDir, "hub.db");
  return { dataDir, file, content: readFileSync(file) };
}

/** Opened as by a hub that takes every database for a large one. */
async function openLarge(dataDir: string): Promise<{ store: Store; lines: LogBook; damage: Error[] }> {
  const lines = logBook();
  const damage: Error[] = [];
  const store = await openStore({
    dataDir,
    publicUrl: "https://hub.example",
    clock: fixedClock(),
    log: lines,
    large: 0,
    onDamaged: (cause) => damage.push(cause),
  });
  opened.push(store);
  return { store, lines, damage };
}

/** Destroys a page of an index; what the store reads to open it stays whole. */
function destroyIndex(file: string, content: Buffer): void {
  const db = new Database(file, { readonly: true });
  const page = Number(db.pragma("page_size", { simple: true }));
  const root = db.prepare<[], { rootpage: number }>(
    "SELECT rootpage FROM sqlite_master WHERE name = 'message_updated'",
  );
  const at = (root.get()?.rootpage ?? 0) - 1;
  db.close();
  writeFileSync(file, Buffer.from(content).fill(0x55, at * page, (at + 1) * page));
}

test("a large database is opened at once and looked over beside", async () => {
  const { dataDir } = await aFilledFile();
  const { store, lines, damage } = await openLarge(dataDir);
  expect(lines.lines("store.checked")).toEqual([]);
  await store.inbox.record({ sessionId: "s1", facts: [aMessageFact({ id: "A" })], closes: [], now: T0 });
  await until("the look", () => lines.lines("store.checked").length === 1);
  expect(damage).toEqual([]);
});

test("a look that is not over does not hold up the end, and is no damage", async () => {
  const { dataDir } = await aFilledFile();
  const { store, lines, damage } = await openLarge(dataDir);
  await store.close();
  expect(lines.lines("store.not_checked")).toEqual([]);
  expect(damage).toEqual([]);
  await (await open(dataDir)).close();
});

test("damage that is found beside is told, and refused from the next start on, until the file is whole", async () => {
  const { dataDir, file, content } = await aFilledFile();
  destroyIndex(file, content);
  const { store, lines, damage } = await openLarge(dataDir);
  await until("the damage", () => damage.length === 1);
  expect(damage[0]?.message).toMatch(/is damaged: .*Restore a backup/s);
  expect(lines.lines("store.damaged")).toHaveLength(1);
  await store.close();
  for (let n = 0; n < 2; n++)
    await expect(openLarge(dataDir)).rejects.toThrow(/is damaged: .*Nothing was changed/s);
  writeFileSync(file, content);
  const { store: whole } = await openLarge(dataDir);
  expect(await whole.sessions.list()).toHaveLength(1);
});

test("a large database of an older schema is looked over before a step of the schema touches it", async () => {
  const { dataDir, file } = await aFilledFile();
  const db = new Database(file);
  db.pragma("user_version = 1");
  db.close();
  destroyIndex(file, readFileSync(file));
  await expect(openLarge(dataDir)).rejects.toThrow(/is damaged: .*Nothing was changed/s);
  expect(existsSync(`${file}.schema-1`)).toBe(false);
});

test("a step of the schema is whole or not there, and a copy is kept before it", () => {
  const file = join(root, "steps.db");
  const steps = ["CREATE TABLE a(x)", "INSERT INTO a VALUES(1); CREATE TABLE b(x)"];
  const db = new Database(file);
  migrate(db, steps.slice(0, 1));
  expect(() => {
    migrate(db, [...steps.slice(0, 1), "INSERT INTO a VALUES(1); CREATE TABLE a(x)"]);
  }).toThrow(/already exists/);
  expect(db.prepare("SELECT COUNT(*) AS n FROM a").get()).toEqual({ n: 0 });
  expect(db.pragma("user_version", { simple: true })).toBe(1);
  expect(existsSync(`${file}.schema-1`)).toBe(true);
  rmSync(`${file}.schema-1`);
  // Without room for the copy nothing is touched, and people are told what helps.
  expect(() => migrate(db, steps, () => 0)).toThrow(/needs \d+ MB.*Make room.*Nothing was changed/s);
  expect(db.pragma("user_version", { simple: true })).toBe(1);
  expect(readdirSync(root)).not.toContain("steps.db.schema-1.half");
  migrate(db, steps);
  expect(db.pragma("user_version", { simple: true })).toBe(2);
  migrate(db, steps);
  db.close();
});
