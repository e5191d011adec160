import { expect, onTestFinished, test } from "vitest";
import { createKeepUp } from "../../bridge/keep-up.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { T0_SECONDS } from "../support/builders.ts";
import { hubDown } from "../support/fake-hub.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

test("the events are read and then the endpoint is looked after, also when the hub or the bridge fails", async () => {
  const log = logBook();
  const told: string[] = [];
  const failures: unknown[] = [undefined, hubDown(), new TypeError("nobody foresaw it")];
  const keepUp = createKeepUp({
    feed: {
      read: () => {
        told.push("read");
        const failure = failures.shift();
        return failure instanceof Error ? Promise.reject(failure) : Promise.resolve();
      },
    },
    subscription: { renew: () => told.push("renew") },
    state: createMemoryState(),
    clock: fixedClock(),
    log,
    cron: "* * * * * *",
  });
  onTestFinished(() => keepUp.stop());
  await keepUp.start();
  await until("it did so three times", () => told.length >= 6, { timeoutMs: 10_000 });
  await keepUp.stop();
  expect(told.slice(0, 6)).toEqual(["read", "renew", "read", "renew", "read", "renew"]);
  expect(log.lines("keep_up.feed_not_read")).toHaveLength(1);
  expect(log.lines("keep_up.feed_failed")).toHaveLength(1);
});

// Regression: after a long reading a bridge that moved took its own endpoint for another bridge's.
test("the endpoint is looked after while the events are read too, however long that takes, and then no more", async () => {
  const told: string[] = [];
  let hasRead: () => void = () => undefined;
  const keepUp = createKeepUp({
    feed: {
      read: () => {
        told.push("read");
        return new Promise<void>((resolve) => (hasRead = resolve));
      },
    },
    subscription: { renew: () => told.push("renew") },
    state: createMemoryState(),
    clock: fixedClock(),
    log: logBook(),
    cron: "* * * * * *",
    besideMs: 20,
  });
  onTestFinished(() => keepUp.stop());
  await keepUp.start();
  await until("it was looked after", () => told.length >= 4, { timeoutMs: 5_000 });
  expect(told.slice(0, 4)).toEqual(["read", "renew", "renew", "renew"]);
  await keepUp.stop();
  hasRead();
  await new Promise(setImmediate); // the look after the reading
  const before = told.length;
  await new Promise((resolve) => setTimeout(resolve, 60)); // nothing may happen meanwhile
  expect(told).toHaveLength(before);
});

test("what was synced by a clock that was ahead is forgotten, before that time has come", async () => {
  const log = logBook();
  const state = createMemoryState();
  await state.update((data) => {
    data.syncedUntil = { s1: T0_SECONDS + 2 * 60 * 60, s2: T0_SECONDS + 60, s3: T0_SECONDS - 60 };
  });
  const keepUp = createKeepUp({
    feed: { read: () => Promise.resolve() },
    subscription: null,
    state,
    clock: fixedClock(),
    log,
    cron: "* * * * * *",
  });
  onTestFinished(() => keepUp.stop());
  await keepUp.start();
  const kept = () => Object.keys(state.read().syncedUntil);
  await until("it was looked at", () => kept().length < 3, { timeoutMs: 5_000 });
  expect(kept()).toEqual(["s2", "s3"]);
  expect(log.lines("keep_up.clock_was_ahead").map(({ facts }) => facts)).toEqual([{ sessions: 1 }]);
});
