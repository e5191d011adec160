/** The hub's round: what was kept long enough goes, and words become findable without anybody asking. */
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { countShed } from "../../hub/core/pressure.ts";
import { createSchemaCopies } from "../../hub/store/schema-copies.ts";
import { startUpkeep } from "../../hub/store/upkeep.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { aMediaItem, aMessageFact, aNewEvent, aNewSession, anIntakeEntry } from "../support/builders.ts";
import { fixedClock, hours } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";

const days = (count: number): number => hours(24 * count);
const nothingOld = { removeFile: () => Promise.resolve(), retentionDays: null };

test("a round removes old stanzas, events and attempts, and leaves the young", async () => {
  const clock = fixedClock();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  await store.sessions.create(aNewSession());
  const lines: [object, string][] = [];
  const note = (facts: object, event: string) => void lines.push([facts, event]);
  const log = { debug: note, info: note, warn: note, error: note };
  const upkeep = startUpkeep({ ...store, clock, isClockTrusted: () => true, ...nothingOld, log });
  try {
    const entry = anIntakeEntry();
    await store.auth.commit("s1", { keys: [], intake: [entry] });
    await store.inbox.record({
      ...{ sessionId: "s1", facts: [aMessageFact({ id: "A" })], closes: [entry.digest], now: clock.now() },
    });
    for (let n = 0; n < 1200; n++) await store.events.append("s1", [aNewEvent()], clock.now());
    await upkeep.run();
    expect(await store.events.range()).toEqual({ oldestSeq: 1, latestSeq: 1201 });
    expect(lines).toEqual([]);
    expect(await store.inbox.indexWords(10)).toBe(0);

    clock.advance(days(31));
    await store.events.append("s1", [aNewEvent()], clock.now());
    await upkeep.run();
    expect(await store.events.range()).toEqual({ oldestSeq: 1202, latestSeq: 1202 });
    expect(lines).toEqual([
      [
        { stanzas: 2, events: 1201, attempts: 0, auditEntries: 0, messages: 0, uploads: 0, pages: 0 },
        "store.old_removed",
      ],
    ]);
    expect(await store.inbox.message("s1", "A")).not.toBeNull();

    clock.advance(days(400));
    await upkeep.run();
    const { items, total } = await store.audit.list({ limit: 9, page: 1 });
    expect([total, items[0]?.details]).toMatchObject([1, { events: 1, auditEntries: 2 }]);
    expect(await store.audit.verify()).toMatchObject({ intact: true, first: 3 });
  } finally {
    await upkeep.stop();
    await store.close();
  }
});

test("an answer kept under an idempotency key goes after a day, asked for or not, and stays while the clock is in doubt", async () => {
  const clock = fixedClock();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  const log = logBook();
  let isTrusted = false;
  const upkeep = startUpkeep({ ...store, clock, isClockTrusted: () => isTrusted, ...nothingOld, log });
  onTestFinished(async () => {
    await upkeep.stop();
    await store.close();
  });
  const key = { owner: "key_1", route: "post /api/keys", key: "once" };
  const start = clock.now();
  /** A claim of the first hour, which finds whatever the round has left. */
  const claimed = async (): Promise<string> => (await store.sends.claim(key, "hash", "", start)).result;
  expect(await claimed()).toBe("new");
  await store.sends.finish(key, { status: 201, body: "{}" }, start);

  clock.advance(hours(24));
  await upkeep.run();
  expect(await claimed()).toBe("same");
  isTrusted = true;
  clock.advance(-1);
  await upkeep.run();
  expect(await claimed()).toBe("same");
  clock.advance(1);
  await upkeep.run();
  expect(await claimed()).toBe("new");
});

test("an upload that nobody sent goes a week later with its bytes, and what was said leaves the log of the database", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hub-uploads-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const clock = fixedClock();
  const store = await openSqliteStore({
    file: join(folder, "hub.db"),
    publicUrl: "http://hub.example",
    clock,
  });
  const removed: string[] = [];
  const upkeep = startUpkeep({
    ...{ ...store, clock, isClockTrusted: () => true, retentionDays: 30, log: logBook() },
    removeFile: (mediaId) => Promise.resolve(void removed.push(mediaId)),
  });
  onTestFinished(async () => {
    await upkeep.stop();
    await store.close();
  });
  await store.sessions.create(aNewSession());
  const upload = aMediaItem({ sessionId: null });
  await store.media.add(upload);
  const fact = aMessageFact({ content: "zanahoria ".repeat(2_000) });
  await store.inbox.record({ sessionId: "s1", facts: [fact], closes: [], now: clock.now() });
  await upkeep.run();
  expect(removed).toEqual([]);
  clock.advance(days(8));
  await upkeep.run();
  expect(removed).toEqual([upload.mediaId]);
  clock.advance(days(30));
  await upkeep.run();
  // The index of search keeps single words until it is rewritten.
  for (const name of ["hub.db", "hub.db-wal"])
    expect([name, (await readFile(join(folder, name))).includes("zanahoria zanahoria")]).toEqual([
      name,
      false,
    ]);
});

