import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { SessionSignal } from "../../hub/core/whatsapp.ts";
import { OWN_CODE } from "../../hub/whatsapp/disconnect.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";

let emulator: Emulator;
const rigs: WhatsAppRig[] = [];

beforeAll(async () => {
  emulator = await startEmulator();
  await trustEmulator(emulator);
});
afterEach(async () => {
  emulator.clearFaults();
  for (const rig of rigs.splice(0)) await rig.stop();
});
afterAll(() => emulator.stop());

type Preset = "empty" | "small" | "mission";

async function aRig(preset: Preset = "empty"): Promise<WhatsAppRig & { number: string }> {
  const account = emulator.createAccount({ preset });
  const rig = await openWhatsAppRig(emulator, { number: account.number });
  rigs.push(rig);
  return Object.assign(rig, { number: account.number });
}

const signal = <T extends SessionSignal["type"]>(
  rig: WhatsAppRig,
  type: T,
  timeoutMs = 20_000,
): Promise<Extract<SessionSignal, { type: T }>> =>
  until(
    `signal ${type}`,
    () => rig.signals.find((heard): heard is Extract<SessionSignal, { type: T }> => heard.type === type),
    { timeoutMs },
  );

describe("linking", () => {
  test("a scanned phone is linked, and its history arrives whole", async () => {
    const rig = await aRig("mission");
    await rig.connect();
    expect(rig.signals.map(({ type }) => type)).toEqual(["qr", "restart_required", "opened"]);
    expect(rig.signals.at(-1)).toMatchObject({ phoneNumber: rig.number });
    expect(await rig.connector().isPaired(rig.sessionId)).toBe(true);
    const { inbox, intake } = rig.store();
    const messages = () => inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1 });
    await until("985 messages", async () => (await messages()).total >= 985);
    await until("the history is done", async () => (await intake.open("s1")).length === 0);
    expect((await messages()).total).toBe(985);
    expect((await inbox.chats({ sessionId: "s1", page: 1, limit: 1 })).total).toBe(45);
    expect(await inbox.contactStats("s1")).toMatchObject({ users: 327, groups: 5 });
    const history = rig.recorded.flatMap(({ facts }) => facts).filter(({ kind }) => kind === "history");
    expect(history.at(-1)).toMatchObject({ done: true });
    expect(history.length).toBeGreaterThan(1);
  });

  test("history that a dropped connection left open is fetched again", async () => {
    const rig = await aRig("small");
    // In the tick in which WhatsApp hears that the first chunk arrived, and before any of it is stored.
    const off = emulator.on({ types: ["history.received"], account: rig.number }, () =>
      rig.failWith(new Error("gone")),
    );
    await rig.connect().catch(() => undefined);
    await signal(rig, "store_failed");
    off();
    await rig.crash();
    expect(await rig.connector().isPaired(rig.sessionId)).toBe(true);
    await rig.connect();
    const { inbox, intake } = rig.store();
    const total = emulator.account(rig.number).messages;
    await until("the whole history", async () => {
      const { total: stored } = await inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1 });
      return stored === total;
    });
    await until("nothing left open", async () => (await intake.open("s1")).length === 0);
  });

  test("a code typed on the phone links as well", async () => {
    const rig = await aRig();
    const link = await rig.open();
    await signal(rig, "qr");
    const code = await link.requestPairingCode(rig.number);
    expect(code).toMatch(/^[0-9A-Z]{8}$/);
    expect(await signal(rig, "pairing_code")).toMatchObject({ code });
    await emulator.waitFor({ types: ["code.requested"], account: rig.number });
    expect(await emulator.enterCode(code, rig.number)).toMatchObject({ outcome: "paired" });
    await signal(rig, "restart_required");
    await rig.connect();
    expect(rig.signals.at(-1)?.type).toBe("opened");
  });

  test("a pairing that stopped half-way leaves nothing behind: the next one shows a fresh code", async () => {
    const rig = await aRig();
    const link = await rig.open();
    await signal(rig, "qr");
    await link.requestPairingCode(rig.number);
    await rig.crash();
    expect(await rig.connector().isPaired(rig.sessionId)).toBe(false);
    rig.signals.length = 0;
    await rig.open();
    await signal(rig, "qr");
  });

  test("retired credentials are out of use: the next connection asks to be scanned", async () => {
    const rig = await aRig();
    await rig.connect();
    await rig.link().close();
    await rig.connector().retireCredentials(rig.sessionId, "test");
    expect(await rig.connector().isPaired(rig.sessionId)).toBe(false);
    rig.signals.length = 0;
    await rig.open();
    await signal(rig, "qr");
  });

  test("unlinking tells WhatsApp, and nothing more is heard of the link", async () => {
    const rig = await aRig();
    await rig.connect();
    rig.signals.length = 0;
    await rig.link().logout();
    await until("the phone shows no device", () => emulator.account(rig.number).devices.length === 0);
    expect(rig.signals).toEqual([]);
  });
});

describe("signatures", () => {
  test("a server that WhatsApp's root does not vouch for is refused", async () => {
    const rig = await aRig();
    emulator.fault({ kind: "foreign-root" });
    await rig.open();
    await signal(rig, "closed");
    expect(rig.signals.some(({ type }) => type === "qr")).toBe(false);
  });

  test("an account signature that is not the phone's is refused", async () => {
    const rig = await aRig();
    emulator.fault({ kind: "wrong-account-signature" });
    await rig.open();
    const { qr } = await signal(rig, "qr");
    await emulator.scanQr(qr, rig.number).catch(() => undefined);
    await signal(rig, "closed");
    expect(await rig.connector().isPaired(rig.sessionId)).toBe(false);
  });
});

