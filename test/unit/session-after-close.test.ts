/** What follows the end of a connection, as a decision without any connection. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextBackoff } from "../../hub/core/backoff.ts";
import { afterClose, freshHistory, type CloseHistory } from "../../hub/sessions/after-close.ts";
import { reasonOf } from "../../hub/whatsapp/disconnect.ts";
import { T0 } from "../support/builders.ts";
import { minutes } from "../support/fixed-clock.ts";

const closed = (
  code: number,
  { paired = true, codeShown = false, history = freshHistory, at = T0 } = {},
): ReturnType<typeof afterClose> =>
  afterClose({
    code,
    paired,
    verdict: reasonOf(code, paired),
    history,
    codeShown,
    now: at,
    random: () => 0.5,
  });

const later = (ms: number): Date => new Date(T0.getTime() + ms);

describe("the wait between tries", () => {
  test("grows from one second to five minutes and stays there", () => {
    const waits: number[] = [];
    let failures = 0;
    for (let n = 0; n < 10; n++) {
      const next = nextBackoff({ failures, random: () => 0.5 });
      waits.push(next.delayMs / 1000);
      failures = next.failures;
    }
    expect(waits).toEqual([1, 2, 5, 10, 30, 60, 120, 300, 300, 300]);
  });

  test("begins later where one second would only annoy, and grows from there", () => {
    const first = nextBackoff({ failures: 0, firstMs: 5000, random: () => 0.5 });
    const second = nextBackoff({ failures: first.failures, firstMs: 5000, random: () => 0.5 });
    expect([first.delayMs, second.delayMs]).toEqual([5000, 10_000]);
    expect(nextBackoff({ failures: 5, firstMs: 5000, random: () => 0.5 }).delayMs).toBe(60_000);
  });

  test("is spread by a fifth to both sides", () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (failures, chance) => {
          const middle = nextBackoff({ failures, random: () => 0.5 }).delayMs;
          const { delayMs } = nextBackoff({ failures, random: () => chance });
          expect(delayMs).toBeGreaterThanOrEqual(middle * 0.8);
          expect(delayMs).toBeLessThanOrEqual(middle * 1.2);
        },
      ),
    );
  });
});

describe("after a connection closed", () => {
  test.each([408, 428, 500, 502, 504, 515, 599, 1006])("%d on paired credentials is tried again", (code) => {
    expect(closed(code)).toMatchObject({ next: "retry", retire: false });
  });

  test.each([
    [402, "banned"],
    [403, "banned"],
    [406, "banned"],
    [411, "outdated"],
    [1001, "passkey_required"],
  ])("%d ends as %s at once, and keeps the credentials", (code, outcome) => {
    expect(closed(code)).toEqual({ next: "end", outcome, retire: false });
  });

  test("401 on paired credentials is the only end that takes them out of use", () => {
    expect(closed(401)).toEqual({ next: "end", outcome: "logged_out", retire: true });
    for (let code = 400; code < 600; code++)
      if (code !== 401) expect(closed(code), String(code)).toMatchObject({ retire: false });
  });

  test("401 without an account discards the attempt, whether a code was shown or not", () => {
    expect(closed(401, { paired: false, codeShown: true })).toEqual({
      next: "end",
      outcome: "qr_expired",
      retire: true,
    });
    expect(closed(401, { paired: false })).toMatchObject({ next: "retry", retire: true });
  });

  test("codes used up end the pairing; a network lost before any code does not", () => {
    expect(closed(408, { paired: false, codeShown: true })).toMatchObject({
      next: "end",
      outcome: "qr_expired",
    });
    expect(closed(408, { paired: false })).toMatchObject({ next: "retry" });
  });

  test.each([405, 409])("%d is believed the third time in a row", (code) => {
    const first = closed(code);
    const second = closed(code, historyOf(first));
    const third = closed(code, historyOf(second));
    expect([first.next, second.next]).toEqual(["retry", "retry"]);
    expect(third).toEqual({ next: "end", outcome: "outdated", retire: false });
  });

  test("440 is answered once, after a minute; the second within ten minutes ends it", () => {
    const first = closed(440);
    expect(first).toMatchObject({ next: "retry", delayMs: 60_000 });
    expect(closed(440, { ...historyOf(first), at: later(minutes(10)) })).toEqual({
      next: "end",
      outcome: "replaced",
      retire: false,
    });
    expect(closed(440, { ...historyOf(first), at: later(minutes(10) + 1) })).toMatchObject({ next: "retry" });
  });

  test("503 waits five seconds first", () => {
    expect(closed(503)).toMatchObject({ next: "retry", delayMs: 5000 });
  });
});

function historyOf(after: ReturnType<typeof afterClose>): { history: CloseHistory } {
  if (after.next !== "retry") throw new Error("nothing follows an end");
  return { history: after.history };
}
