/** The table of disconnect codes, as an account lives through it. */
import { describe, expect, test } from "vitest";
import type { SessionState } from "../../hub/core/session-state.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { openSessionRig } from "../support/session-rig.ts";

describe("each number of WhatsApp's", () => {
  const ends: [number, SessionState, boolean][] = [
    [401, "logged_out", true],
    [402, "banned", false],
    [403, "banned", false],
    [406, "banned", false],
    [411, "outdated", false],
    [1001, "passkey_required", false],
  ];
  test.each(ends)("%d ends as %s at once, told once", async (code, state, retires) => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(code);
    await rig.settle();
    expect(await rig.news("s1")).toEqual([`session.disconnected ${state}`]);
    await rig.pass(minutes(30));
    expect(await rig.news("s1")).toEqual([]);
    expect(account.links).toHaveLength(2);
    expect(account.links[1]?.isClosed).toBe(true);
    expect(account.retirements).toHaveLength(retires ? 1 : 0);
    const session = await rig.sessions.get("s1");
    expect(session).toMatchObject({ state, connectedAt: null, reason: { code: String(code) } });
    expect(session.phoneNumber).toBe(retires ? null : "34600999888");
    expect((await rig.events("s1")).at(-1)?.data).toMatchObject({
      phoneNumber: "34600999888",
      willRetry: false,
      isConnected: false,
    });
    expect((await rig.states("s1")).slice(-2)).toEqual(["connected", state]);
    expect(await rig.row("s1")).toEqual(session);
  });

  test.each([408, 428, 500, 502, 503, 504, 599])(
    "%d is tried again with the same credentials",
    async (code) => {
      const rig = await openSessionRig();
      const account = await rig.connected("s1");
      account.closes(code);
      await rig.pass(seconds(6));
      expect(account.links).toHaveLength(3);
      account.opens();
      expect(await rig.news("s1")).toEqual([]);
      expect(account.retirements).toEqual([]);
    },
  );

  test.each([405, 409])("%d three times in a row means that we are outdated", async (code) => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.whenOpened(() => account.closes(code));
    account.closes(code);
    await rig.pass(minutes(30));
    expect(account.links).toHaveLength(4);
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "outdated", reason: { blame: "hub" } });
    expect(account.retirements).toEqual([]);
  });

  test("440 is answered once after a minute, and believed the second time", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.whenOpened(() => account.opens());
    account.closes(440);
    await rig.pass(seconds(59));
    expect(account.links).toHaveLength(2);
    await rig.pass(seconds(2));
    expect(account.links).toHaveLength(3);
    expect(await rig.news("s1")).toEqual([
      "session.disconnected reconnecting",
      "session.connected connected",
    ]);
    await rig.pass(minutes(5));
    account.closes(440);
    await rig.pass(minutes(30));
    expect(account.links).toHaveLength(3);
    expect(await rig.news("s1")).toEqual(["session.disconnected replaced"]);
    expect((await rig.events("s1")).at(-1)?.data).toMatchObject({ status: "error", willRetry: false });
    expect(account.retirements).toEqual([]);

    await rig.sessions.connect("s1");
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected" });
  });

  test("440 twice, more than ten minutes apart, is answered twice", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.whenOpened(() => account.opens());
    account.closes(440);
    await rig.pass(minutes(11));
    account.closes(440);
    await rig.pass(minutes(2));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected" });
  });

  test("515 on a connected account is a new link at once, and no failure", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.says({ type: "restart_required" }, account.links[1]);
    await rig.settle();
    expect(account.links).toHaveLength(3);
    account.opens();
    expect(await rig.news("s1")).toEqual([]);
  });

  test("515 again and again is a failure like any other", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.whenOpened(() => account.says({ type: "restart_required" }, account.links.at(-1)));
    account.says({ type: "restart_required" }, account.links[1]);
    await rig.pass(minutes(1));
    expect(account.links.length).toBeLessThan(10);
    account.whenOpened(() => account.opens());
    await rig.pass(minutes(5));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected" });
  });

  test("a loss that was told becomes final with a second event", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(428);
    await rig.pass(seconds(20));
    account.closes(401);
    expect(await rig.news("s1")).toEqual([
      "session.disconnected reconnecting",
      "session.disconnected logged_out",
    ]);
  });
});
