/** Sessions over real connections: the library's own signals, the emulator's own troubles. */
import { describe, expect, test } from "vitest";
import { openSessionsHub } from "../support/sessions-hub.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();

describe("sessions on WhatsApp", () => {
  test("a number is linked by a scan, and comes back after a restart of the hub without one", async () => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    expect(await hub.linked("s1", number)).toMatchObject({ phoneNumber: number, reason: null });
    expect(await hub.news("s1")).toEqual([
      "session.status starting",
      "session.status qr",
      "session.status pairing",
      "session.connected connected",
    ]);
    await hub.startAgain();
    await hub.reaches("s1", "connected");
    expect(emulator.account(number).devices).toHaveLength(1);
    expect(await hub.news("s1")).toHaveLength(4);
  });

  test("a number is linked by a pairing code", async () => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    await hub.sessions.create({ sessionId: "s1" });
    const { code, session } = await hub.sessions.pairingCode("s1", number);
    expect(session.state).toBe("pairing_code");
    // The code is there before the request for it arrived at WhatsApp; a person types slower than that.
    await until(
      "the code to be taken",
      async () => (await emulator.enterCode(code, number)).outcome === "paired",
    );
    expect(await hub.reaches("s1", "connected")).toMatchObject({ phoneNumber: number });
  });

  test("a connection that drops is back in a moment, and nobody is told", async () => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", number);
    const told = await hub.news("s1");
    emulator.fault({ kind: "terminate", account: number });
    await until("the loss", async () => (await hub.sessions.get("s1")).lostAt !== null);
    expect((await hub.sessions.get("s1")).state).toBe("connected");
    await hub.reaches("s1", "connected");
    expect(await hub.news("s1")).toEqual(told);
  });

  test("a device removed on the phone is logged out, and can be linked anew", async () => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", number);
    emulator.unlink(number);
    expect(await hub.reaches("s1", "logged_out")).toMatchObject({ reason: { code: "401", blame: "user" } });
    expect(await hub.linked("s1", number)).toMatchObject({ phoneNumber: number });
    expect(emulator.account(number).devices).toHaveLength(1);
  });

  test("logging out right after a restart of the hub removes the device from the phone", async () => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", number);
    await hub.startAgain();
    expect(await hub.sessions.logout("s1")).toMatchObject({ state: "logged_out", phoneNumber: null });
    expect(emulator.account(number).devices).toEqual([]);
  });

  test("a stopped session keeps its place on the phone, and resumes after it was deleted", async () => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", number);
    await hub.sessions.disconnect("s1");
    await hub.sessions.remove("s1", { logout: false });
    expect(emulator.account(number).devices).toHaveLength(1);
    await hub.sessions.connect("s1", { waitMs: 8000 });
    expect(await hub.reaches("s1", "connected")).toMatchObject({ id: 1, phoneNumber: number });
  });

  test("a number that is linked in another session is refused and unlinked", async () => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    await hub.linked("front", number);
    await hub.sessions.create({ sessionId: "back" });
    await hub.sessions.connect("back");
    const { qr } = await hub.sessions.qr("back", 10_000);
    await emulator.scanQr(qr, number);
    await hub.reaches("back", "number_in_use");
    expect(emulator.account(number).devices).toHaveLength(1);
    await hub.reaches("front", "connected");
  });

  test.each([
    [402, "banned"],
    [403, "banned"],
    [406, "banned"],
  ] as const)("a login refused with %d ends as %s", async (reason, state) => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", number);
    emulator.fault({ kind: "login-failure", account: number, reason });
    await hub.sessions.restart("s1");
    expect(await hub.reaches("s1", state)).toMatchObject({ reason: { code: String(reason) } });
    await hub.sessions.connect("s1");
    await hub.reaches("s1", "connected");
  });
});
