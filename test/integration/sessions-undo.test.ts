/** Undoing a cleanup more than once, or where it cannot be undone: the session ends up connected, or as it was. */
import { describe, expect, test } from "vitest";
import { seconds } from "../support/fixed-clock.ts";
import { aNewSession } from "../support/builders.ts";
import { aTurn, openSessionRig, type SessionRig } from "../support/session-rig.ts";
import { openSessionsHub } from "../support/sessions-hub.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();

async function cleanedHub() {
  const emulator = bed.emulator();
  const { number } = emulator.createAccount({ preset: "small", size: { messages: 0 } });
  const hub = await openSessionsHub(emulator);
  await hub.linked("s1", number);
  const { report } = await hub.sessions.forceCleanup("s1", { mode: "quarantine" });
  const quarantineId = report.quarantineId ?? "";
  return { hub, emulator, number, quarantineId, devices: () => emulator.account(number).devices.length };
}

describe("an undo that is ordered twice", () => {
  test.each(["by its id", "without saying which"])("at once, %s, is done once", async (how) => {
    const { hub, number, quarantineId, devices } = await cleanedHub();
    const id = how === "by its id" ? quarantineId : null;
    const answers = await Promise.all([
      hub.sessions.undoCleanup("s1", id),
      hub.sessions.undoCleanup("s1", id),
    ]);
    expect(answers.map(({ state }) => state)).toEqual(["connected", "connected"]);
    expect(await hub.sessions.get("s1")).toMatchObject({ state: "connected", phoneNumber: number });
    expect(devices()).toBe(1);
  });

  test("one after the other says that there is nothing more to bring back, and leaves it connected", async () => {
    const { hub, emulator, number, quarantineId, devices } = await cleanedHub();
    const { qr } = await hub.sessions.qr("s1", 5000);
    await emulator.scanQr(qr, number);
    await hub.reaches("s1", "connected");
    await hub.sessions.undoCleanup("s1", null);
    const { connectedAt } = await hub.reaches("s1", "connected");
    for (const id of [null, quarantineId])
      await expect(hub.sessions.undoCleanup("s1", id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await hub.sessions.get("s1")).toMatchObject({ state: "connected", connectedAt });
    expect(devices()).toBe(2);
  });
});

describe("an undo that is refused", () => {
  /** Its login was put away, and is in use in another session meanwhile. */
  async function takenElsewhere(rig: SessionRig): Promise<void> {
    const login = { creds: Buffer.from("c"), fingerprint: "f", keys: [], intake: [] };
    await rig.connected("s1");
    await rig.store.auth.commit("s1", login);
    const cleaning = rig.sessions.forceCleanup("s1", { mode: "quarantine" });
    rig
      .account("s1")
      .whenOpened((account) => account.shows("qr", new Date(rig.time.clock.now().getTime() + seconds(60))));
    let isDone = false;
    void cleaning.then(() => (isDone = true));
    await until("the cleanup", async () => {
      await rig.time.pass(100, aTurn);
      return isDone;
    });
    await rig.store.sessions.create(aNewSession({ sessionId: "s2", phoneNumber: null, state: "stopped" }));
    await rig.store.auth.commit("s2", login);
  }

  test("leaves a session that was on its way with a link and a code", async () => {
    const rig = await openSessionRig();
    await takenElsewhere(rig);
    await expect(rig.sessions.undoCleanup("s1", null)).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    await rig.settle();
    expect(rig.account("s1").links.at(-1)).toMatchObject({ isClosed: false });
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "qr" });
    expect((await rig.sessions.qr("s1", 0)).qr).toBe("qr");
  });

  test("leaves a session that was stopped as it was", async () => {
    const rig = await openSessionRig();
    await takenElsewhere(rig);
    await rig.sessions.disconnect("s1");
    const links = rig.account("s1").links.length;
    const before = await rig.sessions.get("s1");
    await expect(rig.sessions.undoCleanup("s1", null)).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    await rig.settle();
    expect(await rig.sessions.get("s1")).toEqual(before);
    expect(rig.account("s1").links).toHaveLength(links);
  });
});
