/** What pushed events leap over: exactly that is read, and no more once the numbers mean nothing. */
import { expect, test } from "vitest";
import { hubDown, type FakeHub } from "../support/fake-hub.ts";
import { HOLE_MS, openFeed, range } from "../support/feed-rig.ts";
import { until } from "../support/until.ts";

/** A loop that asks without a pause would let no timer of the test go off either. */
function endsLoops(hub: FakeHub): void {
  hub.before = () => {
    if (hub.calls.length > 50) throw hubDown();
  };
}

test("pushed events that leave a hole have exactly that hole pulled, and the mark does not move", async () => {
  const { feed, pushed, applied, state, asked } = await openFeed({ events: 100, mark: 50 });
  for (const seq of [51, 52, 60]) pushed(seq);
  await until("the hole is filled", () => applied.length === 7);
  await feed.idle();
  expect(applied).toEqual(range(53, 59));
  expect(asked()).toEqual([{ after: 52, limit: 7 }]);
  expect(state.read().mark).toBe(50);
  await feed.stop();
});

test("pushed events that were only overtaken leave none", async () => {
  const { feed, pushed, applied, asked, state } = await openFeed({ events: 60, mark: 50 });
  for (const seq of [55, 54, 53, 52, 51, 57]) pushed(seq);
  await until("the one that is missing is there", () => applied.length > 0);
  expect(applied).toEqual([56]);
  expect(asked()).toHaveLength(1);
  await feed.read();
  expect(applied).toEqual([56, 58, 59, 60]);
  expect(state.read().mark).toBe(60);
  await feed.stop();
});

test("pushed events whose hole cannot be read now have it read later", async () => {
  const { feed, pushed, hub, applied, log } = await openFeed({ events: 60, mark: 50 });
  hub.before = () => {
    throw hubDown();
  };
  pushed(51);
  pushed(53);
  await until("a first try failed", () => log.lines("feed.hole_stays").length > 0);
  hub.before = () => undefined;
  await until("the hole is filled", () => applied.length === 1);
  expect(applied).toEqual([52]);
  await feed.stop();
});

test("pushed events whose numbers a hub that came back from a backup uses anew are pulled no more", async () => {
  const { feed, pushed, hub, applied, resets, state, happens, asked } = await openFeed({
    events: 40,
    mark: 50,
  });
  // Two holes too far apart to be read together, as the hub counted before.
  for (const seq of [51, ...range(53, 399), 401]) pushed(seq);
  hub.epoch = 2;
  endsLoops(hub);
  await until("the first hole tells of the backup", () => resets.length > 0);
  await feed.idle();
  expect(resets).toEqual(["new_epoch"]);
  expect(asked()).toEqual([
    { after: 51, limit: 1 },
    { after: 0, limit: 1 },
  ]);
  happens(3);
  await feed.read();
  expect(applied).toEqual([41, 42, 43]);
  expect(state.read().mark).toBe(43);
  await feed.stop();
});

test("pushed events whose hole the hub does not read on in have it read later", async () => {
  const { feed, pushed, hub, log, applied } = await openFeed({ events: 60, mark: 50 });
  pushed(51);
  pushed(53);
  const events = hub.events.bind(hub);
  hub.events = async (query) => ({ ...(await events(query)), events: [], nextAfter: query.after });
  endsLoops(hub);
  await until("a first try led nowhere", () => log.lines("feed.hole_stays").length > 0);
  await feed.idle();
  expect(hub.calls).toHaveLength(log.lines("feed.hole_stays").length);
  hub.events = events;
  await until("the hole is filled", () => applied.length === 1);
  expect(applied).toEqual([52]);
  await feed.stop();
});

test("pushed events after a stop pull nothing", async () => {
  const { feed, pushed, asked } = await openFeed({ events: 60, mark: 50 });
  pushed(53);
  await feed.stop();
  pushed(58);
  await new Promise((resolve) => setTimeout(resolve, HOLE_MS * 2)); // nothing to wait for: nothing may happen
  expect(asked()).toEqual([]);
});