test("what was removed leaves the disk as well", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hub-upkeep-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "hub.db");
  const clock = fixedClock();
  const store = await openSqliteStore({ file, publicUrl: "http://hub.example", clock });
  await store.sessions.create(aNewSession());
  const event = aNewEvent({ data: { text: "x".repeat(20_000) } });
  for (let n = 0; n < 40; n++)
    await store.events.append(
      "s1",
      Array.from({ length: 50 }, () => event),
      clock.now(),
    );
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const upkeep = startUpkeep({ ...store, clock, isClockTrusted: () => true, ...nothingOld, log: silent });
  clock.advance(days(31));
  await store.events.append("s1", [aNewEvent()], clock.now());
  await upkeep.run();
  await upkeep.stop();
  expect(await store.giveBack(10)).toBe(0);
  await store.close();
  // Forty megabytes of events; a few pages are kept for what comes.
  expect((await stat(file)).size).toBeLessThan(16_000_000);
});

test("words of messages that keep coming wait for the next round: it ends", async () => {
  const clock = fixedClock();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  let asked = 0;
  const inbox = {
    ...store.inbox,
    indexWords: () => {
      asked += 1;
      return Promise.resolve(asked === 1 ? 500 : 3);
    },
  };
  const upkeep = startUpkeep({ ...store, inbox, clock, isClockTrusted: () => true, ...nothingOld, log });
  try {
    await upkeep.run();
    expect(asked).toBe(2);
  } finally {
    await upkeep.stop();
    await store.close();
  }
});

test("every round is one row of the audit log, also one that finds nothing; a busy hub puts it off", async () => {
  const clock = fixedClock();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  let isBusy = false;
  const pressure = { lagMs: () => 0, isHigh: () => isBusy, ...countShed(() => isBusy) };
  const upkeep = startUpkeep({
    ...{ ...store, clock, isClockTrusted: () => true, ...nothingOld, pressure },
    log: logBook(),
  });
  onTestFinished(async () => {
    await upkeep.stop();
    await store.close();
  });
  const rounds = async (): Promise<unknown[]> =>
    (await store.audit.list({ limit: 50, page: 1 })).items.map(({ action, actor, details }) => ({
      ...{ action, actor, details },
    }));
  await upkeep.run();
  const nothing = { stanzas: 0, events: 0, attempts: 0, auditEntries: 0, messages: 0, uploads: 0, pages: 0 };
  const row = { action: "store.old_removed", actor: "hub", details: nothing };
  expect(await rounds()).toEqual([row]);
  isBusy = true;
  await upkeep.run();
  expect(await rounds()).toEqual([row]);
  expect(pressure.shed()).toMatchObject({ retention: 1, search_index: 1 });
  isBusy = false;
  await upkeep.run();
  expect(await rounds()).toEqual([row, row]);
});

test("copies that were kept before steps of the schema go after seven days, and nothing else does", async () => {
  const clock = fixedClock();
  const dir = await mkdtemp(join(tmpdir(), "hub-copies-"));
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  const log = logBook();
  const upkeep = startUpkeep({
    ...{ ...store, clock, isClockTrusted: () => true, ...nothingOld, log },
    schemaCopies: createSchemaCopies({ dataDir: dir, log }),
  });
  onTestFinished(async () => {
    await upkeep.stop();
    await store.close();
    await rm(dir, { recursive: true });
  });
  const others = ["hub.db", "hub.db-wal", "hub.db.old", "hub.db.schema-x"];
  const madeAt = (name: string, at: Date) =>
    writeFile(join(dir, name), "x").then(() => utimes(join(dir, name), at, at));
  for (const name of [...others, "hub.db.schema-3", "hub.db.schema-12.half"]) await madeAt(name, clock.now());
  clock.advance(days(6));
  await madeAt("hub.db.schema-20", clock.now());
  await upkeep.run();
  expect((await readdir(dir)).sort()).toEqual(
    [...others, "hub.db.schema-12.half", "hub.db.schema-20", "hub.db.schema-3"].sort(),
  );
  clock.advance(days(1) + 1000);
  await upkeep.run();
  expect((await readdir(dir)).sort()).toEqual([...others, "hub.db.schema-20"].sort());
  expect(log.lines("store.schema_copies_removed")).toMatchObject([
    { facts: { copies: ["hub.db.schema-12.half", "hub.db.schema-3"] } },
  ]);
});
