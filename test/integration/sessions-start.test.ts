/** The hub's own start and stop: which accounts come back, how many at a time, and what is left behind. */
import { describe, expect, test } from "vitest";
import { isOpen, type SessionState } from "../../hub/core/session-state.ts";
import { aNewSession } from "../support/builders.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { aTurn, openSessionRig, type SessionRig } from "../support/session-rig.ts";

const stored = async (
  rig: SessionRig,
  state: SessionState,
  change: { sessionId?: string; lostAt?: Date } = {},
) => {
  const { sessionId = "s1" } = change;
  const phoneNumber = `34600${String(sessionId.length)}${sessionId.replace(/\D/g, "").padStart(4, "0")}`;
  await rig.store.sessions.create(aNewSession({ state, phoneNumber, ...change, sessionId }));
  const account = rig.account(sessionId);
  account.isPaired = isOpen(state) || state === "reconnecting";
  return account;
};

describe("at the start of the hub", () => {
  test("twenty accounts come back, never more than five connecting at a time", async () => {
    const rig = await openSessionRig();
    const names = Array.from({ length: 20 }, (_, n) => `s${n + 1}`);
    for (const sessionId of names) await stored(rig, "connected", { sessionId });
    await rig.startAgain();
    expect(rig.whatsapp.connecting()).toBe(5);
    for (let round = 0; round < 4; round++) {
      for (const sessionId of names) {
        const account = rig.account(sessionId);
        const isWaiting =
          account.links.length === 1 && (await rig.sessions.get(sessionId)).state !== "connected";
        if (isWaiting) account.opens({ phoneNumber: (await rig.row(sessionId)).phoneNumber ?? "" });
      }
      await rig.settle();
    }
    const sessions = await rig.sessions.list();
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual(names);
    expect(new Set(sessions.map(({ state }) => state))).toEqual(new Set(["connected"]));
    expect(rig.whatsapp.mostConnectingAtOnce).toBe(5);
    for (const sessionId of names) {
      expect(rig.account(sessionId).links).toHaveLength(1);
      expect(await rig.news(sessionId)).toEqual([]);
    }
  });

  test("five accounts that get no answer do not keep the sixth from connecting", async () => {
    const rig = await openSessionRig();
    for (let n = 1; n <= 6; n++) await stored(rig, "connected", { sessionId: `s${n}` });
    await rig.startAgain();
    expect(rig.account("s6").links).toHaveLength(0);
    await rig.pass(seconds(26));
    expect(rig.account("s6").links).toHaveLength(1);
    expect(rig.whatsapp.mostConnectingAtOnce).toBe(5);
  });

  test("somebody who waits for a code goes before accounts that are being restored", async () => {
    const rig = await openSessionRig();
    for (let n = 1; n <= 8; n++) await stored(rig, "connected", { sessionId: `s${n}` });
    await rig.startAgain();
    await rig.sessions.create({ sessionId: "new" });
    await rig.sessions.connect("new");
    rig.account("s1").opens({ phoneNumber: "1" });
    await rig.settle();
    expect(rig.account("new").links).toHaveLength(1);
    expect(rig.account("s6").links).toHaveLength(0);
  });

  test.each<[SessionState, SessionState, number]>([
    ["connected", "reconnecting", 1],
    ["degraded", "reconnecting", 1],
    ["reconnecting", "reconnecting", 1],
    ["starting", "starting", 1],
    ["pairing", "pairing", 1],
    ["store_down", "starting", 1],
    ["stopped", "stopped", 0],
    ["logged_out", "logged_out", 0],
    ["qr_expired", "qr_expired", 0],
    ["replaced", "replaced", 0],
    ["banned", "banned", 0],
    ["outdated", "outdated", 0],
    ["number_in_use", "number_in_use", 0],
    ["qr", "qr_expired", 0],
    ["pairing_code", "qr_expired", 0],
  ])("a session that was %s is %s", async (before, after, links) => {
    const rig = await openSessionRig();
    const account = await stored(rig, before);
    await rig.startAgain();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: after });
    expect(account.links).toHaveLength(links);
    expect(await rig.row("s1")).toEqual(await rig.sessions.get("s1"));
  });

  test("a session whose login is gone waits for somebody who scans", async () => {
    const rig = await openSessionRig();
    const account = await stored(rig, "connected");
    account.isPaired = false;
    await rig.startAgain();
    expect(await rig.sessions.get("s1")).toMatchObject({
      state: "logged_out",
      reason: { code: "login_gone" },
    });
    expect(account.links).toHaveLength(0);
  });

  test("a code that was scanned in the last moment is finished", async () => {
    const rig = await openSessionRig();
    const account = await stored(rig, "qr");
    account.isPaired = true;
    await rig.startAgain();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "pairing" });
    account.opens();
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected" });
  });

  test("an account that is back within fifteen seconds tells nobody; one that is not tells it", async () => {
    const rig = await openSessionRig();
    await rig.connected("quick", "34600000001");
    await rig.connected("slow", "34600000002");
    await rig.startAgain();
    expect(await rig.sessions.get("quick")).toMatchObject({ state: "reconnecting" });
    await rig.pass(seconds(5));
    rig.account("quick").opens({ phoneNumber: "34600000001" });
    await rig.pass(seconds(15));
    expect(await rig.news("quick")).toEqual([]);
    expect(await rig.news("slow")).toEqual(["session.disconnected reconnecting"]);
    rig.account("slow").opens({ phoneNumber: "34600000002" });
    expect(await rig.news("slow")).toEqual(["session.connected connected"]);
  });

  test("a hub that was stopped for an hour tells the loss, and how long it was", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    await rig.sessions.stop();
    await rig.pass(minutes(60));
    await rig.startAgain();
    await rig.pass(0);
    expect(await rig.news("s1")).toEqual(["session.disconnected reconnecting"]);
    account.opens();
    await rig.settle();
    expect((await rig.events("s1")).at(-1)?.data).toMatchObject({ downSeconds: 3600 });
  });

  test("deleted sessions stay away", async () => {
    const rig = await openSessionRig();
    await rig.connected("s1");
    await rig.sessions.remove("s1", { logout: false });
    await rig.startAgain();
    expect(await rig.sessions.list()).toEqual([]);
    expect(rig.account("s1").links).toHaveLength(2);
  });
});

