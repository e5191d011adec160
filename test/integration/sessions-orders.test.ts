/** Orders of people and programs: stop, restart, log out, delete and come back. */
import { describe, expect, test } from "vitest";
import { hours, minutes, seconds } from "../support/fixed-clock.ts";
import { aTurn, openSessionRig } from "../support/session-rig.ts";
import { until } from "../support/until.ts";

describe("disconnect", () => {
  test("closes the link, keeps the credentials, and is told at once", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    const session = await rig.sessions.disconnect("s1");
    expect(session).toMatchObject({
      state: "stopped",
      phoneNumber: "34600999888",
      reason: { code: "stopped", blame: "user" },
    });
    expect(account.links[1]).toMatchObject({ isClosed: true, isLoggedOut: false });
    expect(account.retirements).toEqual([]);
    expect(await rig.news("s1")).toEqual(["session.disconnected stopped"]);
    await rig.startAgain();
    await rig.pass(minutes(10));
    expect(account.links).toHaveLength(2);

    await rig.sessions.connect("s1");
    await rig.settle();
    account.opens();
    expect(await rig.news("s1")).toEqual(["session.status starting", "session.connected connected"]);
    expect((await rig.events("s1")).at(-1)?.data).toMatchObject({
      previousState: "starting",
      downSeconds: 600,
    });
  });

  test("in the middle of connecting ends the attempt", async () => {
    const rig = await openSessionRig();
    const account = rig.account("s1");
    await rig.sessions.create({ sessionId: "s1" });
    const release = account.holdsOpening();
    await rig.sessions.connect("s1");
    await aTurn();
    const stopping = rig.sessions.disconnect("s1");
    release();
    expect(await stopping).toMatchObject({ state: "stopped" });
    account.opens();
    await rig.pass(minutes(10));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "stopped" });
    expect(account.links.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  test("while waiting for the next try ends the waiting", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(428);
    await rig.settle();
    await rig.sessions.disconnect("s1");
    await rig.pass(minutes(10));
    expect(account.links).toHaveLength(2);
    expect(await rig.news("s1")).toEqual(["session.disconnected stopped"]);
  });

  test("twice is once", async () => {
    const rig = await openSessionRig();
    await rig.connected("s1");
    await rig.sessions.disconnect("s1");
    await rig.sessions.disconnect("s1");
    expect(await rig.news("s1")).toEqual(["session.disconnected stopped"]);
  });
});

describe("restart", () => {
  test("makes a new link on the same credentials, and tells nobody when it is quick", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    expect(await rig.sessions.restart("s1")).toMatchObject({ state: "reconnecting" });
    await rig.settle();
    expect(account.links.map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
    expect(account.mostLinksAtOnce).toBe(1);
    account.opens();
    await rig.pass(minutes(1));
    expect(await rig.news("s1")).toEqual([]);
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected", reason: null });
  });

  test("brings the next try forward", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(440);
    await rig.settle();
    await rig.sessions.restart("s1");
    await rig.settle();
    expect(account.links).toHaveLength(3);
    account.opens();
    await rig.pass(minutes(5));
    expect(account.links).toHaveLength(3);
  });

  test("of a session at rest connects it", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    expect(await rig.sessions.restart("s1")).toMatchObject({ state: "starting" });
  });
});

