/** One event over which the CRM or the hub fails again and again: the mark passes it, and what is everybody's trouble stops it. */
import { describe, expect, test } from "vitest";
import { CrmMisconfigured, CrmUnavailable, HubUnavailable } from "../../bridge/errors.ts";
import type { EventName, HubEvent } from "../../hub/contract/index.ts";
import type { Action } from "../../bridge/applied.ts";
import { T0 } from "../support/builders.ts";
import type { FakeHub } from "../support/fake-hub.ts";
import { openFeed } from "../support/feed-rig.ts";
import { fixedClock, minutes } from "../support/fixed-clock.ts";

/** A feed of five events, of which the third meets `failure`. */
async function feedWith({
  failure,
  checkCrm = () => Promise.resolve(),
  others = () => null,
  events = 5,
  given = () => undefined,
}: {
  failure: () => Error | null;
  checkCrm?: () => Promise<void>;
  others?: (event: HubEvent) => Error | null;
  events?: number;
  given?: (hub: FakeHub) => void;
}) {
  const clock = fixedClock();
  const done: number[] = [];
  const rig = await openFeed({
    events,
    mark: 1,
    clock,
    checkCrm,
    apply: (event) => {
      const { seq } = event;
      if (event.event === "endpoint.test") return Promise.resolve({ action: "ignored" });
      const error = seq === 3 ? failure() : others(event);
      if (error !== null) return Promise.reject(error);
      done.push(seq);
      return Promise.resolve({ action: "created" });
    },
  });
  given(rig.hub);
  /** True: it came to the end. */
  const reads = async (): Promise<boolean> => {
    const end = await rig.feed.read().then(
      () => true,
      () => false,
    );
    clock.advance(minutes(5));
    return end;
  };
  return { ...rig, clock, done, reads };
}

const crmFails = () => new CrmUnavailable("PUT /api/resource/WhatsApp Contact/34600111222@c.us: HTTP 500");
const crmSays = (code: string) => () => new CrmUnavailable("It fails.", { code });
const hubFails = (status: number | null) => () =>
  new HubUnavailable("The hub failed over 34600111222@c.us.", { code: "INTERNAL_ERROR", status });

describe("an event is set aside", () => {
  test.each<[string, () => Error]>([
    ["the CRM fails", crmFails],
    ["the CRM wants other rights", () => new CrmMisconfigured("not permitted: 34600111222@c.us")],
    ["the hub fails", hubFails(500)],
    ["the hub has no answer", hubFails(404)],
  ])("over which %s in three readings, while others are applied", async (_what, failure) => {
    const { feed, happens, aside, state, done, reads, log } = await feedWith({ failure });
    expect(await reads()).toBe(false);
    happens(1);
    expect(await reads()).toBe(false);
    expect([state.read().mark, aside]).toEqual([1, []]);
    expect(await reads()).toBe(true);
    expect([state.read().mark, aside]).toEqual([6, [3]]);
    expect(done.toSorted()).toEqual([2, 4, 5, 6]);
    expect(await feed.read()).toMatchObject({ applied: 0 });
    expect(log.lines("feed.set_aside")).toHaveLength(1);
    expect(log.text()).not.toContain("34600111222");
  });
});

