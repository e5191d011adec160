/** Linking a number: from an order to connect until the account is open, or until it is clear that it will not be. */
import { describe, expect, test } from "vitest";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { openSessionRig } from "../support/session-rig.ts";

const inOneMinute = (rig: { time: { clock: { now(): Date } } }) =>
  new Date(rig.time.clock.now().getTime() + minutes(1));

describe("linking a number", () => {
  test("creating a session does not connect it, and a known id is answered as it is", async () => {
    const rig = await openSessionRig();
    const first = await rig.sessions.create({ sessionId: "s1", sessionName: "Front desk" });
    expect(first).toMatchObject({ created: true, session: { id: 1, state: "stopped", reason: null } });
    const second = await rig.sessions.create({ sessionId: "s1", sessionName: "Other" });
    expect(second).toMatchObject({ created: false, session: { id: 1, sessionName: "Front desk" } });
    await rig.settle();
    expect(rig.account("s1").links).toEqual([]);
  });

  test("an id created twice at once is one session", async () => {
    const rig = await openSessionRig();
    const both = await Promise.all([
      rig.sessions.create({ sessionId: "s1" }),
      rig.sessions.create({ sessionId: "s1" }),
    ]);
    expect(both.map(({ created }) => created)).toEqual([true, false]);
    expect(await rig.sessions.list()).toHaveLength(1);
  });

  test("a session is found by its name and by its integer", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    await rig.sessions.create({ sessionId: "s2" });
    expect(await rig.sessions.get("2")).toMatchObject({ sessionId: "s2" });
    expect(await rig.sessions.get("s1")).toMatchObject({ id: 1 });
    await expect(rig.sessions.get("s3")).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  test("connect answers at once that it is starting", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    expect(await rig.sessions.connect("s1")).toMatchObject({ state: "starting" });
  });

  test("a scan, a restart asked by WhatsApp and an opened connection make a connected account", async () => {
    const rig = await openSessionRig();
    const account = rig.account("s1");
    await rig.sessions.create({ sessionId: "s1" });
    await rig.sessions.connect("s1");
    await rig.settle();
    account.shows("2@code", inOneMinute(rig));
    await rig.settle();
    expect(await rig.sessions.qr("s1", 0)).toEqual({ qr: "2@code", expiresAt: inOneMinute(rig) });

    account.isScanned();
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "pairing", reason: null });
    expect(account.links).toHaveLength(2);
    expect(account.mostLinksAtOnce).toBe(1);

    account.opens({ phoneNumber: "34600999888", pushName: "Shop" });
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({
      state: "connected",
      phoneNumber: "34600999888",
      lid: "999888@lid",
      pushName: "Shop",
      connectedAt: rig.time.clock.now(),
      lostAt: null,
    });
    expect(await rig.row("s1")).toEqual(await rig.sessions.get("s1"));
    expect(await rig.news("s1")).toEqual([
      "session.status starting",
      "session.status qr",
      "session.status pairing",
      "session.connected connected",
    ]);
    expect(await rig.states("s1")).toEqual(["stopped", "starting", "qr", "pairing", "connected"]);
    expect(rig.opened).toEqual(["s1"]);
    expect(rig.sessions.link("s1")).toBe(account.links[1]);
  });

  test("session.connected says who, since when not, and what came before", async () => {
    const rig = await openSessionRig();
    await rig.connected("s1");
    const events = await rig.events("s1");
    expect(events.at(-1)?.data).toEqual({
      sessionId: "s1",
      session_db_id: 1,
      status: "connected",
      isConnected: true,
      phoneNumber: "34600999888",
      pushName: "Shop",
      timestamp: rig.time.clock.now().getTime() / 1000,
      previousState: "pairing",
      downSeconds: 0,
    });
    expect(Object.keys(events.at(-1)?.data ?? {}).slice(2)).toEqual([
      "status",
      "isConnected",
      "phoneNumber",
      "pushName",
      "timestamp",
      "previousState",
      "downSeconds",
    ]);
  });

  test("session.status carries the fields of a session and no invented counts", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    await rig.sessions.connect("s1");
    const [event] = await rig.events("s1");
    expect(event?.data).toMatchObject({ id: 1, status: "connecting", state: "starting", isConnected: false });
    expect(event?.data).not.toHaveProperty("unreadCount");
  });

  test("ten orders to connect at once make one link", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    await Promise.all(Array.from({ length: 10 }, () => rig.sessions.connect("s1")));
    await rig.settle();
    expect(rig.account("s1").links).toHaveLength(1);
    rig.account("s1").opens();
    await rig.settle();
    await rig.sessions.connect("s1");
    await rig.settle();
    expect(rig.account("s1").links).toHaveLength(1);
  });

  test("connect waits, when asked to, until there is a code", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    rig.account("s1").whenOpened((account) => account.shows("2@code", inOneMinute(rig)));
    expect(await rig.sessions.connect("s1", { waitMs: 8000 })).toMatchObject({ state: "qr" });
  });

  test("connect waits no longer than asked, and says that it is still starting", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    const answer = rig.sessions.connect("s1", { waitMs: 60_000 });
    await rig.pass(seconds(8));
    expect(await answer).toMatchObject({ state: "starting" });
  });

  test("a request for the code waits for it", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    await rig.sessions.connect("s1");
    const answer = rig.sessions.qr("s1", 8000);
    await rig.settle();
    rig.account("s1").shows("2@late", inOneMinute(rig));
    expect(await answer).toMatchObject({ qr: "2@late" });
  });

  test("there is no code before one is shown, after it ran out, when connected, and when nothing connects", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    await expect(rig.sessions.qr("s1", 8000)).rejects.toMatchObject({ code: "QR_NOT_READY" });
    await rig.sessions.connect("s1");
    await rig.settle();
    await expect(rig.sessions.qr("s1", 0)).rejects.toMatchObject({ code: "QR_NOT_READY" });
    rig.account("s1").shows("2@short", new Date(rig.time.clock.now().getTime() + 1000));
    await rig.pass(seconds(2));
    await expect(rig.sessions.qr("s1", 0)).rejects.toMatchObject({ code: "QR_NOT_READY" });
    rig.account("s1").opens();
    await rig.settle();
    await expect(rig.sessions.qr("s1", 8000)).rejects.toMatchObject({ code: "QR_NOT_READY" });
  });

  test("codes used up without a scan stop the session, and the next connect begins anew", async () => {
    const rig = await openSessionRig();
    const account = rig.account("s1");
    await rig.sessions.create({ sessionId: "s1" });
    await rig.sessions.connect("s1");
    await rig.settle();
    account.shows("2@code", inOneMinute(rig));
    await rig.settle();
    account.closes(408);
    await rig.pass(minutes(10));
    expect(await rig.sessions.get("s1")).toMatchObject({
      state: "qr_expired",
      reason: { code: "408", blame: "user" },
    });
    expect(account.links).toHaveLength(1);
    expect(await rig.news("s1")).toEqual([
      "session.status starting",
      "session.status qr",
      "session.status qr_expired",
    ]);
    expect(await rig.sessions.connect("s1")).toMatchObject({ state: "starting", reason: null });
    await rig.settle();
    expect(account.links).toHaveLength(2);
  });

  test("a network that breaks before any code is shown is no expired code", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    await rig.sessions.connect("s1");
    await rig.settle();
    rig.account("s1").closes(408);
    await rig.pass(seconds(1));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "starting" });
    expect(rig.account("s1").links).toHaveLength(2);
  });

  test("a pairing that WhatsApp refuses is discarded", async () => {
    const rig = await openSessionRig();
    const account = rig.account("s1");
    await rig.sessions.create({ sessionId: "s1" });
    await rig.sessions.connect("s1");
    await rig.settle();
    account.shows("2@code", inOneMinute(rig));
    await rig.settle();
    account.closes(401);
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({
      state: "qr_expired",
      reason: { code: "401", advice: "Scan a fresh code." },
    });
    expect(account.retirements).toHaveLength(1);
  });

  test("a code that is never replaced is a dead connection", async () => {
    const rig = await openSessionRig();
    const account = rig.account("s1");
    await rig.sessions.create({ sessionId: "s1" });
    await rig.sessions.connect("s1");
    await rig.settle();
    account.shows("2@code", new Date(rig.time.clock.now().getTime() + seconds(20)));
    await rig.pass(seconds(44));
    expect(account.links).toHaveLength(1);
    await rig.pass(seconds(2));
    expect(account.links).toHaveLength(2);
    expect(account.mostLinksAtOnce).toBe(1);
  });

  test("a pairing code stands beside the QR code", async () => {
    const rig = await openSessionRig();
    const account = rig.account("s1");
    await rig.sessions.create({ sessionId: "s1" });
    account.whenOpened(() => account.shows("2@code", inOneMinute(rig)));
    const answer = await rig.sessions.pairingCode("s1", "34600999888");
    expect(answer).toMatchObject({ code: "ABCD1234", session: { state: "pairing_code" } });
    expect(await rig.sessions.qr("s1", 0)).toMatchObject({ qr: "2@code" });
    account.shows("2@next", inOneMinute(rig));
    await rig.settle();
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "pairing_code" });
    account.isScanned();
    await rig.settle();
    account.opens();
    await rig.settle();
    await expect(rig.sessions.pairingCode("s1", "34600999888")).rejects.toMatchObject({
      code: "STATE_CONFLICT",
    });
  });

  test("session.qr is told only to a hub that draws codes", async () => {
    const silent = await openSessionRig();
    const drawing = await openSessionRig({ qrImage: (qr) => Promise.resolve(`png of ${qr}`) });
    for (const rig of [silent, drawing]) {
      await rig.sessions.create({ sessionId: "s1" });
      await rig.sessions.connect("s1");
      await rig.settle();
      for (const qr of ["a", "b"]) {
        rig.account("s1").shows(qr, inOneMinute(rig));
        await rig.settle();
      }
    }
    expect(await silent.news("s1")).toEqual(["session.status starting", "session.status qr"]);
    expect(await drawing.news("s1")).toEqual([
      "session.status starting",
      "session.status qr",
      "session.qr qr_code",
      "session.qr qr_code",
    ]);
    expect((await drawing.events("s1")).at(-1)?.data).toEqual({
      sessionId: "s1",
      session_db_id: 1,
      status: "qr_code",
      qrCode: "png of b",
      expiresAt: inOneMinute(drawing).toISOString(),
    });
  });
});