describe("logout", () => {
  test("unlinks the device and takes the credentials out of use", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    const session = await rig.sessions.logout("s1");
    expect(session).toMatchObject({ state: "logged_out", phoneNumber: null, reason: { code: "logout" } });
    expect(account.links[1]).toMatchObject({ isLoggedOut: true, isClosed: true });
    expect(account.retirements).toHaveLength(1);
    expect(await rig.news("s1")).toEqual(["session.disconnected logged_out"]);
    expect((await rig.events("s1")).at(-1)?.data).toMatchObject({ phoneNumber: "34600999888" });
  });

  test("works right after a restart of the hub, before the account is connected", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    await rig.startAgain();
    account.whenOpened(() => account.opens());
    const session = await rig.sessions.logout("s1");
    expect(session).toMatchObject({
      state: "logged_out",
      reason: { text: expect.stringContaining("no longer") as string },
    });
    expect(account.links.at(-1)).toMatchObject({ isLoggedOut: true, isClosed: true });
    expect(account.mostLinksAtOnce).toBe(1);
    expect(account.retirements).toHaveLength(1);
  });

  test("of a stopped session opens a link only to unlink", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    await rig.sessions.disconnect("s1");
    account.whenOpened(() => account.opens());
    expect(await rig.sessions.logout("s1")).toMatchObject({ state: "logged_out" });
    expect(account.links).toHaveLength(3);
    expect(account.links[2]).toMatchObject({ isLoggedOut: true, isClosed: true });
    await rig.pass(minutes(10));
    expect(account.links).toHaveLength(3);
  });

  test("ends in eight seconds when WhatsApp cannot be told, and says so", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    await rig.sessions.disconnect("s1");
    const before = rig.time.clock.now().getTime();
    const leaving = rig.sessions.logout("s1");
    await rig.time.pass(seconds(8), aTurn);
    const session = await leaving;
    expect((session.reason?.at.getTime() ?? Infinity) - before).toBeLessThanOrEqual(seconds(8));
    expect(session).toMatchObject({
      state: "logged_out",
      reason: { advice: expect.stringContaining("Linked devices") as string },
    });
    expect(account.retirements).toHaveLength(1);
  });

  test("of a session that was unlinked on the phone meanwhile is what was ordered", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    await rig.sessions.disconnect("s1");
    account.whenOpened(() => account.closes(401));
    expect(await rig.sessions.logout("s1")).toMatchObject({
      state: "logged_out",
      reason: { text: expect.stringContaining("no longer") as string },
    });
  });

  test("of a session that was never linked needs no link", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    expect(await rig.sessions.logout("s1")).toMatchObject({ state: "logged_out" });
    expect(rig.account("s1").links).toEqual([]);
  });
});