describe("an event is waited for", () => {
  test.each<[string, () => Error]>([
    ["asks for patience", () => new CrmUnavailable("limited", { retryAfterSeconds: 30 })],
    ["gets no answer from the hub", hubFails(null)],
    ["finds a proxy in the place of the hub", hubFails(502)],
    ["finds a hub that wants another key", hubFails(401)],
    ["gets no answer from the CRM", crmSays("ETIMEDOUT")],
    ["finds a proxy in the place of the CRM", crmSays("HTTP_502")],
    ["is too slow for that proxy", crmSays("HTTP_504")],
    ["finds a table locked", crmSays("QueryTimeoutError")],
    ["finds the CRM's file locked", crmSays("SQLITE_BUSY")],
  ])("that %s, however often", async (_what, failure) => {
    let isBroken = true;
    const { happens, aside, state, reads } = await feedWith({
      failure: () => (isBroken ? failure() : null),
    });
    for (let n = 0; n < 6; n += 1) {
      expect(await reads()).toBe(false);
      happens(1);
    }
    expect([state.read().mark, aside]).toEqual([1, []]);
    isBroken = false;
    expect(await reads()).toBe(true);
    expect([state.read().mark, aside]).toEqual([11, []]);
  });

  test("while the CRM is away, and from then on three readings more", async () => {
    let isAway = true;
    const { pushed, happens, aside, reads } = await feedWith({
      failure: crmFails,
      checkCrm: () => (isAway ? Promise.reject(new CrmUnavailable("away")) : Promise.resolve()),
    });
    for (let n = 0; n < 6; n += 1) expect(await reads()).toBe(false);
    isAway = false;
    expect([await reads(), await reads(), aside]).toEqual([false, false, []]);
    happens(1);
    pushed(6);
    expect([await reads(), aside]).toEqual([true, [3]]);
  });

  test("while the CRM takes nothing else either, though it can be asked", async () => {
    let isFull = true;
    const { pushed, aside, state, reads } = await feedWith({
      failure: crmFails,
      others: () => (isFull ? crmFails() : null),
    });
    for (let n = 0; n < 6; n += 1) expect(await reads()).toBe(false);
    expect([state.read().mark, aside]).toEqual([1, []]);
    isFull = false;
    pushed(5);
    expect([await reads(), aside]).toEqual([true, [3]]);
  });

  test("while all that went well went nowhere near the CRM, pushed or in the page", async () => {
    const { hub, pushed, aside, state, reads } = await feedWith({
      failure: crmFails,
      others: crmFails,
      given: ({ store }) => void store.emit("endpoint.test", "_hub", { hello: true }),
    });
    const pass: [EventName, Action][] = [
      ["call.received", "ignored"],
      ["session.alert", "ignored"],
      ["group.participants", "ignored"],
      ["history.synced", "sync_started"],
      ["message.read", "duplicate"],
    ];
    for (const [event, action] of pass) {
      expect(await reads()).toBe(false);
      hub.store.emit("delivery.dead", "_hub", {});
      pushed(hub.store.seq(), event, action);
    }
    expect(await reads()).toBe(false);
    expect([state.read().mark, aside]).toEqual([1, []]);
  });

  test("while the CRM takes contacts, but no messages", async () => {
    let isLocked = true;
    const { happens, hub, clock, aside, done, state, reads } = await feedWith({
      failure: () => null,
      others: ({ event }) => (isLocked && event.startsWith("message.") ? crmFails() : null),
    });
    for (let n = 0; n < 12; n += 1) {
      happens(1);
      hub.changesContact("s1", "34600000001@c.us", { name: `Ana ${n}` });
      await reads();
    }
    expect(clock.now().getTime() - T0.getTime()).toBeGreaterThan(minutes(30));
    expect(aside).toEqual([]);
    isLocked = false;
    expect([await reads(), aside, state.read().mark]).toEqual([true, [], 29]);
    expect(new Set(done).size).toBe(28);
  });

  test("while the CRM took messages only before it failed, in the same page", async () => {
    let isLocked = false;
    const { aside, reads } = await feedWith({
      events: 40,
      failure: () => null,
      others: ({ seq }) => {
        isLocked ||= seq === 20;
        return isLocked ? crmFails() : null;
      },
    });
    for (let n = 0; n < 6; n += 1) expect(await reads()).toBe(false);
    expect(aside).toEqual([]);
  });

  test("for five minutes at least: a record may be locked", async () => {
    const { feed, happens, clock, aside } = await feedWith({ failure: crmFails });
    for (let n = 0; n < 10; n += 1) {
      await expect(feed.read()).rejects.toThrow(CrmUnavailable);
      if (n === 0) happens(1);
    }
    clock.advance(minutes(4));
    await expect(feed.read()).rejects.toThrow(CrmUnavailable);
    expect(aside).toEqual([]);
    clock.advance(minutes(1));
    expect(await feed.read()).toMatchObject({ to: 6 });
    expect(aside).toEqual([3]);
  });

  test("that was applied by a push meanwhile is passed as any other", async () => {
    const { pushed, aside, reads } = await feedWith({ failure: crmFails });
    await reads();
    pushed(3);
    expect([await reads(), aside]).toEqual([true, []]);
  });
});
