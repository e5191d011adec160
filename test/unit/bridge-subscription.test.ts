/** The bridge's place among the hub's endpoints is asked for until it has it, and a refusal is told once. */
import { afterEach, describe, expect, test } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import type { Subscribed } from "../../bridge/hub-client.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { createSubscription } from "../../bridge/subscription.ts";
import { hubDown } from "../support/fake-hub.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

const refusal = (status: number, code: string | null): HubUnavailable =>
  new HubUnavailable(`HTTP ${status}`, { status, code });

let stop = (): void => undefined;
afterEach(() => stop());

const found: Subscribed = { endpointId: "ep_1", done: [], advice: [], isPaused: false, isSettled: true };
const isSubscribed = (answer: unknown): answer is Subscribed =>
  typeof answer === "object" && answer !== null && "endpointId" in answer;

/** A hub that answers so, one after the other; once it has nothing else to say, it has just taken the bridge. */
function subscribing(answers: unknown[], { pauseMs = 1, lookedMs = 60_000, starts = true } = {}) {
  const log = logBook();
  const tries: number[] = [];
  const subscription = createSubscription({
    hub: {
      subscribe: () => {
        const answer = answers[tries.length];
        tries.push(performance.now());
        if (answer instanceof Error) return Promise.reject(answer);
        if (answer === "unchanged") return Promise.resolve(found);
        return Promise.resolve(isSubscribed(answer) ? answer : { ...found, done: ["created"] });
      },
    },
    url: "http://127.0.0.1:1/webhook",
    secrets: ["s".repeat(32)],
    state: createMemoryState(),
    clock: fixedClock(),
    log,
    pauseMs,
    lookedMs,
  });
  ({ stop } = subscription);
  if (starts) subscription.start();
  const isReady = (): boolean => log.lines("subscription.ready").length > 0;
  const refused = () => log.lines("subscription.refused").map(({ facts }) => facts["error"]);
  return { subscription, log, tries, isReady, refused };
}

test("a hub that refuses, and a proxy in its place, are asked again; each kind of refusal is told once", async () => {
  const notYet = refusal(404, null);
  const wrongKey = refusal(401, "INVALID_API_KEY");
  const { isReady, refused, tries } = subscribing([notYet, notYet, wrongKey, hubDown(), notYet, wrongKey]);
  await until("the hub takes it", isReady, { timeoutMs: 4_000 });
  expect(tries).toHaveLength(7);
  expect(refused()).toEqual(["HTTP 404", "HTTP 401"]);
});

test("a hub that goes on refusing is asked less and less often, one that is away as before", async () => {
  const no = refusal(403, "FORBIDDEN");
  const { isReady, tries } = subscribing([hubDown(), hubDown(), no, no, no, hubDown(), no], { pauseMs: 20 });
  await until("the hub takes it", isReady, { timeoutMs: 4_000 });
  // Timers may be late, never early but for a millisecond.
  const least = [20, 20, 40, 80, 160, 20, 40];
  expect(tries).toHaveLength(least.length + 1);
  for (const [n, ms] of least.entries())
    expect((tries[n + 1] ?? 0) - (tries[n] ?? 0)).toBeGreaterThanOrEqual(ms - 1);
});

