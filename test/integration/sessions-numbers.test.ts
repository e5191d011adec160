/** One number, one session: what happens when a number is scanned that another session has. */
import { describe, expect, test } from "vitest";
import { minutes } from "../support/fixed-clock.ts";
import { openSessionRig } from "../support/session-rig.ts";

describe("one number, one session", () => {
  test("a number that another session holds is refused, and the other one stays as it is", async () => {
    const rig = await openSessionRig();
    await rig.connected("front", "34600999888");
    const account = rig.account("back");
    await rig.sessions.create({ sessionId: "back" });
    await rig.sessions.connect("back");
    await rig.settle();
    account.isScanned();
    await rig.settle();
    account.opens({ phoneNumber: "34600999888" });
    await rig.pass(minutes(10));
    const refused = await rig.sessions.get("back");
    expect(refused).toMatchObject({
      state: "number_in_use",
      phoneNumber: null,
      reason: { code: "number_in_use" },
    });
    expect(refused.reason?.text).toContain("front");
    expect(account.links.map(({ isLoggedOut, isClosed }) => [isLoggedOut, isClosed])).toEqual([
      [false, true],
      [true, true],
    ]);
    expect(account.retirements).toHaveLength(1);
    expect(await rig.sessions.get("front")).toMatchObject({ state: "connected" });
    expect(rig.sessions.link("front")).toBe(rig.account("front").links[1]);
  });

  test("two sessions that scan one number at the same moment do not both get it", async () => {
    const rig = await openSessionRig();
    for (const sessionId of ["a", "b"]) {
      await rig.sessions.create({ sessionId });
      await rig.sessions.connect(sessionId);
    }
    await rig.settle();
    rig.account("a").opens({ phoneNumber: "34600999888" });
    rig.account("b").opens({ phoneNumber: "34600999888" });
    await rig.settle();
    const states = (await rig.sessions.list()).map(({ state }) => state);
    expect(states.sort()).toEqual(["connected", "number_in_use"]);
  });

  test("the number of a session that was logged out moves to where it is scanned next", async () => {
    const rig = await openSessionRig();
    await rig.connected("old", "34600999888");
    await rig.sessions.logout("old");
    await rig.connected("new", "34600999888");
    expect(await rig.sessions.get("new")).toMatchObject({ state: "connected", phoneNumber: "34600999888" });
    expect(await rig.sessions.get("old")).toMatchObject({ state: "logged_out", phoneNumber: null });
  });
});
