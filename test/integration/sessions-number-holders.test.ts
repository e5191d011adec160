/** Who has a number when more than one session says so: the one that is linked with it goes on, whoever connects first. */
import { describe, expect, test } from "vitest";
import { LoginDamaged } from "../../hub/core/whatsapp.ts";
import { aNewSession } from "../support/builders.ts";
import { openSessionRig, type SessionRig } from "../support/session-rig.ts";

const NUMBER = "34600999888";

/** Linked, deleted and sealed; then the same phone is linked under another name, and the first name comes back. */
async function deletedAndBack(rig: SessionRig) {
  await rig.connected("shop", NUMBER);
  await rig.sessions.remove("shop", { logout: false });
  await rig.connected("shop2", NUMBER);
  const { session } = await rig.sessions.create({ sessionId: "shop" });
  return session;
}

async function opensAgain(rig: SessionRig, sessionId: string): Promise<void> {
  rig.account(sessionId).opens({ phoneNumber: NUMBER });
  await rig.settle();
}

async function reconnects(rig: SessionRig, sessionId: string): Promise<void> {
  await rig.sessions.restart(sessionId);
  await rig.settle();
  await opensAgain(rig, sessionId);
}

async function isUntouched(rig: SessionRig, sessionId: string): Promise<void> {
  expect(await rig.sessions.get(sessionId)).toMatchObject({ state: "connected", phoneNumber: NUMBER });
  expect(rig.account(sessionId).retirements).toEqual([]);
  expect(rig.account(sessionId).links.some(({ isLoggedOut }) => isLoggedOut)).toBe(false);
}

describe("a deleted session that comes back while its phone is linked elsewhere", () => {
  test("has no number, and the other one reconnects as ever", async () => {
    const rig = await openSessionRig();
    expect(await deletedAndBack(rig)).toMatchObject({ state: "stopped", phoneNumber: null, lid: null });
    await reconnects(rig, "shop2");
    await isUntouched(rig, "shop2");
  });

  test("that connects first is refused and keeps nothing of the number; the other one reconnects as ever", async () => {
    const rig = await openSessionRig();
    await deletedAndBack(rig);
    await rig.sessions.connect("shop");
    await rig.settle();
    await opensAgain(rig, "shop");
    expect(await rig.sessions.get("shop")).toMatchObject({
      state: "number_in_use",
      phoneNumber: null,
      lid: null,
    });
    await reconnects(rig, "shop2");
    await isUntouched(rig, "shop2");
  });

  test.each([["shop", "shop2"] as const, ["shop2", "shop"] as const])(
    "after a restart of the hub, with %s first, the same one goes on",
    async (first, second) => {
      const rig = await openSessionRig();
      await deletedAndBack(rig);
      await rig.sessions.connect("shop");
      await rig.startAgain();
      await opensAgain(rig, first);
      await opensAgain(rig, second);
      expect(await rig.sessions.get("shop")).toMatchObject({ state: "number_in_use", phoneNumber: null });
      await isUntouched(rig, "shop2");
    },
  );

  test.each([["shop", "shop2"] as const, ["shop2", "shop"] as const])(
    "by a hub that left it its number: with %s first, the one that is linked goes on",
    async (first, second) => {
      const rig = await openSessionRig();
      await deletedAndBack(rig);
      const row = await rig.row("shop");
      await rig.store.sessions.save({ ...row, phoneNumber: NUMBER }, []);
      await rig.startAgain();
      await rig.sessions.connect("shop");
      await rig.settle();
      await opensAgain(rig, first);
      await opensAgain(rig, second);
      expect(await rig.sessions.get("shop")).toMatchObject({ state: "number_in_use", phoneNumber: null });
      await isUntouched(rig, "shop2");
      await reconnects(rig, "shop2");
      await isUntouched(rig, "shop2");
    },
  );

  test("takes its number along when nobody else has it", async () => {
    const rig = await openSessionRig();
    await rig.connected("shop", NUMBER);
    await rig.sessions.remove("shop", { logout: false });
    await rig.connected("shop2", NUMBER);
    await rig.sessions.logout("shop2");
    const { session } = await rig.sessions.create({ sessionId: "shop" });
    expect(session).toMatchObject({ phoneNumber: NUMBER });
    await rig.sessions.connect("shop");
    await rig.settle();
    await opensAgain(rig, "shop");
    await isUntouched(rig, "shop");
  });
});

describe("a session whose login is gone", () => {
  /** Its number is shown; nothing is linked any more. */
  async function damaged(rig: SessionRig): Promise<void> {
    const account = await rig.connected("a", NUMBER);
    account.cannotOpen(new LoginDamaged("unreadable"));
    account.isPaired = false;
    await rig.sessions.restart("a");
    await rig.settle();
    account.cannotOpen(null);
    expect(await rig.sessions.get("a")).toMatchObject({ state: "logged_out", phoneNumber: NUMBER });
  }

  test("lets go of its number when somebody connects it, and the session that has it reconnects as ever", async () => {
    const rig = await openSessionRig();
    await damaged(rig);
    await rig.connected("b", NUMBER);
    await rig.sessions.connect("a");
    await rig.settle();
    expect(await rig.sessions.get("a")).toMatchObject({ state: "starting", phoneNumber: null, lid: null });
    rig.account("a").shows("qr", new Date(rig.time.clock.now().getTime() + 60_000));
    await rig.settle();
    await reconnects(rig, "b");
    await isUntouched(rig, "b");
    await rig.startAgain();
    await opensAgain(rig, "b");
    await isUntouched(rig, "b");
  });

  test("that was connected by order shows a code, and its number may be scanned in another one", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("a", NUMBER);
    await rig.sessions.disconnect("a");
    account.cannotOpen(new LoginDamaged("unreadable"));
    account.isPaired = false;
    await rig.sessions.connect("a");
    account.cannotOpen(null);
    await rig.settle();
    expect(await rig.sessions.get("a")).toMatchObject({ state: "starting", phoneNumber: null });
    await rig.connected("b", NUMBER);
    await isUntouched(rig, "b");
  });

  test("keeps nobody from its number, in whatever state a former hub left it", async () => {
    const rig = await openSessionRig();
    await rig.store.sessions.create(
      aNewSession({ sessionId: "a", state: "qr_expired", phoneNumber: NUMBER }),
    );
    await rig.startAgain();
    await rig.connected("b", NUMBER);
    await reconnects(rig, "b");
    await isUntouched(rig, "b");
  });
});

test("a session that has a login of the number holds it, also while it is stopped", async () => {
  const rig = await openSessionRig();
  await rig.connected("a", NUMBER);
  await rig.sessions.disconnect("a");
  await rig.sessions.create({ sessionId: "b" });
  await rig.sessions.connect("b");
  await rig.settle();
  rig.account("b").isScanned();
  await rig.settle();
  await opensAgain(rig, "b");
  expect(await rig.sessions.get("b")).toMatchObject({ state: "number_in_use" });
  await rig.sessions.connect("a");
  await rig.settle();
  await opensAgain(rig, "a");
  await isUntouched(rig, "a");
});
