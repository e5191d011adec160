import { describe, expect, test } from "vitest";
import {
  afterFailure,
  afterNeither,
  afterSuccess,
  allowance,
  noAnswers,
  openNow,
  startProbe,
  type Watch,
} from "../../hub/core/breaker.ts";
import { closedBreaker } from "../../hub/core/endpoint.ts";
import { T0 } from "../support/builders.ts";

const start: Watch = { breaker: closedBreaker, recent: noAnswers };
const at = (seconds: number): Date => new Date(T0.getTime() + seconds * 1000);
const failing = (watch: Watch, times: number, now = T0): Watch => {
  for (let n = 0; n < times; n += 1) watch = afterFailure(watch, now);
  return watch;
};
const allowed = (watch: Watch, now = T0, concurrency = 4): number =>
  allowance({ breaker: watch.breaker, concurrency, now });

describe("opening", () => {
  test("five failures in a row open it for five seconds", () => {
    expect(failing(start, 4).breaker.state).toBe("closed");
    const open = failing(start, 5);
    expect(open.breaker).toMatchObject({ state: "open", until: at(5), openings: 1 });
    expect(allowed(open)).toBe(0);
    expect(allowed(open, at(5))).toBe(1);
  });

  test("no more are under way than it takes to open it", () => {
    expect([0, 1, 2, 3, 4].map((failures) => allowed(failing(start, failures)))).toEqual([4, 4, 3, 2, 1]);
  });

  test("a success in between starts the count again", () => {
    const watch = afterSuccess(failing(start, 4), 4, T0);
    expect(failing(watch, 4).breaker.state).toBe("closed");
  });

  test("seven bad answers of ten within five minutes open it", () => {
    const answers = (pattern: string, from: Watch = start): Watch =>
      Array.from(pattern).reduce(
        (watch, answer) => (answer === "x" ? afterFailure(watch, T0) : afterSuccess(watch, 4, T0)),
        from,
      );
    expect(answers("xxx.xxx..").breaker.state).toBe("closed");
    expect(answers("xxx.xxx..x").breaker.state).toBe("open");
    expect(answers("x.".repeat(100)).breaker.state).toBe("closed");
  });

  test("bad answers of more than five minutes ago are forgotten", () => {
    let watch = start;
    for (let n = 0; n < 9; n += 1) watch = n % 3 === 2 ? afterSuccess(watch, 4, T0) : afterFailure(watch, T0);
    expect(afterFailure(watch, at(400)).breaker.state).toBe("closed");
  });

  test("it can be opened by what the answers say together", () => {
    expect(openNow(start, T0).breaker).toMatchObject({ state: "open", until: at(5) });
  });
});

describe("probing", () => {
  test("comes after 5, 15, 30, 60, 120, 300 seconds, then every 300, one request at a time", () => {
    let watch = failing(start, 5);
    const pauses: number[] = [];
    let now = T0;
    for (let n = 0; n < 8; n += 1) {
      const { until } = watch.breaker;
      pauses.push(((until?.getTime() ?? 0) - now.getTime()) / 1000);
      now = until ?? now;
      watch = { ...watch, breaker: startProbe(watch.breaker) };
      expect(allowed(watch, now)).toBe(1);
      watch = afterFailure(watch, now);
    }
    expect(pauses).toEqual([5, 15, 30, 60, 120, 300, 300, 300]);
  });

  test("waits as long as the endpoint asked for", () => {
    expect(afterFailure(failing(start, 4), T0, 90).breaker.until).toEqual(at(90));
  });

  test("one that tells nothing is repeated after the shortest pause", () => {
    const open = failing(start, 5);
    const probing = { ...open, breaker: startProbe(open.breaker) };
    expect(afterNeither(probing, at(5)).breaker).toMatchObject({ state: "open", until: at(10), openings: 1 });
  });

  test("an answer that was under way when it opened changes nothing", () => {
    const open = failing(start, 5);
    expect(afterFailure(open, at(1)).breaker).toMatchObject({ state: "open", until: at(5), openings: 1 });
  });
});

describe("closing", () => {
  const probed = (successes: number): Watch => {
    const open = failing(start, 5);
    let watch: Watch = { ...open, breaker: startProbe(open.breaker) };
    for (let n = 0; n < successes; n += 1) watch = afterSuccess(watch, 4, at(5));
    return watch;
  };

  test("takes two successes, then one, two and four requests at a time", () => {
    expect(probed(1).breaker.state).toBe("probing");
    expect(probed(2).breaker.state).toBe("closed");
    const widths = Array.from({ length: 12 }, (_, n) => allowed(probed(2 + n)));
    expect(widths).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4]);
    expect(probed(12).breaker).toEqual(closedBreaker);
  });

  test("a relapse before it is at full width goes on with the longer pause", () => {
    const relapsed = failing(probed(3), 5, at(6));
    expect(relapsed.breaker).toMatchObject({ state: "open", openings: 2, until: at(21) });
  });
});
