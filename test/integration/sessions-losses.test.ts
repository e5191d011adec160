/** Connections that end: who is told what, when it is tried again, and when it is not. */
import { describe, expect, test } from "vitest";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { aTurn, openSessionRig } from "../support/session-rig.ts";

describe("a short drop", () => {
  test("raises no event, keeps the state, and leaves nothing to send with", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    const lostAt = rig.time.clock.now();
    account.closes(428);
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({
      state: "connected",
      lostAt,
      reason: { code: "428" },
    });
    expect(await rig.row("s1")).toEqual(await rig.sessions.get("s1"));
    expect(() => rig.sessions.link("s1")).toThrow(
      expect.objectContaining({
        code: "SESSION_NOT_CONNECTED",
        details: { state: "connected", isRecovering: true },
      }),
    );

    await rig.pass(seconds(1));
    expect(account.links).toHaveLength(3);
    account.opens();
    await rig.pass(minutes(5));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected", lostAt: null, reason: null });
    expect(await rig.news("s1")).toEqual([]);
    expect(rig.sessions.link("s1")).toBe(account.links[2]);
    expect(rig.opened).toEqual(["s1", "s1"]);
  });

  test.each([
    [2, []],
    [10, []],
    [20, ["session.disconnected reconnecting", "session.connected connected"]],
  ])("of %d s tells %j", async (downSeconds, news) => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(428);
    await rig.pass(seconds(downSeconds));
    account.opens();
    expect(await rig.news("s1")).toEqual(news);
  });

  test("that becomes a long one is told after fifteen seconds, not before", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    const lostAt = rig.time.clock.now();
    account.closes(428);
    await rig.pass(seconds(14.9));
    expect(await rig.news("s1")).toEqual([]);
    await rig.pass(seconds(0.2));
    expect(await rig.news("s1")).toEqual(["session.disconnected reconnecting"]);
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "reconnecting", connectedAt: null, lostAt });
    expect((await rig.events("s1")).at(-1)?.data).toEqual({
      sessionId: "s1",
      session_db_id: 1,
      status: "connecting",
      isConnected: false,
      state: "reconnecting",
      phoneNumber: "34600999888",
      reason: {
        code: "428",
        text: expect.any(String) as string,
        blame: "network",
        advice: expect.any(String) as string,
        adviceEs: expect.any(String) as string,
        at: lostAt.toISOString(),
      },
      willRetry: true,
      timestamp: lostAt.getTime() / 1000 + 15,
    });

    await rig.pass(seconds(9.9));
    account.opens();
    await rig.settle();
    expect((await rig.events("s1")).at(-1)?.data).toMatchObject({
      previousState: "reconnecting",
      downSeconds: 25,
    });
    expect(await rig.states("s1")).toEqual([
      "stopped",
      "starting",
      "qr",
      "pairing",
      "connected",
      "reconnecting",
      "connected",
    ]);
  });

  test("in which several tries fail counts from its beginning", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.whenOpened(() => account.closes(428));
    account.closes(428);
    await rig.pass(seconds(16));
    expect(await rig.news("s1")).toEqual(["session.disconnected reconnecting"]);
  });
});

describe("trying again", () => {
  test("waits 1, 2, 5 s, tries once more before anybody is told, then waits 30, 60, 120 and 300 s", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.whenOpened(() => account.closes(500));
    account.closes(500);
    await rig.settle();
    for (const wait of [1, 2, 5, 4, 30, 60, 120, 300, 300]) {
      const before = account.links.length;
      await rig.pass(seconds(wait) - 1);
      expect(account.links, `before ${wait} s`).toHaveLength(before);
      await rig.pass(1);
      expect(account.links, `after ${wait} s`).toHaveLength(before + 1);
    }
    expect(account.mostLinksAtOnce).toBe(1);
    expect(account.retirements).toEqual([]);
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "reconnecting", phoneNumber: "34600999888" });
  });

  test("begins anew after a minute of connection, and goes on after less", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    const lastsFor = async (ms: number) => {
      account.closes(428);
      await rig.settle();
      for (let waited = 0; account.links.at(-1)?.isClosed === true; waited++) {
        if (waited > 400) throw new Error("no new try");
        await rig.pass(seconds(1));
      }
      account.opens();
      await rig.pass(ms);
      return account.links.length;
    };
    const triesIn = async (ms: number) => {
      const before = account.links.length;
      account.closes(428);
      await rig.pass(ms);
      return account.links.length - before;
    };
    await lastsFor(seconds(59));
    await lastsFor(seconds(59));
    expect(await triesIn(seconds(4))).toBe(0);
    await rig.pass(seconds(1));
    account.opens();
    await rig.pass(seconds(61));
    expect(await triesIn(seconds(1))).toBe(1);
  });

  test("after 503 waits five seconds first", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(503);
    await rig.pass(seconds(4.9));
    expect(account.links).toHaveLength(2);
    await rig.pass(seconds(0.2));
    expect(account.links).toHaveLength(3);
  });

  test("ends a start that does not get anywhere in 25 s", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(428);
    await rig.pass(seconds(1));
    await rig.pass(seconds(24.9));
    expect(account.links).toHaveLength(3);
    expect(account.links[2]?.isClosed).toBe(false);
    await rig.pass(seconds(0.2));
    expect(account.links[2]?.isClosed).toBe(true);
    expect(await rig.sessions.get("s1")).toMatchObject({ reason: { code: "no_answer", blame: "network" } });
    await rig.pass(seconds(2));
    expect(account.links).toHaveLength(4);
  });

  test("goes on when the connector itself fails", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.cannotOpen(new Error("data key unreadable"));
    account.closes(428);
    await rig.pass(minutes(5));
    expect(await rig.sessions.get("s1")).toMatchObject({
      state: "reconnecting",
      reason: { code: "not_started" },
    });
    expect(account.retirements).toEqual([]);
    account.cannotOpen(null);
    account.whenOpened(() => account.opens());
    await rig.pass(minutes(5));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected" });
  });

  test("does not wait for ever for a link that will not close", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.hangsOnClose();
    account.closes(428);
    await rig.time.pass(seconds(1), aTurn);
    expect(account.links).toHaveLength(3);
    await rig.time.pass(seconds(26), aTurn);
    expect(account.links).toHaveLength(3);
    await rig.time.pass(seconds(13), aTurn);
    expect(account.links).toHaveLength(4);
  });

  test("no longer hears a link that was given up", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    const old = account.links[1];
    account.closes(428);
    await rig.pass(seconds(1));
    account.opens();
    await rig.settle();
    account.says({ type: "closed", code: 401, detail: "", paired: true }, old);
    account.says({ type: "store_failed", cause: new Error("late") }, old);
    await rig.pass(minutes(1));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected", lostAt: null });
    expect(account.retirements).toEqual([]);
  });

  test("hears nothing more of an attempt once its deadline passed, though it opens in the same moment", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(428);
    await rig.pass(seconds(1));
    const late = account.links[2];
    // Both are waiting to be handled when the first is.
    const passing = rig.pass(seconds(25));
    await passing;
    account.says({ type: "opened", phoneNumber: "34600999888", lid: null, pushName: null }, late);
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "reconnecting" });
  });
});
