import { describe, expect, test } from "vitest";
import { codeOf, endOf, OWN_CODE, reasonOf } from "../../hub/whatsapp/disconnect.ts";
import { hasSpanish } from "../../hub/core/advice.ts";
import { isBaileysSocketError } from "../../hub/whatsapp/socket-error.ts";

const boom = (statusCode: number, cause?: unknown): Error =>
  Object.assign(new Error("Connection Closed", { cause }), { isBoom: true, output: { statusCode } });

describe("what the end of a connection means", () => {
  test.each([
    [401, true, "logged_out"],
    [401, false, "qr_expired"],
    [402, true, "banned"],
    [403, true, "banned"],
    [405, true, "outdated"],
    [406, true, "banned"],
    [408, true, "retry"],
    [408, false, "qr_expired"],
    [409, true, "outdated"],
    [411, true, "outdated"],
    [428, true, "retry"],
    [428, false, "retry"],
    [440, true, "replaced"],
    [500, true, "retry"],
    [503, true, "retry"],
    [515, true, "retry"],
    [599, true, "retry"],
    [OWN_CODE.upgradeRefused, false, "retry"],
    [OWN_CODE.noAnswer, true, "retry"],
    [OWN_CODE.passkeyRequired, false, "passkey_required"],
  ])("%i, paired %s: %s", (code, paired, outcome) => {
    const reason = reasonOf(code, paired);
    expect(reason.outcome).toBe(outcome);
    expect(reason.text).toMatch(/\.$/);
    expect(reason.advice.length).toBeGreaterThan(5);
  });

  test("a busy service is given five seconds", () => {
    expect(reasonOf(503, true).firstDelayMs).toBe(5000);
    expect(reasonOf(OWN_CODE.upgradeRefused, true).firstDelayMs).toBe(5000);
  });

  test("a ban for a while ends when WhatsApp says; where it does not say, the end is unknown, and shown as that", () => {
    const now = new Date("2026-01-31T10:00:00Z");
    const refused = (data: unknown) => new Error("outer", { cause: Object.assign(boom(402), { data }) });
    const end = endOf(refused({ reason: "402", code: "101", expire: "7200" }), now);
    expect(end).toEqual(new Date("2026-01-31T12:00:00Z"));
    expect(reasonOf(402, true, end)).toMatchObject({
      outcome: "banned",
      text: "WhatsApp has banned this number until 2026-01-31 12:00 (UTC).",
      advice: reasonOf(402, true).advice,
    });
    for (const data of [{ reason: "402" }, { expire: "-1" }, { expire: "soon" }, { expire: "1e300" }, null])
      expect(endOf(refused(data), now)).toBeNull();
    expect(reasonOf(402, true).text).toContain("until when is unknown");
    expect(hasSpanish(reasonOf(402, true).advice)).toBe(true);
    expect(reasonOf(403, true, end).text).not.toContain("until");
  });

  test("the number is found inside wrapped errors, and an unnumbered one counts as 500", () => {
    expect(codeOf(boom(440))).toBe(440);
    expect(codeOf(new Error("outer", { cause: boom(503) }))).toBe(503);
    expect(codeOf(new Error("plain"))).toBe(500);
    expect(codeOf(undefined)).toBe(500);
  });

  test("only the rejection of a closed socket may be survived", () => {
    expect(isBaileysSocketError(boom(428))).toBe(true);
    expect(isBaileysSocketError(boom(500))).toBe(false);
    expect(isBaileysSocketError(new TypeError("x is not a function"))).toBe(false);
    expect(isBaileysSocketError("428")).toBe(false);
  });
});
