/** No store, no socket: what sessions do while the hub cannot write, and when it can again. */
import { describe, expect, test } from "vitest";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { openSessionRig } from "../support/session-rig.ts";

describe("a store that fails", () => {
  test("cuts the link, and the session reconnects when a write commits", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    rig.disk.fails = true;
    account.storeFails();
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({
      state: "store_down",
      reason: { code: "store_failed", blame: "hub" },
      phoneNumber: "34600999888",
    });
    expect(account.links[1]?.isClosed).toBe(true);
    expect(() => rig.sessions.link("s1")).toThrow(expect.objectContaining({ code: "SESSION_NOT_CONNECTED" }));
    await rig.pass(seconds(5));
    expect(account.links).toHaveLength(2);

    rig.disk.fails = false;
    await rig.pass(seconds(8));
    expect(account.links).toHaveLength(3);
    account.opens();
    await rig.pass(minutes(1));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected", reason: null, lostAt: null });
    expect(await rig.row("s1")).toEqual(await rig.sessions.get("s1"));
    expect(account.retirements).toEqual([]);
    expect(await rig.news("s1")).toEqual([]);
  });

  test("for long is told as soon as telling is possible", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    rig.disk.fails = true;
    account.storeFails();
    await rig.pass(minutes(2));
    expect(await rig.news("s1")).toEqual([]);
    rig.disk.fails = false;
    await rig.pass(seconds(31));
    account.opens();
    expect(await rig.news("s1")).toEqual(["session.disconnected starting", "session.connected connected"]);
    const [lost, back] = (await rig.events("s1")).slice(-2);
    expect(lost?.data).toMatchObject({
      status: "connecting",
      willRetry: true,
      reason: { code: "store_failed" },
    });
    expect(back?.data["downSeconds"]).toBeGreaterThanOrEqual(120);
  });

  test("is tried after 1, 2, 4, 8, 16 and then every 30 s, once for all sessions", async () => {
    const rig = await openSessionRig();
    for (const n of [1, 2, 3]) await rig.connected(`s${n}`, `3460000000${n}`);
    rig.disk.fails = true;
    rig.sessions.storeFailed(new Error("disk full"));
    await rig.settle();
    expect((await rig.sessions.list()).map(({ state }) => state)).toEqual([
      "store_down",
      "store_down",
      "store_down",
    ]);
    const times: number[] = [];
    for (let second = 1; second <= 121; second++) {
      const before = rig.disk.canaries;
      await rig.pass(seconds(1));
      for (let n = before; n < rig.disk.canaries; n++) times.push(second);
    }
    expect(times).toEqual([1, 3, 7, 15, 31, 61, 91, 121]);
    rig.disk.fails = false;
    await rig.pass(seconds(30));
    expect(rig.disk.canaries).toBe(9);
    for (const n of [1, 2, 3]) expect(rig.account(`s${n}`).links).toHaveLength(3);
  });

  test("while a state is being written is noticed there", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    rig.disk.fails = true;
    account.closes(428);
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "store_down" });
    rig.disk.fails = false;
    account.whenOpened(() => account.opens());
    await rig.pass(minutes(1));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected" });
  });

  test("refuses orders in plain words, and they work again afterwards", async () => {
    const rig = await openSessionRig();
    await rig.connected("s1");
    rig.disk.fails = true;
    await expect(rig.sessions.disconnect("s1")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(rig.account("s1").links[1]?.isClosed).toBe(true);
    rig.disk.fails = false;
    expect(await rig.sessions.disconnect("s1")).toMatchObject({ state: "stopped" });
    await rig.pass(minutes(5));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "stopped" });
    expect(rig.account("s1").links).toHaveLength(2);
  });

  test("for one kind of write alone does not become a loop without a pause", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    const before = account.links.length;
    account.whenOpened(() => account.storeFails());
    account.storeFails();
    await rig.pass(minutes(10));
    expect(account.links.length - before).toBeLessThan(12);
    account.whenOpened(() => account.opens());
    await rig.pass(minutes(6));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected" });
  });

  test("leaves a session that is not on its way alone", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    rig.sessions.storeFailed(new Error("disk full"));
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "stopped" });
  });
});
