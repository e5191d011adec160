/** Reading the hub's events from a mark: nothing missing, nothing twice, and what happens when the numbers mean nothing. */
import { describe, expect, test } from "vitest";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { createLanes } from "../../bridge/lanes.ts";
import { newConnection } from "../../bridge/registry/next-connection.ts";
import type { ResetReason } from "../../bridge/sync/feed.ts";
import { hubDown, type FakeHub } from "../support/fake-hub.ts";
import { openFeed, range } from "../support/feed-rig.ts";
import { until } from "../support/until.ts";

const ANA = "34600111222@c.us";

describe("reading", () => {
  test("applies everything after the mark, page by page, and moves it", async () => {
    const { feed, applied, state, asked } = await openFeed({ events: 1203, mark: 100 });
    expect(await feed.read()).toEqual({ applied: 1103, from: 100, to: 1203 });
    expect(applied).toEqual(range(101, 1203));
    expect(state.read().mark).toBe(1203);
    expect(asked()).toEqual([100, 600, 1100].map((after) => ({ after, limit: 500 })));
    expect(await feed.read()).toEqual({ applied: 0, from: 1203, to: 1203 });
  });

  test("leaves out what was pushed, and calls that meet share one run", async () => {
    const { feed, pushed, applied, asked } = await openFeed({ events: 10, mark: 1 });
    for (const seq of [2, 3, 5]) pushed(seq);
    const [one, two] = await Promise.all([feed.read(), feed.read()]);
    expect(one).toBe(two);
    expect(applied).toEqual([4, 6, 7, 8, 9, 10]);
    expect(asked()).toHaveLength(1);
  });

  test("stops where the CRM does: the mark stays, and nothing is skipped or forgotten", async () => {
    let isDown = true;
    const done: number[] = [];
    const { feed, state } = await openFeed({
      events: 700,
      mark: 1,
      apply: ({ seq }) => {
        if (isDown && seq >= 550) return Promise.reject(new CrmUnavailable("away"));
        done.push(seq);
        return Promise.resolve({ action: "created" });
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
    const { feed, log } = await openFeed({
      events: 5,
      mark: 1,
      apply: ({ seq }) =>
        Promise.resolve(seq === 3 ? { action: "ignored", rejected: "too long" } : { action: "created" }),
    });
    expect(await feed.read()).toEqual({ applied: 4, from: 1, to: 5 });
    expect(log.lines("feed.rejected").map(({ facts }) => facts["seq"])).toEqual([3]);
  });

  test("passes an event that breaks the bridge itself, once it has broken three readings", async () => {
    const done: number[] = [];
    const { feed, log, aside, state } = await openFeed({
      events: 5,
      mark: 1,
      apply: ({ seq }) => {
        if (seq === 3) throw new TypeError("nobody foresaw it");
        done.push(seq);
        return Promise.resolve({ action: "created" });
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
    const { feed, hub, state } = await openFeed({ events: 5, mark: 1 });
    hub.before = () => {
      throw hubDown();
    };
    await expect(feed.read()).rejects.toThrow("does not answer");
    hub.before = () => undefined;
    await feed.read();
    expect(state.read().mark).toBe(5);
  });

  test("begins no later event of a chat while it is asked whether one that failed may be passed", async () => {
    const lanes = createLanes();
    const begun: number[] = [];
    const done: number[] = [];
    let isDown = true;
    let answer: () => void = () => undefined;
    const { feed, hub } = await openFeed({
      mark: 1,
      apply: ({ seq }) =>
        lanes.run("chat", () => {
          begun.push(seq);
          if (seq === 2 && isDown) return Promise.reject(new CrmUnavailable("HTTP 500"));
          done.push(seq);
          return Promise.resolve({ action: "created" });
        }),
      checkCrm: () => new Promise((resolve) => (answer = resolve)),
    });
    for (let n = 0; n < 21; n += 1) hub.receives("s1", { chatId: ANA });
    const reading = feed.read();
    reading.catch(() => undefined);
    await until("those that had begun are through", () => begun.length >= 8);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual(range(2, 9));
    answer();
    await expect(reading).rejects.toThrow(CrmUnavailable);
    expect(begun).toEqual(range(2, 9));
    isDown = false;
    expect(await feed.read()).toMatchObject({ to: 21 });
    expect(done.slice(7)).toEqual([2, ...range(10, 21)]);
  });

  test("keeps the order of each chat, whatever takes how long", async () => {
    const order = new Map<string, number[]>();
    const tails = new Map<string, Promise<unknown>>();
    const { feed } = await openFeed({
      events: 200,
      mark: 1,
      // As applying does: the chat's lane is taken at once.
      apply: ({ seq, data }) => {
        const { chatId } = data["message"] as { chatId: string }; // as the fake hub made it
        const result = (tails.get(chatId) ?? Promise.resolve()).then(async () => {
          for (let wait = seq % 3; wait > 0; wait -= 1) await new Promise((resolve) => setImmediate(resolve));
          order.set(chatId, [...(order.get(chatId) ?? []), seq]);
          return { action: "created" as const };
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
    const { feed, state, applied, resets, happens } = await openFeed({ events: 40, known: false });
    expect(await feed.read()).toEqual({ applied: 0, from: 0, to: 40 });
    expect(resets).toEqual(["new_hub"]);
    expect(state.read()).toMatchObject({ mark: 40, hub: { hubId: "hub_1", epoch: 1 } });
    happens(2);
    await feed.read();
    expect(applied).toEqual([41, 42]);
  });

  test.each<[ResetReason, (hub: FakeHub) => void]>([
    ["new_hub", (hub) => (hub.hubId = "hub_2")],
    ["new_epoch", (hub) => (hub.epoch = 2)],
    ["expired", (hub) => (hub.oldestSeq = 25)],
  ])("because of %s is set to the end", async (why, happened) => {
    const { feed, hub, state, resets, applied } = await openFeed({ events: 40, mark: 10 });
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

  test("because it expired says of each session since when its events are lost", async () => {
    const { feed, hub, state, happens } = await openFeed({ events: 40, mark: 10 });
    await state.update((data) => {
      data.connections["s1"] = newConnection("s1");
    });
    await feed.read();
    const told = Date.parse(hub.store.events.at(-1)?.timestamp ?? "") / 1000;
    expect(state.read()).toMatchObject({ mark: 40, markAt: told, lostEvents: {} });
    happens(20);
    hub.oldestSeq = 55;
    await feed.read();
    // Clocks may be set by so much.
    expect(state.read().lostEvents).toEqual({ s1: { since: told - 120, cursor: null } });
  });

  test("because it is ahead of the hub is set back, and numbers used before count anew", async () => {
    const { feed, pushed, state, resets, applied, happens } = await openFeed({ events: 40, mark: 100 });
    for (const seq of range(101, 120)) pushed(seq);
    await feed.read();
    expect(resets).toEqual(["ahead"]);
    expect(state.read().mark).toBe(40);
    happens(70);
    await feed.read();
    expect(applied).toEqual(range(41, 110));
  });

  test("because pushed events are ahead of the hub is reset, although the mark itself lay behind", async () => {
    const { feed, pushed, state, resets, applied, happens } = await openFeed({ events: 40, mark: 30 });
    // Pushed before the hub was restored: its numbers are used a second time.
    for (const seq of range(31, 60)) pushed(seq);
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
    const { feed, state, applied, happens } = await openFeed({
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
    const { feed, hub, state } = await openFeed({ events: 40, mark: 10 });
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
        disconnectOrderedAt: null,
        disconnectOrderedSeq: null,
        connectOrderedBy: null,
        connectOrderedAt: null,
        connectOrderedSeq: null,
        createdBy: null,
        reconnectAttempts: 0,
        seq: 5000,
      };
    });
    hub.epoch = 2;
    await feed.read();
    expect(state.read().connections["s1"]?.seq).toBe(0);
  });
});
