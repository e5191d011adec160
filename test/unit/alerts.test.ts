/** What people are called for, when, and when it is over. */
import { describe, expect, onTestFinished, test } from "vitest";
import { alertOfMove } from "../../hub/alerts/alert.ts";
import { watchLoad } from "../../hub/alerts/load-watch.ts";
import { isQuiet, parseQuietHours } from "../../hub/alerts/quiet-hours.ts";
import { isTroubled } from "../../hub/alerts/standing.ts";
import type { Session } from "../../hub/core/session.ts";
import { aNewSession, aSession, T0 } from "../support/builders.ts";

describe("what an alert is worth", () => {
  const at = new Date(2025, 10, 7);
  const lost = (state: Session["state"], code: string): Session => ({
    ...aNewSession({ state }),
    id: 1,
    reason: { code, text: "", blame: "whatsapp", advice: "Wait a moment.", at },
  });
  const well: Session = { ...aNewSession({ state: "connected" }), id: 1 };
  const cause = (next: Session, failedInARow = 0): string | null =>
    alertOfMove(well, next, { failedInARow }, 5)?.cause ?? null;

  test("are ends that a person has to end, and tries that fail and fail", () => {
    expect(cause(lost("logged_out", "401"))).toBe("logged_out");
    expect(cause(lost("replaced", "440"))).toBe("replaced");
    expect(cause(lost("banned", "403"))).toBe("banned");
    expect(cause(lost("stopped", "login_damaged"))).toBe("login_unusable");
    expect(cause(lost("degraded", "not_cured"))).toBe("nothing_heard");
    expect(cause(lost("reconnecting", "428"), 5)).toBe("not_reconnecting");
  });

  test("are tries that fail before the session was ever connected", () => {
    const still = (state: Session["state"], failedInARow: number) => {
      const before = { ...lost(state, "504"), reason: null };
      return alertOfMove(before, lost(state, "504"), { failedInARow }, 5)?.cause ?? null;
    };
    expect([still("starting", 5), still("pairing", 5)]).toEqual(["not_reconnecting", "not_reconnecting"]);
    expect([still("starting", 4), still("qr", 5)]).toEqual([null, null]);
  });

  test("are not orders, nor losses that heal", () => {
    expect(cause(lost("logged_out", "logout"))).toBeNull();
    expect(cause(lost("stopped", "stopped"))).toBeNull();
    expect(cause(lost("reconnecting", "428"), 4)).toBeNull();
    expect(cause(lost("degraded", "nothing_heard"))).toBeNull();
    expect(cause(well)).toBeNull();
  });
});

test("how a session stands says whether people's trouble is still theirs", () => {
  const inState = (state: Session["state"], change: Partial<Session> = {}): Session =>
    aSession({ state, lostAt: T0, ...change });
  expect(isTroubled(inState("reconnecting"), "not_reconnecting")).toBe(true);
  expect(isTroubled(inState("qr"), "not_reconnecting")).toBe(false);
  expect(isTroubled(inState("logged_out"), "not_reconnecting")).toBeNull();
  expect(isTroubled(inState("qr"), "logged_out")).toBe(true);
  expect(isTroubled(inState("connected", { lostAt: null }), "logged_out")).toBe(false);
  expect(isTroubled(inState("degraded", { lostAt: null }), "nothing_heard")).toBe(true);
  expect(isTroubled(inState("connected", { deletedAt: T0 }), "nothing_heard")).toBeNull();
});

test("a hub that stands still, or does not keep up for a minute, is an alert; a burst is none", () => {
  const raised: string[] = [];
  const load = { lagMs: 0, isHigh: false };
  const watch = watchLoad({
    pressure: { lagMs: () => load.lagMs, isHigh: () => load.isHigh },
    alerts: { raise: ({ cause }) => raised.push(cause) },
  });
  onTestFinished(() => watch.stop());
  Object.assign(load, { lagMs: 2_000, isHigh: true });
  for (let n = 0; n < 11; n++) watch.look();
  Object.assign(load, { lagMs: 0, isHigh: false });
  watch.look();
  expect(raised).toEqual([]);
  Object.assign(load, { lagMs: 5_100, isHigh: true });
  watch.look();
  expect(raised).toEqual(["overloaded"]);
  Object.assign(load, { lagMs: 2_000 });
  for (let n = 0; n < 12; n++) watch.look();
  expect(raised.length).toBeGreaterThan(1);
});

test("quiet hours may span midnight", () => {
  const night = parseQuietHours("22:00-07:00");
  const at = (hour: number, minute = 0): Date => new Date(2025, 10, 7, hour, minute);
  expect([21, 22, 3, 6].map((hour) => isQuiet(night, at(hour)))).toEqual([false, true, true, true]);
  expect(isQuiet(night, at(7))).toBe(false);
  expect(isQuiet(parseQuietHours("12:00-13:30"), at(13, 29))).toBe(true);
  expect(parseQuietHours("25:00-07:00")).toBeNull();
});