test("what helps follows from what the hub refused", async () => {
  const refusals = [
    refusal(401, "INVALID_API_KEY"),
    refusal(403, "AUTHORIZATION_FAILED"),
    refusal(400, "VALIDATION_ERROR"),
    refusal(404, null),
  ];
  const { isReady, log } = subscribing(refusals);
  await until("the hub takes it", isReady, { timeoutMs: 4_000 });
  expect(log.lines("subscription.refused").map(({ facts }) => facts["advice"])).toEqual([
    expect.stringMatching(/^Check BRIDGE_HUB_API_KEY.*tried again/),
    expect.stringMatching(/^Give the bridge's API key the scope webhooks.*tried again/),
    expect.stringMatching(/HUB_WEBHOOK_ALLOW_CIDRS.*tried again/),
    expect.stringMatching(/^Check BRIDGE_HUB_URL.*tried again/),
  ]);
});

test("a fault of ours does not end it either", async () => {
  const broken = new TypeError("nobody foresaw it");
  const { isReady, log } = subscribing([broken, broken]);
  await until("the hub takes it", isReady, { timeoutMs: 4_000 });
  expect(log.lines("subscription.broken")).toHaveLength(1);
});

describe("a place it has had", () => {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 30)); // nothing may happen meanwhile

  test("is looked after when it is told to, and only a place that was taken anew is told", async () => {
    const { subscription, tries, log, isReady } = subscribing([null, "unchanged", null, "unchanged"]);
    await until("the hub takes it", isReady);
    for (let n = 2; n <= 4; n += 1) {
      subscription.renew();
      await until("it was looked at", () => tries.length === n);
      await pause();
    }
    expect(log.lines("subscription.ready").map(({ facts }) => facts["outcome"])).toEqual([
      "created",
      "created",
    ]);
  });

  test("and is refused now is asked for as at the start, and told when it is there again", async () => {
    const no = refusal(403, "FORBIDDEN");
    const { subscription, tries, log, isReady, refused } = subscribing(
      [no, "unchanged", no, no, "unchanged", "unchanged"],
      { pauseMs: 10 },
    );
    await until("the hub takes it", isReady, { timeoutMs: 4_000 });
    subscription.renew();
    await until("it is refused", () => refused().length === 2);
    const before = tries.length;
    subscription.renew(); // the next try waits for its time
    expect(tries).toHaveLength(before);
    await until("it is there again", () => log.lines("subscription.ready").length === 2, {
      timeoutMs: 4_000,
    });
    expect(refused()).toEqual(["HTTP 403", "HTTP 403"]);
    subscription.renew();
    await until("it was looked at", () => tries.length === 6);
    await pause();
    expect(log.lines("subscription.ready")).toHaveLength(2);
  });

  test("is asked for no more once it was stopped", async () => {
    const { subscription, tries, isReady } = subscribing([null]);
    await until("the hub takes it", isReady);
    subscription.stop();
    subscription.renew();
    expect(tries).toHaveLength(1);
  });
});

describe("a wrong signature", () => {
  test("makes it look at once, and where all is as it should be a person is told, once", async () => {
    const { subscription, tries, isReady, log } = subscribing([null, null, "unchanged", "unchanged"], {
      lookedMs: 0,
    });
    await until("the hub takes it", isReady);
    for (let n = 2; n <= 4; n += 1) {
      subscription.mistrust();
      await until("it has looked", () => tries.length === n);
      await new Promise(setImmediate); // what follows from the answer
    }
    expect(log.lines("subscription.ready")).toHaveLength(2);
    expect(log.lines("subscription.advice").map(({ facts }) => facts["advice"])).toEqual([
      expect.stringMatching(/signature is wrong/),
    ]);
  });

  test("just after a look is of no interest: it was sent before", async () => {
    const { subscription, tries, isReady } = subscribing([null]);
    await until("the hub takes it", isReady);
    subscription.mistrust();
    expect(tries).toHaveLength(1);
  });
});

test("before it is started nothing makes it look, and then it looks once", async () => {
  const { subscription, tries, isReady } = subscribing([null, null], { starts: false, lookedMs: 0 });
  subscription.mistrust();
  subscription.renew();
  expect(tries).toHaveLength(0);
  subscription.start();
  subscription.start();
  subscription.mistrust();
  await until("the hub takes it", isReady);
  expect(tries).toHaveLength(1);
});

test("a paused place is no place: it is told as paused, and as ready once it is", async () => {
  const paused: Subscribed = { ...found, isPaused: true, advice: ["resume it"] };
  const { subscription, tries, isReady, log } = subscribing([paused, paused, "unchanged"]);
  await until("it has looked", () => log.lines("subscription.paused").length === 1);
  subscription.renew();
  await until("it has looked again", () => tries.length === 2);
  await new Promise(setImmediate); // what follows from the answer
  expect(isReady()).toBe(false);
  subscription.renew();
  await until("it is ready", isReady);
  expect(log.lines("subscription.paused")).toHaveLength(1);
  expect(log.lines("subscription.advice")).toHaveLength(1);
});

test("once stopped it asks no more, though an answer was still on its way", async () => {
  let answer: (cause: Error) => void = () => undefined;
  const log = logBook();
  let tries = 0;
  const subscription = createSubscription({
    hub: {
      subscribe: () => {
        tries += 1;
        return new Promise((_resolve, reject) => (answer = reject));
      },
    },
    url: "http://127.0.0.1:1/webhook",
    secrets: ["s".repeat(32)],
    state: createMemoryState(),
    clock: fixedClock(),
    log,
    pauseMs: 1,
  });
  subscription.start();
  subscription.stop();
  answer(refusal(401, "INVALID_API_KEY"));
  await new Promise((resolve) => setTimeout(resolve, 30)); // nothing to wait for: nothing may happen
  expect(tries).toBe(1);
});
