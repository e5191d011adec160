/** One event over which the CRM or the hub fails again and again: the mark passes it, and what is everybody's trouble stops it. */
import { describe, expect, test } from "vitest";
import { CrmMisconfigured, CrmUnavailable, HubUnavailable } from "../../bridge/errors.ts";
import { openFeed } from "../support/feed-rig.ts";
import { fixedClock, minutes } from "../support/fixed-clock.ts";

/** A feed of five events, of which the third meets `failure`. */
async function feedWith({
  failure,
  checkCrm = () => Promise.resolve(),
  others = () => null,
}: {
  failure: () => Error | null;
  checkCrm?: () => Promise<void>;
  others?: () => Error | null;
}) {
  const clock = fixedClock();
  const done: number[] = [];
  const rig = await openFeed({
    events: 5,
    mark: 1,
    clock,
    checkCrm,
    apply: ({ seq }) => {
      const error = seq === 3 ? failure() : others();
      if (error !== null) return Promise.reject(error);
      done.push(seq);
      return Promise.resolve({});
    },
  });
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
const hubFails = (status: number | null) => () =>
  new HubUnavailable("The hub failed over 34600111222@c.us.", { code: "INTERNAL_ERROR", status });

describe("an event is set aside", () => {
  test.each<[string, () => Error]>([
    ["the CRM fails", crmFails],
    ["the CRM wants other rights", () => new CrmMisconfigured("not permitted: 34600111222@c.us")],
    ["the hub fails", hubFails(500)],
    ["the hub has no answer", hubFails(404)],
  ])("over which %s in three readings, while others are applied", async (_what, failure) => {
    const { feed, aside, state, done, reads, log } = await feedWith({ failure });
    expect([await reads(), await reads()]).toEqual([false, false]);
    expect([state.read().mark, aside]).toEqual([1, []]);
    expect(await reads()).toBe(true);
    expect([state.read().mark, aside]).toEqual([5, [3]]);
    expect(done.toSorted()).toEqual([2, 4, 5]);
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
  ])("that %s, however often", async (_what, failure) => {
    let isBroken = true;
    const { aside, state, reads } = await feedWith({ failure: () => (isBroken ? failure() : null) });
    for (let n = 0; n < 6; n += 1) expect(await reads()).toBe(false);
    expect([state.read().mark, aside]).toEqual([1, []]);
    isBroken = false;
    expect(await reads()).toBe(true);
    expect([state.read().mark, aside]).toEqual([5, []]);
  });

  test("while the CRM is away, and from then on three readings more", async () => {
    let isAway = true;
    const { feed, happens, aside, reads } = await feedWith({
      failure: crmFails,
      checkCrm: () => (isAway ? Promise.reject(new CrmUnavailable("away")) : Promise.resolve()),
    });
    for (let n = 0; n < 6; n += 1) expect(await reads()).toBe(false);
    isAway = false;
    expect([await reads(), await reads(), aside]).toEqual([false, false, []]);
    happens(1);
    feed.noticed(6);
    expect([await reads(), aside]).toEqual([true, [3]]);
  });

  test("while the CRM takes nothing else either, though it can be asked", async () => {
    let isFull = true;
    const { feed, aside, state, reads } = await feedWith({
      failure: crmFails,
      others: () => (isFull ? crmFails() : null),
    });
    for (let n = 0; n < 6; n += 1) expect(await reads()).toBe(false);
    expect([state.read().mark, aside]).toEqual([1, []]);
    isFull = false;
    feed.noticed(5);
    expect([await reads(), aside]).toEqual([true, [3]]);
  });

  test("for five minutes at least: a record may be locked", async () => {
    const { feed, clock, aside } = await feedWith({ failure: crmFails });
    for (let n = 0; n < 10; n += 1) await expect(feed.read()).rejects.toThrow(CrmUnavailable);
    clock.advance(minutes(4));
    await expect(feed.read()).rejects.toThrow(CrmUnavailable);
    expect(aside).toEqual([]);
    clock.advance(minutes(1));
    expect(await feed.read()).toMatchObject({ to: 5 });
    expect(aside).toEqual([3]);
  });

  test("that was applied by a push meanwhile is passed as any other", async () => {
    const { feed, aside, reads } = await feedWith({ failure: crmFails });
    await reads();
    feed.noticed(3);
    expect([await reads(), aside]).toEqual([true, []]);
  });
});
