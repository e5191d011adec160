/** Moments in a site's own time zone: there and back, over clock changes too. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { siteTime } from "../../bridge/adapters/frappe/site-time.ts";

const at = (iso: string): number => Date.parse(iso) / 1000;

describe("a site's time", () => {
  test.each([
    ["UTC", "2026-01-31T10:00:00Z", "2026-01-31 10:00:00.000000"],
    ["Europe/Madrid", "2026-01-31T10:00:00Z", "2026-01-31 11:00:00.000000"],
    ["Europe/Madrid", "2026-07-31T22:30:00Z", "2026-08-01 00:30:00.000000"],
    ["Asia/Kolkata", "2026-01-31T20:00:00Z", "2026-02-01 01:30:00.000000"],
    ["America/Caracas", "2026-01-01T02:00:00Z", "2025-12-31 22:00:00.000000"],
  ])("in %s, %s is %s", (zone, iso, naive) => {
    expect(siteTime(zone).write(at(iso))).toBe(naive);
    expect(siteTime(zone).read(naive)).toBe(at(iso));
  });

  test("what the site sends has no fraction, or one, and may be no datetime at all", () => {
    const { read } = siteTime("Europe/Madrid");
    expect(read("2026-01-31 11:00:00")).toBe(at("2026-01-31T10:00:00Z"));
    expect(read("2026-01-31 11:00:00.123456")).toBe(at("2026-01-31T10:00:00Z"));
    for (const nothing of [null, undefined, "", "today", 7]) expect(read(nothing)).toBe(null);
  });

  test("an hour that the clocks repeat is read as its first half, and no other hour is moved", () => {
    const { read, write } = siteTime("Europe/Madrid");
    // On 25 October 2026 three o'clock becomes two o'clock.
    const first = at("2026-10-25T00:30:00Z");
    const second = at("2026-10-25T01:30:00Z");
    expect(write(first)).toBe(write(second));
    expect(read(write(second))).toBe(first);
    expect(read(write(at("2026-10-25T02:30:00Z")))).toBe(at("2026-10-25T02:30:00Z"));
  });

  test("every other moment comes back as it went", () => {
    const zones = fc.constantFrom(
      "Europe/Madrid",
      "America/New_York",
      "Australia/Lord_Howe",
      "Asia/Kathmandu",
    );
    fc.assert(
      fc.property(zones, fc.integer({ min: 0, max: 4_000_000_000 }), (zone, moment) => {
        const { read, write } = siteTime(zone);
        const back = read(write(moment));
        // Where two moments look the same, the earlier one is meant.
        return back === moment || (back !== null && back < moment && write(back) === write(moment));
      }),
    );
  });
});
