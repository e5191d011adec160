/** The hub's round removes old messages where somebody said so: of a session, or of all that say nothing themselves. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { createMediaFiles } from "../../hub/inbox/media-files.ts";
import { startUpkeep } from "../../hub/store/upkeep.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { aMedia, aMessageFact, aNewSession, T0_SECONDS } from "../support/builders.ts";
import { fixedClock, hours } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";

const days = (count: number): number => hours(24 * count);
const CHAT = "34600111222@s.whatsapp.net";

async function aHub({
  retentionDays = null,
  isTrusted = true,
  isOnDisk = false,
}: { retentionDays?: number | null; isTrusted?: boolean; isOnDisk?: boolean } = {}) {
  const dir = await mkdtemp(join(tmpdir(), "old-messages-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const clock = fixedClock();
  const log = logBook();
  const file = isOnDisk ? join(dir, "hub.db") : ":memory:";
  const store = await openSqliteStore({ file, publicUrl: "http://hub.example", clock });
  const files = createMediaFiles(join(dir, "media"));
  const damaged = new Set<string>();
  const upkeep = startUpkeep({
    ...{ ...store, clock, log, retentionDays, isClockTrusted: () => isTrusted },
    removeFile: (mediaId) =>
      damaged.has(mediaId) ? Promise.reject(new Error("EIO")) : files.remove(mediaId),
  });
  onTestFinished(async () => {
    await upkeep.stop();
    await store.close();
  });

  return {
    ...{ clock, log, store, files, damaged, upkeep },
    session: async (sessionId: string, ownDays: number | null, phoneNumber: string) => {
      const { settings, ...rest } = aNewSession({ sessionId, phoneNumber, lid: null });
      await store.sessions.create({ ...rest, settings: { ...settings, retentionDays: ownDays } });
    },
    says: (sessionId: string, change = {}) =>
      store.inbox.record({
        ...{ sessionId, facts: [aMessageFact({ sessionId, ...change })], closes: [], now: clock.now() },
      }),
    total: async (sessionId: string) => (await store.inbox.coverage(sessionId)).messages,
    /** Names of the files in which these bytes stand. */
    onDisk: async (word: string) => {
      const names: string[] = [];
      for (const name of (await readdir(dir)).filter((each) => each.startsWith("hub.db")))
        if ((await readFile(join(dir, name))).includes(word)) names.push(name);
      return names;
    },
    removedCounts: () => log.lines("store.old_removed").map(({ facts }) => facts["messages"]),
  };
}

test("a session's own limit wins over the hub's, the hub's counts for the others, without both all stays", async () => {
  const hub = await aHub({ retentionDays: 60 });
  await hub.session("s1", 10, "34600999881");
  await hub.session("s2", null, "34600999882");
  for (let n = 0; n < 450; n++) await hub.says("s1");
  await hub.says("s2");
  hub.clock.advance(days(9));
  await hub.upkeep.run();
  expect(hub.removedCounts()).toEqual([]);

  hub.clock.advance(days(2));
  await hub.says("s1", { timestamp: T0_SECONDS + 11 * 86_400 });
  await hub.upkeep.run();
  expect([await hub.total("s1"), await hub.total("s2")]).toEqual([1, 1]);
  expect(hub.removedCounts()).toEqual([450]);
  const { items } = await hub.store.audit.list({ limit: 1, page: 1 });
  expect(items[0]).toMatchObject({ action: "store.old_removed", details: { messages: 450 } });

  hub.clock.advance(days(50));
  await hub.upkeep.run();
  expect([await hub.total("s1"), await hub.total("s2")]).toEqual([0, 0]);

  const keeping = await aHub();
  await keeping.session("s1", null, "34600999881");
  await keeping.says("s1");
  keeping.clock.advance(days(4000));
  await keeping.upkeep.run();
  expect(await keeping.total("s1")).toBe(1);
});

