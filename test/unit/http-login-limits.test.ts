/** How often a login may be tried. */
import { expect, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { createLoginLimits } from "../../hub/http/login-limits.ts";
import { fixedClock, hours, minutes, seconds } from "../support/fixed-clock.ts";

const ana = { address: "203.0.113.7", account: "ana", isKnown: false };

function aDoor() {
  const limits = createLoginLimits();
  const clock = fixedClock();
  /** Seconds to wait; 0: the try is made. */
  const tries = (who = ana): number => {
    try {
      limits.count(who, clock.now());
      return 0;
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      expect(error.code).toBe("RATE_LIMIT_EXCEEDED");
      return error.retryAfterSeconds ?? -1;
    }
  };
  return { clock, tries, succeeded: (who = ana) => limits.succeeded(who) };
}

test("five tries a minute are made; who goes on is locked out twice as long each time, at most an hour", () => {
  const { clock, tries } = aDoor();
  for (let n = 0; n < 5; n++) expect(tries()).toBe(0);
  clock.advance(minutes(1));
  for (let n = 0; n < 5; n++) expect(tries()).toBe(0);
  const locks: number[] = [];
  for (let n = 0; n < 8; n++) {
    const lock = tries();
    locks.push(lock);
    clock.advance(seconds(lock));
    expect(tries()).toBe(0);
  }
  expect(locks).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600]);
  clock.advance(hours(2));
  for (let n = 0; n < 5; n++) expect(tries()).toBe(0);
});

test("the right password makes good what came before", () => {
  const { tries, succeeded } = aDoor();
  for (let n = 0; n < 4; n++) tries();
  succeeded();
  for (let n = 0; n < 5; n++) expect(tries()).toBe(0);
  expect(tries()).toBe(60);
});

test("who is locked out and goes on locks nobody else out", () => {
  const { tries } = aDoor();
  for (let n = 0; n < 1000; n++) tries();
  expect(tries({ ...ana, account: "eva" })).toBe(0);
  expect(tries({ ...ana, address: "203.0.113.8" })).toBe(0);
});

test("a thousand names from one address are thirty tries, and are not remembered", () => {
  const { tries } = aDoor();
  const made = Array.from({ length: 1000 }, (_, n) => tries({ ...ana, account: `user${n}` }));
  expect(made.filter((wait) => wait === 0)).toHaveLength(30);
  expect(tries({ ...ana, account: "user999" })).toBe(60);
  expect(tries({ ...ana, address: "203.0.113.8", account: "user999" })).toBe(0);
});

test("strangers lock an account for each other, not for a place from where it was logged in before", () => {
  const { clock, tries, succeeded } = aDoor();
  const made = Array.from({ length: 100 }, (_, n) => tries({ ...ana, address: `198.51.100.${n}` }));
  expect(made.filter((wait) => wait === 0)).toHaveLength(30);
  expect(tries()).toBe(60);
  const home = { ...ana, isKnown: true };
  expect(tries(home)).toBe(0);
  // That its owner came in makes no room for more guesses.
  succeeded(home);
  expect(tries({ ...ana, address: "198.51.100.200" })).toBe(60);
  // And at home it is not tried oftener than five times either.
  for (let n = 0; n < 5; n++) expect(tries(home)).toBe(0);
  expect(tries(home)).toBe(60);
  clock.advance(minutes(1));
  expect(tries(home)).toBe(0);
});

test("a clock that is set back locks nobody out for longer than it would have", () => {
  const { clock, tries } = aDoor();
  for (let n = 0; n < 6; n++) tries();
  clock.advance(-hours(24 * 30));
  expect(tries()).toBe(0);
});
