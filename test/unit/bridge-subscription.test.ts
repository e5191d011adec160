/** The bridge's place among the hub's endpoints is asked for until it has it, and a refusal is told once. */
import { afterEach, describe, expect, test } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import { createSubscription } from "../../bridge/subscription.ts";
import { hubDown } from "../support/fake-hub.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

const refusal = (status: number, code: string | null): HubUnavailable =>
  new HubUnavailable(`HTTP ${status}`, { status, code });

let stop = (): void => undefined;
afterEach(() => stop());

/** A hub that answers so, one after the other; once it has nothing else to say, it has just taken the bridge. */
function subscribing(answers: unknown[], pauseMs = 1) {
  const log = logBook();
  const tries: number[] = [];
  const subscription = createSubscription({
    hub: {
      subscribe: () => {
        const answer = answers[tries.length];
        tries.push(performance.now());
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve(answer === "unchanged" ? answer : "created");
      },
    },
    url: "http://127.0.0.1:1/webhook",
    secret: "s".repeat(32),
    log,
    pauseMs,
  });
  ({ stop } = subscription);
  subscription.start();
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
  const { isReady, tries } = subscribing([hubDown(), hubDown(), no, no, no, hubDown(), no], 20);
  await until("the hub takes it", isReady, { timeoutMs: 4_000 });
  // Timers may be late, never early but for a millisecond.
  const least = [20, 20, 40, 80, 160, 20, 40];
  expect(tries).toHaveLength(least.length + 1);
  for (const [n, ms] of least.entries())
    expect((tries[n + 1] ?? 0) - (tries[n] ?? 0)).toBeGreaterThanOrEqual(ms - 1);
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
      10,
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
    secret: "s".repeat(32),
    log,
    pauseMs: 1,
  });
  subscription.start();
  subscription.stop();
  answer(refusal(401, "INVALID_API_KEY"));
  await new Promise((resolve) => setTimeout(resolve, 30)); // nothing to wait for: nothing may happen
  expect(tries).toBe(1);
});
