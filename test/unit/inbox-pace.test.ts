import { describe, expect, test } from "vitest";
import {
  closedUntil,
  freeAt,
  openedLately,
  stillTrue,
  type KnownAllowance,
} from "../../hub/inbox/new-chats.ts";
import { createPace } from "../../hub/inbox/pace.ts";
import { hours, minutes, seconds } from "../support/fixed-clock.ts";

const T = 1_000_000_000;
const calm = (): number => 0;

describe("the pace of an account", () => {
  test("a few leave at once after a rest, then one every so many seconds", () => {
    const pace = createPace({ perMinute: 20, burst: 5, chatGapMs: 0 }, calm);
    const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => pace.reserve(`chat ${n}`, T) - T);
    expect(waits).toEqual([0, 0, 0, 0, 0, 3000, 6000, 9000]);
    expect(pace.next(T + seconds(9))).toBe(T + seconds(12));
    expect(pace.next(T + minutes(1))).toBe(T + minutes(1));
  });

  test("never more than the burst above the rate, whatever comes when", () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
    const pace = createPace({ perMinute: 20, burst: 5, chatGapMs: 1000 }, random);
    let now = T;
    const places: number[] = [];
    for (let n = 0; n < 500; n++) {
      now += Math.floor(random() * 4000);
      places.push(pace.reserve(`chat ${n % 7}`, now));
    }
    const sorted = places.sort((a, b) => a - b);
    const most = Math.max(
      ...sorted.map((from) => sorted.filter((at) => at >= from && at < from + minutes(1)).length),
    );
    expect(most, `seed ${seed}`).toBeLessThanOrEqual(25);
  });

  test("two to the same chat are a second apart and up to half as much more", () => {
    const free = { perMinute: 0, burst: 1, chatGapMs: 1000 };
    const pace = createPace(free, calm);
    expect([pace.reserve("a", T), pace.reserve("a", T), pace.reserve("b", T)]).toEqual([T, T + 1000, T]);
    const late = createPace(free, () => 1);
    expect([late.reserve("a", T), late.reserve("a", T)]).toEqual([T, T + 1500]);
  });

  test("without limits everything may leave now", () => {
    const pace = createPace({ perMinute: 0, burst: 1, chatGapMs: 0 }, calm);
    for (let n = 0; n < 1000; n++) expect(pace.reserve("a", T)).toBe(T);
  });
});

describe("new chats", () => {
  const opened = (...ago: number[]) => ago.map((ms, n) => ({ chatId: `${n}`, at: T - ms }));
  const allowed = (change: Partial<KnownAllowance>): KnownAllowance => ({
    ...{ total: null, used: 0, until: null, isReached: false, at: T },
    ...change,
  });

  test("the next may be opened when the oldest of a full day is a day old", () => {
    const day = opened(hours(20), hours(3), hours(1));
    const free = (perDay: number) => freeAt(day, { allowance: null, perDay, openedSince: 0 });
    expect([4, 3, 2, 0].map(free)).toEqual([null, T + hours(4), T + hours(21), null]);
  });

  test("WhatsApp's own number takes the place of ours, less a tenth for people", () => {
    const until = new Date(T + hours(30));
    const many = opened(...Array.from({ length: 50 }, () => hours(1)));
    const of = (used: number) =>
      freeAt(many, { allowance: allowed({ total: 100, used, until }), perDay: 3, openedSince: 50 });
    expect(of(39)).toBeNull();
    expect(of(40)).toBe(until.getTime());
  });

  test("used up is used up until the cycle ends", () => {
    const until = new Date(T + hours(30));
    expect(closedUntil(allowed({ isReached: true, until }))).toBe(until.getTime());
    expect(closedUntil(allowed({ isReached: true }))).toBe(T + hours(1));
    expect(closedUntil(allowed({}))).toBeNull();
    expect(stillTrue(allowed({ isReached: true, until }), until.getTime())).toBeNull();
  });

  test("a chat counts once, from when it was opened first, for a day", () => {
    const all = [
      { chatId: "a", at: T - hours(2) },
      { chatId: "a", at: T - hours(3) },
      { chatId: "b", at: T - hours(24) },
    ];
    expect(openedLately(all, T)).toEqual([{ chatId: "a", at: T - hours(3) }]);
  });
});
