import { describe, expect, test } from "vitest";
import type { AttemptResult } from "../../hub/core/delivery.ts";
import { settleAttempt, type Tried } from "../../hub/core/delivery-state.ts";
import { T0 } from "../support/builders.ts";

const failed = (change: Partial<AttemptResult & { outcome: "failed" }> = {}): AttemptResult => ({
  outcome: "failed",
  failure: "endpoint",
  status: 500,
  error: "HTTP 500",
  retryAfterSeconds: null,
  pause: false,
  slow: false,
  ...change,
});
const settle = (change: Partial<Tried> = {}) =>
  settleAttempt({
    attempts: 0,
    result: failed(),
    isFirstRefusal: false,
    probing: false,
    stepsAside: false,
    opens: false,
    softFailures: 0,
    now: T0,
    random: 0.5,
    ...change,
  });
const secondsUntil = (at: Date | null): number => ((at?.getTime() ?? NaN) - T0.getTime()) / 1000;

test("an acknowledged delivery is done", () => {
  const { patch } = settle({
    attempts: 2,
    result: { outcome: "acknowledged", status: 200, note: "ack_unread" },
  });
  expect(patch).toEqual({
    state: "delivered",
    attempts: 3,
    nextAttemptAt: null,
    lastStatus: 200,
    lastError: "ack_unread",
    failure: null,
    doneAt: T0,
  });
});

test("what a receiver never needs is skipped", () => {
  const { patch } = settle({ result: { outcome: "skipped", status: 200, note: "Unknown event" } });
  expect(patch).toMatchObject({ state: "skipped", lastError: "Unknown event", doneAt: T0 });
});

describe("the schedule", () => {
  test("has pauses of five minutes at most, and no end, where the endpoint is at fault", () => {
    const pauses = [0, 1, 2, 3, 4, 5, 50].map((attempts) =>
      secondsUntil(settle({ attempts }).patch.nextAttemptAt),
    );
    expect(pauses).toEqual([5, 30, 120, 300, 300, 300, 300]);
  });

  test("gives way to the breaker's from the attempt on that opens it", () => {
    expect(settle({ attempts: 4, opens: true }).patch).toMatchObject({
      ...{ state: "retrying", attempts: 5, nextAttemptAt: T0 },
    });
  });

  test("is spread by a fifth", () => {
    expect(secondsUntil(settle({ attempts: 2, random: 0 }).patch.nextAttemptAt)).toBe(96);
    expect(secondsUntil(settle({ attempts: 2, random: 1 }).patch.nextAttemptAt)).toBe(144);
  });

  test("waits a minute at least after a timeout", () => {
    expect(secondsUntil(settle({ result: failed({ slow: true }) }).patch.nextAttemptAt)).toBe(60);
    expect(secondsUntil(settle({ attempts: 3, result: failed({ slow: true }) }).patch.nextAttemptAt)).toBe(
      300,
    );
  });

  test.each([
    [120, 0, 120],
    [1, 0, 5],
    [1_000_000_000, 0, 3600],
    [1_000_000_000, 6, 3600],
  ])("honours Retry-After %i at attempt %i within reason: %i s", (retryAfterSeconds, attempts, seconds) => {
    expect(
      secondsUntil(settle({ attempts, result: failed({ retryAfterSeconds }) }).patch.nextAttemptAt),
    ).toBe(seconds);
  });
});

test("a refused event is tried six times in 42.6 minutes, then parked", () => {
  const refused = failed({ failure: "event", status: 422 });
  const waits = [0, 1, 2, 3, 4].map((attempts) => settle({ attempts, result: refused }).patch);
  expect(waits.every(({ state }) => state === "retrying")).toBe(true);
  const minutes = waits.reduce((sum, { nextAttemptAt }) => sum + secondsUntil(nextAttemptAt), 0) / 60;
  expect(minutes).toBeCloseTo(42.6, 1);
  expect(settle({ attempts: 5, result: refused }).patch).toMatchObject({ state: "dead", failure: "event" });
});

test("what failed in an outage and is refused now has four tries in 42 minutes left; one that its tries made the fault has not", () => {
  const first = { result: failed({ failure: "event", status: 422 }), isFirstRefusal: true };
  for (const attempts of [2, 5, 50])
    expect(settle({ attempts, ...first }).patch).toMatchObject({ state: "retrying", attempts: 3 });
  expect(settle({ attempts: 1, ...first }).patch.attempts).toBe(2);
  expect(settle({ attempts: 5, ...first, isFirstRefusal: false }).patch.state).toBe("dead");
  const refusesAll = { ...first, result: failed({ status: 422 }) };
  expect(settle({ attempts: 5, ...refusesAll }).patch.attempts).toBe(6);
});

test("a failed probe, a pause and a failure of our own network count no attempt", () => {
  expect(settle({ attempts: 4, probing: true }).patch).toMatchObject({ state: "retrying", attempts: 4 });
  expect(settle({ attempts: 12, probing: true }).patch).toMatchObject({ state: "retrying", attempts: 12 });
  expect(settle({ attempts: 4, result: failed({ pause: true }) }).patch.attempts).toBe(4);
  expect(settle({ attempts: 4, result: failed({ failure: "hub" }) }).patch).toMatchObject({ attempts: 4 });
});

test("a status that came too early: in place after 2 s, aside at 30 s and 5 min, then skipped", () => {
  const result = failed({ failure: "soft", error: "Message not found" });
  const steps = [0, 1, 2, 3].map((softFailures) => settle({ attempts: softFailures, softFailures, result }));
  expect(steps.map(({ patch, aside }) => [patch.state, secondsUntil(patch.nextAttemptAt), aside])).toEqual([
    ["retrying", 2, false],
    ["retrying", 30, true],
    ["retrying", 300, true],
    ["skipped", NaN, false],
  ]);
});
