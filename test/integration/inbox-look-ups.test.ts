/** Everybody of a session is looked up in the hub's own time, who is active first, until nobody is left. */
import { expect, test } from "vitest";
import { hours } from "../support/fixed-clock.ts";
import { lookUpRig, people, person } from "../support/look-up-rig.ts";
import { until } from "../support/until.ts";

const rig = lookUpRig();
const { restart, know, writes, contactOf, wishes, untilAsked, settle } = rig;

test("everybody who never was is looked up once, the one with the newest message first", async () => {
  await writes(4, 1);
  await writes(5, 2);
  rig.profiles.want(await contactOf(person(3)));
  await rig.profiles.idle();
  expect(await rig.profiles.wantAll("s1", null)).toBe(5);
  await until("the wish is done", async () => (await wishes()).length === 0);
  expect(rig.asked).toEqual([3, 5, 4, 0, 1, 2].map(person));
  expect(await rig.profiles.wantAll("s1", null)).toBe(0);
  await rig.profiles.idle();
  expect(rig.asked).toHaveLength(6);
});

test("only the most recently active are, where no more are wanted", async () => {
  await writes(5, 0);
  expect(await rig.profiles.wantAll("s1", 2)).toBe(2);
  await until("the wish is done", async () => (await wishes()).length === 0);
  expect(rig.asked).toEqual([5, 0].map(person));
  expect(await rig.profiles.wantAll("s1", 2), "of these two nobody is left").toBe(0);
  expect(await rig.profiles.wantAll("s1", 3)).toBe(1);
});

test("a narrower order takes nothing from a wider one, also while that one rests", async () => {
  await restart({ everyMs: 20 });
  rig.silent = new Set([person(3)]);
  await rig.profiles.wantAll("s1", null);
  await untilAsked(1);
  await rig.profiles.wantAll("s1", 2);
  expect(await wishes()).toEqual([{ sessionId: "s1", most: null }]);
  await untilAsked(6);
  await settle();
  await know(person(7));
  await writes(3, 1);
  expect(await rig.profiles.wantAll("s1", 1)).toBe(1);
  await untilAsked(7);
  expect(rig.asked[6]).toBe(person(7));
  expect(await wishes()).toEqual([{ sessionId: "s1", most: null }]);
});

test("an order that comes again lets a walk go on where it stands; on another day the newest come first", async () => {
  await restart({ everyMs: 20, perDay: 5 });
  await rig.profiles.wantAll("s1", null);
  await untilAsked(1);
  await know(person(7));
  await writes(7, 1);
  expect(await rig.profiles.wantAll("s1", null)).toBeGreaterThanOrEqual(5);
  await untilAsked(4);
  await settle();
  expect(rig.asked).toEqual([0, 1, 2, 3].map(person));

  rig.state = "reconnecting";
  rig.inbox.clock.advance(hours(24));
  expect(await rig.profiles.wantAll("s1", null)).toBe(3);
  rig.state = "connected";
  await untilAsked(7);
  expect(rig.asked.slice(4)).toEqual([7, 4, 5].map(person));
});

test("whom somebody looks at comes before all the others, and has its part of the day", async () => {
  await restart({ perDay: 4, everyMs: 20 });
  await rig.profiles.wantAll("s1", null);
  await untilAsked(1);
  rig.profiles.want(await contactOf(person(5)));
  await untilAsked(2);
  expect(rig.asked[1]).toBe(person(5));
  await untilAsked(3);
  await rig.profiles.idle();
  expect(rig.asked, "a tenth of the day is kept").toHaveLength(3);
  rig.profiles.want(await contactOf(person(4)));
  await untilAsked(4);
});

test("a walk goes on after the end of the process, whenever it came", async () => {
  await restart({ perDay: 100 });
  await rig.profiles.wantAll("s1", null);
  await untilAsked(2);
  const dead = rig.profiles;
  await rig.inbox.crash();
  rig.inbox.whatsapp.about = "Hi";
  await dead.stop();
  rig.start();
  await until("the wish is done", async () => (await wishes()).length === 0);
  // Who was asked about as the process died may have been asked about again.
  expect(new Set(rig.asked)).toEqual(new Set(people(6)));
  expect(rig.asked.length).toBeLessThanOrEqual(7);
});

test("who was asked about in vain is asked about a day later, after all the others", async () => {
  rig.silent = new Set([person(0), person(2)]);
  await rig.profiles.wantAll("s1", null);
  await untilAsked(6);
  await restart();
  rig.profiles.want(await contactOf(person(0)));
  await settle();
  expect(rig.asked).toEqual(people(6));
  expect(await wishes()).toEqual([{ sessionId: "s1", most: null }]);

  rig.silent.clear();
  await know(person(7));
  rig.inbox.clock.advance(hours(25));
  await until("the wish is done", async () => (await wishes()).length === 0);
  expect(rig.asked.slice(6)).toEqual([7, 0, 2].map(person));
});

test("where it is switched off nobody is, and nothing is kept", async () => {
  await restart({ isOn: false });
  expect(await rig.profiles.wantAll("s1", null)).toBe(0);
  await rig.profiles.idle();
  expect([rig.asked, await wishes()]).toEqual([[], []]);
});

test("many orders share one count of those who never were, for a minute and no longer than it is true", async () => {
  let pages = 0;
  const { lookUps } = rig.inbox.store;
  const page: typeof lookUps.page = (query) => {
    // Walks read whole pages; a count of the two most active ones does not.
    if (query.limit <= 2) pages += 1;
    return lookUps.page(query);
  };
  await restart({ lookUps: { ...lookUps, page }, everyMs: 60_000 });
  const order = (): Promise<number> => rig.profiles.wantAll("s1", 2);
  await lookUps.want("s1", null);
  expect(await Promise.all([order(), order(), order()])).toEqual([2, 2, 2]);
  expect(await order()).toBe(2);
  const once = pages;
  rig.inbox.clock.advance(61_000);
  await order();
  // Of chats one, of names one.
  expect([once, pages]).toEqual([2, 4]);
});