describe("delete", () => {
  test("stops and hides the session at once, and seals its credentials", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    expect(await rig.sessions.remove("s1", { logout: false })).toMatchObject({ id: 1, state: "stopped" });
    await expect(rig.sessions.get("s1")).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect(await rig.sessions.list()).toEqual([]);
    expect(account.links[1]).toMatchObject({ isClosed: true, isLoggedOut: false });
    expect(account.retirements).toEqual([]);
    expect(await rig.news("s1")).toEqual(["session.disconnected stopped"]);
  });

  test("is undone by creating the name again within a week: same integer, no scan", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    await rig.sessions.saveSettings("s1", { ignoreGroups: true });
    await rig.sessions.remove("s1", { logout: false });
    await rig.pass(hours(24 * 6));
    const { session, created } = await rig.sessions.create({ sessionId: "s1", sessionName: "Back" });
    expect(created).toBe(true);
    expect(session).toMatchObject({
      id: 1,
      sessionName: "Back",
      state: "stopped",
      phoneNumber: "34600999888",
      deletedAt: null,
      settings: { ignoreGroups: true },
    });
    await rig.sessions.connect("s1");
    await rig.settle();
    account.opens();
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected" });
    expect(account.retirements).toEqual([]);
  });

  test("is undone by connecting within a week", async () => {
    const rig = await openSessionRig();
    await rig.connected("s1");
    await rig.sessions.remove("s1", { logout: false });
    await rig.startAgain();
    expect(await rig.sessions.connect("s1")).toMatchObject({ id: 1, state: "starting" });
  });

  test("after a week unlinks the device and destroys the credentials; the name comes back without them", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    await rig.sessions.restoreAll();
    await rig.sessions.remove("s1", { logout: false });
    account.whenOpened(() => account.opens());
    await rig.pass(hours(24 * 7 - 1));
    expect(account.retirements).toEqual([]);
    await rig.pass(hours(8));
    expect(account.retirements).toHaveLength(1);
    expect(account.links.at(-1)).toMatchObject({ isLoggedOut: true, isClosed: true });
    await expect(rig.sessions.connect("s1")).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    const { session } = await rig.sessions.create({ sessionId: "s1" });
    expect(session).toMatchObject({ id: 1, state: "stopped", phoneNumber: null });
  });

  test("destroys no login of a name that was created and linked again while others are unlinked", async () => {
    const rig = await openSessionRig();
    const slow = await rig.connected("a", "34600000001");
    const account = await rig.connected("b", "34600000002");
    await rig.sessions.restoreAll();
    for (const sessionId of ["a", "b"]) await rig.sessions.remove(sessionId, { logout: false });
    await rig.pass(hours(24 * 7) - 1);
    const links = slow.links.length;
    await until("the link to unlink with", async () => {
      if (slow.links.length === links) await rig.time.pass(seconds(1), aTurn);
      return slow.links.length > links;
    });
    account.whenOpened(() => account.opens({ phoneNumber: "34600000002" }));
    let isCreated = false;
    const creating = rig.sessions.create({ sessionId: "b" }).then(() => (isCreated = true));
    await until("the name", async () => {
      if (!isCreated) await rig.time.pass(seconds(1), aTurn);
      return isCreated;
    });
    await creating;
    await rig.sessions.connect("b");
    await until("the new link", async () => {
      await aTurn();
      return (await rig.sessions.get("b")).state === "connected";
    });
    await rig.time.pass(seconds(30), aTurn);
    await rig.settle();
    expect(await rig.sessions.get("b")).toMatchObject({ state: "connected", phoneNumber: "34600000002" });
    expect(slow.retirements).toHaveLength(1);
    expect(account.retirements).toHaveLength(1);
    expect(account.links.at(-1)).toMatchObject({ isLoggedOut: false, isClosed: false });
  });

  test("unlinks at once when told to, or when the session is set so", async () => {
    for (const asked of [true, false]) {
      const rig = await openSessionRig();
      const account = await rig.connected("s1");
      if (!asked) await rig.sessions.saveSettings("s1", { deleteMode: "logout" });
      await rig.sessions.remove("s1", { logout: asked });
      expect(account.links[1]).toMatchObject({ isLoggedOut: true, isClosed: true });
      expect(account.retirements).toHaveLength(1);
      await expect(rig.sessions.get("s1")).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      expect(await rig.news("s1")).toEqual(["session.disconnected logged_out"]);
    }
  });
});

describe("details", () => {
  test("settings and name are saved and raise no event", async () => {
    const rig = await openSessionRig();
    await rig.connected("s1");
    await rig.sessions.saveSettings("s1", { jidForm: "s.whatsapp.net" });
    const session = await rig.sessions.saveDetails("s1", { sessionName: "Shop", sendToFrappe: true });
    expect(session).toMatchObject({
      sessionName: "Shop",
      sendToFrappe: true,
      settings: { jidForm: "s.whatsapp.net", historyDays: 365 },
    });
    expect(await rig.row("s1")).toEqual(session);
    expect(await rig.news("s1")).toEqual([]);
  });

  test("the time of the last activity is written with the next change", async () => {
    const rig = await openSessionRig();
    await rig.connected("s1");
    await rig.pass(minutes(3));
    rig.sessions.touch("s1");
    expect(await rig.sessions.get("s1")).toMatchObject({ lastActivity: rig.time.clock.now() });
    await rig.sessions.disconnect("s1");
    expect(await rig.row("s1")).toMatchObject({ lastActivity: rig.time.clock.now() });
  });
});

test("no account connects before all of them are written down as on their way", async () => {
  const rig = await openSessionRig();
  const first = await rig.connected("s1");
  await rig.connected("s2", "34600999777");
  const states: Promise<string>[] = [];
  first.whenOpened(() => states.push(rig.row("s2").then(({ state }) => state)));
  await rig.startAgain();
  expect((await Promise.all(states)).at(0)).toBe("reconnecting");
});