describe("ends of a connection", () => {
  test.each([
    [{ kind: "stream-error", code: 503 } as const, 503],
    [{ kind: "conflict" } as const, 440],
    [{ kind: "failure", reason: 403 } as const, 403],
    [{ kind: "failure", reason: 405 } as const, 405],
    [{ kind: "downgrade" } as const, 411],
    [{ kind: "device-removed" } as const, 401],
    [{ kind: "close" } as const, 428],
    [{ kind: "reset" } as const, 428],
    [{ kind: "xmlstreamend" } as const, 428],
  ])("%o is told once, as %i, and the credentials stay", async (fault, code) => {
    const rig = await aRig();
    await rig.connect();
    rig.signals.length = 0;
    emulator.fault({ ...fault, account: rig.number });
    expect(await signal(rig, "closed")).toMatchObject({ code, paired: true });
    await rig.link().close();
    expect(rig.signals).toHaveLength(1);
    expect(await rig.connector().isPaired(rig.sessionId)).toBe(true);
  });

  test("a restart that WhatsApp asks for is no failure", async () => {
    const rig = await aRig();
    await rig.connect();
    rig.signals.length = 0;
    emulator.fault({ kind: "stream-error", code: 515, account: rig.number });
    await signal(rig, "restart_required");
    await rig.connect();
  });

  test("a login that is refused is told with its number", async () => {
    const rig = await aRig();
    await rig.connect();
    await rig.link().close();
    rig.signals.length = 0;
    emulator.fault({ kind: "login-failure", account: rig.number, reason: 401 });
    await rig.open();
    expect(await signal(rig, "closed")).toMatchObject({ code: 401, paired: true, until: null });
  });

  test("a ban for a while is told with the end that WhatsApp names, or with none", async () => {
    const rig = await aRig();
    await rig.connect();
    for (const expire of [undefined, 3600]) {
      await rig.link().close();
      rig.signals.length = 0;
      const more = expire === undefined ? {} : { expire };
      emulator.fault({ kind: "login-failure", account: rig.number, reason: 402, ...more });
      await rig.open();
      const { until } = await signal(rig, "closed");
      const seconds = until ? Math.round((until.getTime() - Date.now()) / 1000) : null;
      if (expire === undefined) expect(seconds).toBeNull();
      else expect(seconds).toBeGreaterThan(3500);
    }
  });

  test("a WebSocket that is refused on the way ends at once", async () => {
    const rig = await aRig();
    emulator.fault({ kind: "reject-upgrade", status: 503 });
    await rig.open();
    expect(await signal(rig, "closed")).toMatchObject({ code: OWN_CODE.upgradeRefused, paired: false });
  });

  test("a server that never answers ends within the deadline", async () => {
    const rig = await aRig();
    emulator.fault({ kind: "stall-upgrade" });
    await rig.open();
    const { code } = await signal(rig, "closed", 29_000);
    expect([OWN_CODE.noAnswer, 408]).toContain(code);
  }, 40_000);

  test("closing by order is silent, and can be done twice", async () => {
    const rig = await aRig();
    await rig.connect();
    rig.signals.length = 0;
    await Promise.all([rig.link().close(), rig.link().close()]);
    expect(rig.signals).toEqual([]);
    await until("WhatsApp sees it gone", () =>
      emulator.account(rig.number).devices.every(({ connected }) => !connected),
    );
  });
});

describe("forgeries", () => {
  test("old ciphertext under a new id is no new message", async () => {
    const rig = await aRig("small");
    await rig.connect();
    const { id } = emulator.receive({ account: rig.number, kind: "text", text: "una vez" });
    await until("the message", () => rig.store().inbox.message("s1", id));
    emulator.replay({ account: rig.number, id, as: "3AFORGED" });
    emulator.receive({ account: rig.number, id: "3AAFTER", kind: "text", text: "después" });
    await until("the message after it", () => rig.store().inbox.message("s1", "3AAFTER"));
    expect(await rig.store().inbox.message("s1", "3AFORGED")).toBeNull();
  });

  test("a forged first message of a known contact leaves the session with them intact", async () => {
    const rig = await aRig("small");
    await rig.connect();
    const account = rig.number;
    const ana = emulator.contacts(account)[0];
    if (ana === undefined) throw new Error("the account knows nobody");
    emulator.receive({ account, from: ana.number, id: "3A1", kind: "text", text: "uno" });
    await until("the first", () => rig.store().inbox.message("s1", "3A1"));
    const forged = Buffer.concat([
      Buffer.from([0x33, 0x08, 0x01, 0x12, 0x21, 0x05]),
      Buffer.alloc(32, 9),
      Buffer.from([0x1a, 0x21, 0x05]),
      Buffer.alloc(32, 8),
      Buffer.from([0x22, 0x10]),
      Buffer.alloc(16, 7),
    ]);
    emulator.sendStanza({
      account,
      stanza: {
        tag: "message",
        attrs: {
          from: ana.lid.includes("@") ? ana.lid : `${ana.lid}@lid`,
          sender_pn: `${ana.number}@s.whatsapp.net`,
          id: "3AFORGED",
          t: "1769853600",
          type: "text",
        },
        content: [
          { tag: "enc", attrs: { v: "2", type: "pkmsg" }, content: { base64: forged.toString("base64") } },
        ],
      },
    });
    emulator.receive({ account, from: ana.number, id: "3A2", kind: "text", text: "dos" });
    await until("the second", () => rig.store().inbox.message("s1", "3A2"));
    expect(await rig.store().inbox.message("s1", "3AFORGED")).toBeNull();
    expect(emulator.ledger({ account, id: "3A2" })[0]?.retriedAt).toEqual([]);
  });
});