describe("at the stop of the hub", () => {
  test("links are closed, states stay, and the loss is dated", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    await rig.sessions.stop();
    expect(account.links.every(({ isClosed }) => isClosed)).toBe(true);
    expect(await rig.row("s1")).toMatchObject({ state: "connected", lostAt: rig.time.clock.now() });
    await rig.pass(minutes(10));
    expect(account.links).toHaveLength(2);
    expect(await rig.news("s1")).toEqual([]);
  });

  test("in the middle of connecting leaves no link behind", async () => {
    const rig = await openSessionRig();
    const account = rig.account("s1");
    await rig.sessions.create({ sessionId: "s1" });
    const release = account.holdsOpening();
    await rig.sessions.connect("s1");
    await aTurn();
    expect(account.links).toHaveLength(1);
    const stopping = rig.sessions.stop();
    release();
    await stopping;
    expect(account.links[0]?.isClosed).toBe(true);
    account.opens();
    await rig.pass(minutes(10));
    expect(account.links).toHaveLength(1);
    expect(await rig.row("s1")).toMatchObject({ state: "starting" });
  });

  test("does not wait for ever for a link that will not close", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.hangsOnClose();
    await rig.pass(seconds(61));
    account.says({ type: "restart_required" }, account.links[1]);
    let stopped = false;
    const stopping = rig.sessions.stop().then(() => (stopped = true));
    await rig.time.pass(seconds(5), aTurn);
    await aTurn();
    expect(stopped).toBe(true);
    await stopping;
  });

  test("orders that come after it are refused", async () => {
    const rig = await openSessionRig();
    await rig.connected("s1");
    await rig.sessions.stop();
    await expect(rig.sessions.restart("s1")).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });

  test("leaves no timer behind", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(428);
    await rig.settle();
    await rig.sessions.stop();
    expect(rig.time.waiting()).toBe(0);
  });
});
