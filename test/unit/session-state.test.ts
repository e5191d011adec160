/** The table of a session's states. */
import { describe, expect, test } from "vitest";
import {
  isActive,
  isOpen,
  isRestoredAtStart,
  nextSessionState,
  type SessionChange,
  type SessionState,
} from "../../hub/core/session-state.ts";

const ALL: SessionState[] = [
  "stopped",
  "starting",
  "qr",
  "pairing_code",
  "pairing",
  "connected",
  "degraded",
  "restricted",
  "reconnecting",
  "logged_out",
  "qr_expired",
  "replaced",
  "banned",
  "outdated",
  "passkey_required",
  "number_in_use",
  "rolled_back",
  "store_down",
];

const FROM_OUTSIDE: SessionChange[] = [
  { type: "qr" },
  { type: "pairing_code" },
  { type: "scanned" },
  { type: "opened" },
  { type: "deaf" },
  { type: "heard" },
  { type: "closed", outcome: "retry" },
  { type: "closed", outcome: "logged_out" },
  { type: "number_taken" },
  { type: "rolled_back" },
  { type: "store_failed" },
];

describe("states of a session", () => {
  test("only an order moves a session that is at rest", () => {
    for (const state of ALL.filter((each) => !isActive(each))) {
      for (const change of FROM_OUTSIDE) expect(nextSessionState(state, change)).toBe(state);
      expect(nextSessionState(state, { type: "start" })).toBe("starting");
    }
  });

  test("starting something that is on its way changes nothing", () => {
    for (const state of ALL.filter((each) => isActive(each) && each !== "store_down"))
      expect(nextSessionState(state, { type: "start" })).toBe(state);
    expect(nextSessionState("store_down", { type: "start" })).toBe("starting");
  });

  test("stopping always stops, but does not hide that the number was unlinked", () => {
    for (const state of ALL)
      expect(nextSessionState(state, { type: "stop" })).toBe(
        state === "logged_out" ? "logged_out" : "stopped",
      );
  });

  test("logging out works from everywhere", () => {
    for (const state of ALL) expect(nextSessionState(state, { type: "logout" })).toBe("logged_out");
  });

  test("a new QR code does not take the word from a pairing code", () => {
    expect(nextSessionState("starting", { type: "qr" })).toBe("qr");
    expect(nextSessionState("pairing_code", { type: "qr" })).toBe("pairing_code");
    expect(nextSessionState("qr", { type: "pairing_code" })).toBe("pairing_code");
  });

  test("a loss sets back to where a new connection leads on", () => {
    const retry: SessionChange = { type: "closed", outcome: "retry" };
    expect(nextSessionState("connected", retry)).toBe("reconnecting");
    expect(nextSessionState("degraded", retry)).toBe("reconnecting");
    expect(nextSessionState("qr", retry)).toBe("starting");
    expect(nextSessionState("pairing_code", retry)).toBe("starting");
    expect(nextSessionState("pairing", retry)).toBe("pairing");
    expect(nextSessionState("store_down", retry)).toBe("store_down");
  });

  test("a deaf session is degraded until something is heard, over any number of connections", () => {
    expect(nextSessionState("connected", { type: "deaf" })).toBe("degraded");
    expect(nextSessionState("degraded", { type: "opened" })).toBe("degraded");
    expect(nextSessionState("degraded", { type: "heard" })).toBe("connected");
    for (const state of ALL.filter((each) => !isOpen(each))) {
      expect(nextSessionState(state, { type: "deaf" })).toBe(state);
      expect(nextSessionState(state, { type: "heard" })).toBe(state);
    }
  });

  test("what is restored at start was connected or on its way, and needs nobody to scan", () => {
    expect(ALL.filter(isRestoredAtStart)).toEqual([
      "starting",
      "pairing",
      "connected",
      "degraded",
      "restricted",
      "reconnecting",
      "store_down",
    ]);
    expect(ALL.filter(isOpen)).toEqual(["connected", "degraded", "restricted"]);
  });
});