test("nothing goes while the clock is in doubt; of a deleted session they go as well", async () => {
  const doubted = await aHub({ retentionDays: 30, isTrusted: false });
  await doubted.session("s1", null, "34600999881");
  await doubted.says("s1");
  doubted.clock.advance(days(31));
  await doubted.upkeep.run();
  expect(await doubted.total("s1")).toBe(1);

  const hub = await aHub({ retentionDays: 30 });
  await hub.session("s1", null, "34600999881");
  await hub.says("s1");
  const session = await hub.store.sessions.get("s1");
  if (session === null) throw new Error("no session");
  await hub.store.sessions.save({ ...session, deletedAt: hub.clock.now() }, []);
  hub.clock.advance(days(31));
  await hub.upkeep.run();
  expect(await hub.total("s1")).toBe(0);
});

test("files leave the disk with their messages; one that cannot be removed is tried again in the next round", async () => {
  const hub = await aHub({ retentionDays: 30 });
  await hub.session("s1", null, "34600999881");
  const kept = [aMedia(), aMedia(), aMedia()];
  const [first, second, young] = kept.map(({ mediaId }) => mediaId);
  if (first === undefined || second === undefined || young === undefined) throw new Error("three files");
  for (const media of kept) {
    const timestamp = media.mediaId === young ? T0_SECONDS + 20 * 86_400 : T0_SECONDS;
    await hub.says("s1", { type: "image", media, timestamp });
    const rules = { capBytes: 100, tooBig: () => new Error("too big") };
    await hub.files.write(media.mediaId, Readable.from([Buffer.from("bytes")]), rules);
  }
  const onDisk = () => Promise.all([first, second, young].map((mediaId) => hub.files.sizeOf(mediaId)));
  hub.damaged.add(first);
  hub.clock.advance(days(31));
  await hub.upkeep.run();
  expect(await onDisk()).toEqual([5, null, 5]);
  expect(hub.log.lines("media.not_removed")).toHaveLength(1);
  expect(await hub.store.inbox.chat("s1", CHAT)).toMatchObject({ messageCount: 1, removedMessages: 2 });
  hub.damaged.clear();
  await hub.upkeep.run();
  expect(await onDisk()).toEqual([null, null, 5]);
});

test("a stop ends the round after the batch at hand, and the next hub goes on", async () => {
  const hub = await aHub({ retentionDays: 30 });
  await hub.session("s1", null, "34600999881");
  for (let n = 0; n < 450; n++) await hub.says("s1");
  hub.clock.advance(days(31));
  const round = hub.upkeep.run();
  await hub.upkeep.stop();
  await round;
  const left = await hub.total("s1");
  expect(left).toBeGreaterThan(0);
  const next = startUpkeep({
    ...{ ...hub.store, clock: hub.clock, log: hub.log, retentionDays: 30, isClockTrusted: () => true },
    removeFile: () => Promise.resolve(),
  });
  await next.run();
  await next.stop();
  expect(await hub.total("s1")).toBe(0);
});

test("no word of an old message stands on the disk after the round, in the index of search either; that is written anew once a day", async () => {
  const hub = await aHub({ retentionDays: 30, isOnDisk: true });
  await hub.session("s1", null, "34600999881");
  const says = (day: number, content: string) =>
    hub.says("s1", { content, timestamp: T0_SECONDS + day * 86_400 });
  // Few among many: the index of search drops by itself what is mostly gone.
  await says(0, "zanahoria");
  await says(1, "calabaza");
  for (let n = 0; n < 60; n++) await says(20, `berenjena${n} ${"x".repeat(n * 50)}`);
  await hub.store.inbox.indexWords(100);
  hub.clock.advance(days(31) - hours(12));
  await hub.upkeep.run();
  expect(await hub.total("s1")).toBe(61);
  expect(await hub.onDisk("zanahoria")).toEqual([]);
  expect(await hub.onDisk("berenjena")).not.toEqual([]);

  hub.clock.advance(hours(20));
  await hub.upkeep.run();
  expect(await hub.total("s1")).toBe(60);
  expect(await hub.onDisk("calabaza")).toEqual(["hub.db"]);
  hub.clock.advance(hours(5));
  await hub.upkeep.run();
  expect(await hub.onDisk("calabaza")).toEqual([]);
  const search = { sessionId: "s1", search: "berenjena7", order: "desc", limit: 9, page: 1 } as const;
  expect((await hub.store.inbox.messages(search)).total).toBe(1);
});
