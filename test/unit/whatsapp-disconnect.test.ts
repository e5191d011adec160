import { describe, expect, test } from "vitest";
import { codeOf, OWN_CODE, reasonOf } from "../../hub/whatsapp/disconnect.ts";
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
