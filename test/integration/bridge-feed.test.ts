/** Reading the hub's events from a mark: nothing missing, nothing twice, and what happens when the numbers mean nothing. */
import { describe, expect, test } from "vitest";
import { systemClock } from "../../bridge/clock.ts";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { createFeed, type FeedParts, type ResetReason } from "../../bridge/sync/feed.ts";
import type { HubEvent } from "../../hub/contract/index.ts";
import { createFakeHub, hubDown } from "../support/fake-hub.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

const HOLE_MS = 30;

async function open({
  events = 0,
  mark = 0,
  known = true,
  ...change
}: Partial<FeedParts> & { events?: number; mark?: number; known?: boolean } = {}) {
  const hub = createFakeHub();
  hub.store.addSession({ sessionId: "s1" });
  const happens = (count: number): void => {
    for (let n = 0; n < count; n += 1) hub.receives("s1", { chatId: `3460000000${n % 5}@c.us` });
  };
  happens(events);
  const state = createMemoryState();
  await state.update((data) => {
    data.mark = mark;
    if (known) data.hub = { hubId: hub.hubId, epoch: hub.epoch };
  });
  const applied: number[] = [];
  const resets: ResetReason[] = [];
  const aside: number[] = [];
  const log = logBook();
  const feed = createFeed({
    hub,
    state,
    apply: ({ seq }: HubEvent) => {
      applied.push(seq);
      return Promise.resolve({});
    },
    setAside: ({ seq }) => {
      aside.push(seq);
      return Promise.resolve();
    },
    onReset: (why) => {
      resets.push(why);
      return Promise.resolve();
    },
    clock: systemClock,
    log,
    holeMs: HOLE_MS,
    ...change,
  });
  const asked = () =>
    hub.calls
      .filter(({ method }) => method === "events")
      .map(({ args }) => args[0] as { after: number; limit: number }); // what the method takes
  return { hub, happens, state, feed, applied, aside, resets, log, asked };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("reading", () => {
  test("applies everything after the mark, page by page, and moves it", async () => {
    const { feed, applied, state, asked } = await open({ events: 1203, mark: 100 });
    expect(await feed.read()).toEqual({ applied: 1103, from: 100, to: 1203 });
    expect(applied).toEqual(range(101, 1203));
    expect(state.read().mark).toBe(1203);
    expect(asked()).toEqual([100, 600, 1100].map((after) => ({ after, limit: 500 })));
    expect(await feed.read()).toEqual({ applied: 0, from: 1203, to: 1203 });
  });

  test("leaves out what was pushed, and calls that meet share one run", async () => {
    const { feed, applied, asked } = await open({ events: 10, mark: 1 });
    for (const seq of [2, 3, 5]) feed.noticed(seq);
    const [one, two] = await Promise.all([feed.read(), feed.read()]);
    expect(one).toBe(two);
    expect(applied).toEqual([4, 6, 7, 8, 9, 10]);
    expect(asked()).toHaveLength(1);
  });

  test("stops where the CRM does: the mark stays, and nothing is skipped or forgotten", async () => {
    let isDown = true;
    const done: number[] = [];
    const { feed, state } = await open({
      events: 700,
      mark: 1,
      apply: ({ seq }) => {
        if (isDown && seq >= 550) return Promise.reject(new CrmUnavailable("away"));
        done.push(seq);
        return Promise.resolve({});
      },
    });
    await expect(feed.read()).rejects.toThrow(CrmUnavailable);
    expect(state.read().mark).toBe(501);
    isDown = false;
    expect(await feed.read()).toMatchObject({ from: 501, to: 700 });
    expect(new Set(done).size).toBe(699);
    expect(done).toHaveLength(699);
  });

  test("passes an event that the CRM will never take", async () => {
    const { feed, log } = await open({
      events: 5,
      mark: 1,
      apply: ({ seq }) => Promise.resolve(seq === 3 ? { rejected: "too long" } : {}),
    });
    expect(await feed.read()).toEqual({ applied: 4, from: 1, to: 5 });
    expect(log.lines("feed.rejected").map(({ facts }) => facts["seq"])).toEqual([3]);
  });

  test("passes an event that breaks the bridge itself, once it has broken three readings", async () => {
    const done: number[] = [];
    const { feed, log, aside, state } = await open({
      events: 5,
      mark: 1,
      apply: ({ seq }) => {
        if (seq === 3) throw new TypeError("nobody foresaw it");
        done.push(seq);
        return Promise.resolve({});
      },
    });
    for (let n = 0; n < 2; n += 1) await expect(feed.read()).rejects.toThrow("nobody foresaw it");
    expect([state.read().mark, aside]).toEqual([1, []]);
    expect(await feed.read()).toMatchObject({ to: 5 });
    expect(aside).toEqual([3]);
    expect(done.toSorted()).toEqual([2, 4, 5]);
    expect(log.lines("feed.set_aside")).toHaveLength(1);
  });

  test("is told when the hub does not answer", async () => {
    const { feed, hub, state } = await open({ events: 5, mark: 1 });
    hub.before = () => {
      throw hubDown();
    };
    await expect(feed.read()).rejects.toThrow("does not answer");
    hub.before = () => undefined;
    await feed.read();
    expect(state.read().mark).toBe(5);
  });

  test("keeps the order of each chat, whatever takes how long", async () => {
    const order = new Map<string, number[]>();
    const tails = new Map<string, Promise<unknown>>();
    const { feed } = await open({
      events: 200,
      mark: 1,
      // As applying does: the chat's lane is taken at once.
      apply: ({ seq, data }) => {
        const { chatId } = data["message"] as { chatId: string }; // as the fake hub made it
        const result = (tails.get(chatId) ?? Promise.resolve()).then(async () => {
          for (let wait = seq % 3; wait > 0; wait -= 1) await new Promise((resolve) => setImmediate(resolve));
          order.set(chatId, [...(order.get(chatId) ?? []), seq]);
          return {};
        });
        tails.set(chatId, result);
        return result;
      },
    });
    await feed.read();
    expect([...order.values()].flat()).toHaveLength(199);
    for (const seqs of order.values()) expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  });
});

describe("a mark that means nothing", () => {
  test("at the first start takes the newest event, and everything is asked for", async () => {
    const { feed, state, applied, resets, happens } = await open({ events: 40, known: false });
    expect(await feed.read()).toEqual({ applied: 0, from: 0, to: 40 });
    expect(resets).toEqual(["new_hub"]);
    expect(state.read()).toMatchObject({ mark: 40, hub: { hubId: "hub_1", epoch: 1 } });
    happens(2);
    await feed.read();
    expect(applied).toEqual([41, 42]);
  });

  test.each<[ResetReason, (hub: ReturnType<typeof createFakeHub>) => void]>([
    ["new_hub", (hub) => (hub.hubId = "hub_2")],
    ["new_epoch", (hub) => (hub.epoch = 2)],
    ["expired", (hub) => (hub.oldestSeq = 25)],
  ])("because of %s is set to the end", async (why, happened) => {
    const { feed, hub, state, resets, applied } = await open({ events: 40, mark: 10 });
    await state.update((data) => {
      data.syncedUntil["s1"] = 5;
    });
    happened(hub);
    await feed.read();
    expect(resets).toEqual([why]);
    expect(applied).toEqual([]);
    expect(state.read()).toMatchObject({
      mark: 40,
      hub: { hubId: hub.hubId, epoch: hub.epoch },
      syncedUntil: {},
    });
  });

  test("because it is ahead of the hub is set back, and numbers used before count anew", async () => {
    const { feed, state, resets, applied, happens } = await open({ events: 40, mark: 100 });
    for (const seq of range(101, 120)) feed.noticed(seq);
    await feed.read();
    expect(resets).toEqual(["ahead"]);
    expect(state.read().mark).toBe(40);
    happens(70);
    await feed.read();
    expect(applied).toEqual(range(41, 110));
  });

  test("because pushed events are ahead of the hub is reset, although the mark itself lay behind", async () => {
    const { feed, state, resets, applied, happens } = await open({ events: 40, mark: 30 });
    // Pushed before the hub was restored: its numbers are used a second time.
    for (const seq of range(31, 60)) feed.noticed(seq);
    await feed.read();
    expect(resets).toEqual(["ahead"]);
    expect(state.read().mark).toBe(40);
    happens(5);
    await feed.read();
    expect(applied).toEqual(range(41, 45));
    expect(resets).toHaveLength(1);
  });

  test("is reset again when what must follow fails, and the end is the one from before it", async () => {
    let fails = true;
    let meanwhile: () => void = () => undefined;
    const { feed, state, applied, happens } = await open({
      events: 40,
      known: false,
      onReset: () => {
        meanwhile();
        return fails ? Promise.reject(hubDown()) : Promise.resolve();
      },
    });
    await expect(feed.read()).rejects.toThrow();
    expect(state.read()).toMatchObject({ mark: 0, hub: null });
    fails = false;
    meanwhile = () => happens(3);
    await feed.read();
    expect(state.read().mark).toBe(40);
    await feed.read();
    expect(applied).toEqual([41, 42, 43]);
  });

  test("forgets what the registry's rows were numbered with", async () => {
    const { feed, hub, state } = await open({ events: 40, mark: 10 });
    await state.update((data) => {
      data.connections["s1"] = {
        sessionId: "s1",
        sessionName: null,
        sessionDbId: null,
        phoneNumber: null,
        status: "connected",
        sessionExists: true,
        lastConnectedAt: null,
        lastDisconnectedAt: null,
        lastDisconnectReason: null,
        manuallyDisconnected: false,
        disconnectedBy: null,
        reconnectAttempts: 0,
        seq: 5000,
      };
    });
    hub.epoch = 2;
    await feed.read();
    expect(state.read().connections["s1"]?.seq).toBe(0);
  });
});

describe("pushed events", () => {
  test("that leave a hole have exactly that hole pulled, and the mark does not move", async () => {
    const { feed, applied, state, asked } = await open({ events: 100, mark: 50 });
    for (const seq of [51, 52, 60]) feed.noticed(seq);
    await until("the hole is filled", () => applied.length === 7);
    await feed.idle();
    expect(applied).toEqual(range(53, 59));
    expect(asked()).toEqual([{ after: 52, limit: 7 }]);
    expect(state.read().mark).toBe(50);
    await feed.stop();
  });

  test("that were only overtaken leave none", async () => {
    const { feed, applied, asked, state } = await open({ events: 60, mark: 50 });
    for (const seq of [55, 54, 53, 52, 51, 57]) feed.noticed(seq);
    await until("the one that is missing is there", () => applied.length > 0);
    expect(applied).toEqual([56]);
    expect(asked()).toHaveLength(1);
    await feed.read();
    expect(applied).toEqual([56, 58, 59, 60]);
    expect(state.read().mark).toBe(60);
    await feed.stop();
  });

  test("whose hole cannot be read now have it read later", async () => {
    const { feed, hub, applied, log } = await open({ events: 60, mark: 50 });
    hub.before = () => {
      throw hubDown();
    };
    feed.noticed(51);
    feed.noticed(53);
    await until("a first try failed", () => log.lines("feed.hole_stays").length > 0);
    hub.before = () => undefined;
    await until("the hole is filled", () => applied.length === 1);
    expect(applied).toEqual([52]);
    await feed.stop();
  });

  test("after a stop pull nothing", async () => {
    const { feed, asked } = await open({ events: 60, mark: 50 });
    feed.noticed(53);
    await feed.stop();
    feed.noticed(58);
    await new Promise((resolve) => setTimeout(resolve, HOLE_MS * 2)); // nothing to wait for: nothing may happen
    expect(asked()).toEqual([]);
  });
});
