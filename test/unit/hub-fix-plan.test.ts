/** What `fix-session` decides: the mildest means that was not tried, and nothing where only a person can help. */
import { describe, expect, test } from "vitest";
import { planFix, type FixSubject } from "../../scripts/hub/fix-plan.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";

const act = (state: string, change: Partial<FixSubject> = {}): string =>
  planFix({ state, reason: null, forMs: minutes(10), tried: [], ...change }).act;

describe("a plan for a session", () => {
  test("never puts a good login aside because the network, the disk or the phone is away", () => {
    const tried = ['force-cleanup (soft), by the key "x"'];
    const lost = (blame: string) => ({
      code: "408",
      text: "It was lost.",
      blame,
      advice: "Look at the router.",
    });
    expect(act("reconnecting", { tried, reason: lost("network") })).toBe("person");
    expect(act("reconnecting", { tried, reason: lost("hub") })).toBe("person");
    expect(act("degraded", { tried, reason: lost("whatsapp") })).toBe("person");
    expect(act("reconnecting", { tried, reason: lost("whatsapp") })).toBe("quarantine");
    const plan = planFix({ state: "degraded", reason: lost("network"), forMs: minutes(10), tried });
    expect(plan.then).toMatch(/its login is good.*Look at the router/);
  });

  test.each(["starting", "pairing", "reconnecting"])("that is %s goes from mild to strong", (state) => {
    expect(act(state, { forMs: seconds(30) })).toBe("wait");
    expect(act(state)).toBe("restart");
    expect(act(state, { tried: ['connect, by the key "x"'] })).toBe("restart");
    expect(act(state, { tried: ['restart, by the key "x"'] })).toBe("soft");
    expect(act(state, { tried: ['force-cleanup (soft), by the key "x"'] })).toBe("quarantine");
  });

  test("whose login was damaged on disk names the copies first", () => {
    const reason = { code: "login_damaged", text: "It cannot be read.", blame: "hub", advice: "Scan." };
    const plan = planFix({ state: "logged_out", reason, forMs: minutes(10), tried: [] });
    expect(plan).toMatchObject({ act: "connect", why: "It cannot be read." });
    expect(plan.then).toContain("restore-login");
    expect(planFix({ state: "logged_out", reason: null, forMs: 0, tried: [] }).then).not.toContain(
      "restore-login",
    );
  });

  test("orders nothing where all is well or only a person can help", () => {
    expect(act("connected")).toBe("fine");
    for (const state of [
      "qr",
      "pairing_code",
      "restricted",
      "banned",
      "outdated",
      "passkey_required",
      "number_in_use",
      "store_down",
      "new_word",
    ])
      expect(act(state), state).toBe("person");
  });

  test("connects what was stopped, ran out, was unlinked or replaced", () => {
    for (const state of ["stopped", "qr_expired", "logged_out", "replaced", "rolled_back"])
      expect(act(state), state).toBe("connect");
    expect(planFix({ state: "replaced", reason: null, forMs: 0, tried: [] }).then).toMatch(
      /Stop the other program first/,
    );
  });

  test("says the reason that the hub knows, and its advice", () => {
    const reason = {
      code: "403",
      text: "WhatsApp has locked this account.",
      blame: "whatsapp",
      advice: "Follow its notice on the phone.",
    };
    expect(planFix({ state: "banned", reason, forMs: 0, tried: [] })).toMatchObject({
      why: reason.text,
      then: reason.advice,
    });
  });
});
