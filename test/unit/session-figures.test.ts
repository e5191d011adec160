/** What the changes of a session add to its figures. */
import { describe, expect, test } from "vitest";
import {
  attempted,
  moved,
  noFigures,
  percentile,
  type SessionFigures,
} from "../../hub/core/session-figures.ts";
import type { Session } from "../../hub/core/session.ts";
import { aNewSession } from "../support/builders.ts";

const T = 1_700_000_000_000;
const session = (change: Partial<Session>): Session => ({
  ...aNewSession({ state: "stopped", connectedAt: null }),
  id: 1,
  ...change,
});
const reason = (code: string, at: number): Session["reason"] => ({
  code,
  text: "lost",
  blame: "network",
  advice: "",
  at: new Date(at),
});

/** Steps of a session's life: what it is at which second. */
function told(...steps: [second: number, change: Partial<Session> | "attempt"][]): SessionFigures {
  let figures = noFigures;
  let previous = session({});
  for (const [second, step] of steps) {
    const now = T + second * 1000;
    if (step === "attempt") {
      figures = attempted(figures, now);
      continue;
    }
    const next = session({ ...previous, ...step });
    figures = moved(figures, { previous, next, now });
    previous = next;
  }
  return figures;
}

describe("figures of a session", () => {
  test("of a link: the time from the scan is kept, the person's own is not", () => {
    const figures = told(
      [0, { state: "starting" }],
      [0, "attempt"],
      [1, { state: "qr" }],
      [40, { state: "pairing" }],
      [40, "attempt"],
      [41, { state: "connected" }],
    );
    expect(figures).toMatchObject({ attempts: 2, opened: 1, reconnects: 0, scanToOpenMs: [1000] });
    expect(figures.startToOpenMs).toEqual([]);
  });

  test("of a loss: its cause, the failed tries, and the way back", () => {
    const lostAt = new Date(T + 10_000);
    const figures = told(
      [0, { state: "connected" }],
      [10, { lostAt, reason: reason("428", T + 10_000) }],
      [11, "attempt"],
      [12, { reason: reason("504", T + 12_000) }],
      [14, "attempt"],
    );
    expect(figures).toMatchObject({ failedInARow: 1, losses: [{ code: "504" }, { code: "428" }] });
    const back = moved(figures, {
      previous: session({ state: "connected", lostAt, reason: reason("504", T + 12_000) }),
      next: session({ state: "connected", lostAt: null, reason: null }),
      now: T + 15_000,
    });
    expect(back).toMatchObject({ failedInARow: 0, opened: 2, reconnects: 1, startToOpenMs: [1000] });
  });

  test("of a first link that fails and fails: every try counts, until a code shows that WhatsApp answers", () => {
    const failing = told(
      [0, { state: "starting" }],
      [1, { reason: reason("504", T + 1_000) }],
      [3, { reason: reason("504", T + 3_000) }],
      [6, { state: "pairing" }],
      [7, { reason: reason("503", T + 7_000) }],
    );
    expect(failing.failedInARow).toBe(3);
    const shown = told(
      [0, { state: "starting" }],
      [1, { reason: reason("504", T + 1_000) }],
      [3, { state: "qr" }],
      [99, { state: "qr_expired", reason: reason("408", T + 99_000) }],
    );
    expect(shown.failedInARow).toBe(0);
  });

  test("an end by order is no loss", () => {
    const figures = told(
      [0, { state: "connected" }],
      [5, { state: "stopped", reason: reason("stopped", T + 5000) }],
    );
    expect(figures.losses).toEqual([]);
  });

  test("of a deaf connection: how long it lasted", () => {
    const figures = told(
      [0, { state: "connected" }],
      [10, { state: "degraded" }],
      [20, { lostAt: new Date(T) }],
      [25, { lostAt: null }],
      [70, { state: "connected" }],
    );
    expect(figures).toMatchObject({ degradedMs: 60_000, degradedSince: null });
  });
});

test("percentiles are times that occurred", () => {
  const times = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([percentile(times, 0.5), percentile(times, 0.99), percentile([], 0.5)]).toEqual([50, 99, null]);
  expect(percentile([7], 0.99)).toBe(7);
});
