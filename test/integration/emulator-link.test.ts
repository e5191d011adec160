/** Linking and logging in: an unmodified Baileys socket takes the emulator for WhatsApp. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { linkBareSocket, openBareSocket, type BareSocket } from "../whatsapp/bare-socket.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";

let emulator: Emulator;
const sockets: BareSocket[] = [];
const keep = (socket: BareSocket): BareSocket => {
  sockets.push(socket);
  return socket;
};

beforeEach(async () => {
  emulator = await startEmulator();
  await trustEmulator(emulator);
});
afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket.end()));
  await emulator.stop();
});

const link = async (account?: string): Promise<BareSocket> =>
  keep(await linkBareSocket({ wsUrl: emulator.wsUrl, scan: (qr) => emulator.scanQr(qr, account) }));

describe("linking", () => {
  test("a scanned QR code links the socket, which is sent to log in again and comes online", async () => {
    const { number, lid } = emulator.createAccount({ preset: "empty" });

    const socket = await link(number);

    expect(socket.credentials.creds.me).toMatchObject({ id: `${number}:1@s.whatsapp.net`, lid: `${lid}:1@lid` });
    expect(emulator.account(number).devices).toMatchObject([{ device: 1, connected: true, online: true }]);
    expect(emulator.counters().counts).toMatchObject({ registrations: 1, pairings: 1, logins: 1 });
  });

  test("the server is given the socket's prekeys", async () => {
    await link();
    await expect.poll(() => emulator.account().devices[0]?.preKeys).toBeGreaterThan(800);
  });

  test("an empty account is online without waiting for history that does not come", async () => {
    const { number } = emulator.createAccount({ preset: "empty" });
    const socket = await link(number);
    await socket.until("the end of the first sync", () => socket.credentials.creds.accountSyncCounter > 0, 5_000);
  });

  test("a socket that comes back is recognised by its key and gets no second history", async () => {
    const first = await link();
    await first.until("history", () => first.credentials.creds.accountSyncCounter > 0);
    await first.end();
    const received = emulator.events(0, { types: ["history.received"] }).length;

    const second = keep(openBareSocket({ wsUrl: emulator.wsUrl, credentials: first.credentials }));
    await second.until("the login", () => second.states.includes("open"));

    expect(emulator.events(0, { types: ["history.received"] })).toHaveLength(received);
    expect(emulator.counters().counts.logins).toBe(2);
  });

  test("a QR code that nobody shows is refused, and nonsense is no QR code", async () => {
    const { number } = emulator.createAccount({ preset: "empty" });
    const key = Buffer.alloc(32).toString("base64");
    await expect(emulator.scanQr(`https://wa.me/settings/linked_devices#2@gone,${key},${key},${key},1`, number)).resolves.toMatchObject({
      outcome: "refused",
    });
    await expect(emulator.scanQr("hello", number)).rejects.toThrow("not the text of a WhatsApp QR code");
  });

  test("a pairing code typed on the phone links the socket", async () => {
    const { number } = emulator.createAccount({ preset: "empty" });
    let code: string | undefined;
    const socket = keep(
      openBareSocket({
        wsUrl: emulator.wsUrl,
        onQr: (_qr, sock) => {
          if (code !== undefined) return;
          code = "ABCD1234";
          void sock.requestPairingCode(number, code);
        },
      }),
    );
    await emulator.waitFor({ types: ["code.requested"] });

    await expect(emulator.enterCode("abcd-1234", number)).resolves.toMatchObject({ outcome: "paired" });

    await socket.until("the end of the pairing connection", () => socket.closedWith() === 515);
    const second = keep(openBareSocket({ wsUrl: emulator.wsUrl, credentials: socket.credentials }));
    await second.until("the login", () => second.states.includes("open"));
  });

  test("a wrong pairing code links nothing", async () => {
    const { number } = emulator.createAccount({ preset: "empty" });
    let asked = false;
    keep(
      openBareSocket({
        wsUrl: emulator.wsUrl,
        onQr: (_qr, sock) => {
          if (!asked) void sock.requestPairingCode(number, "ABCD1234");
          asked = true;
        },
      }),
    );
    await emulator.waitFor({ types: ["code.requested"] });

    await expect(emulator.enterCode("ABCD9999", number)).resolves.toMatchObject({ outcome: "refused" });
    expect(emulator.account(number).devices).toEqual([]);
  });
});

describe("the end of a link", () => {
  test("the phone logs the socket out, and its next login is refused", async () => {
    const socket = await link();
    emulator.unlink();
    await socket.until("the close", () => socket.states.includes("close"));
    expect(socket.closedWith()).toBe(401);

    const again = keep(openBareSocket({ wsUrl: emulator.wsUrl, credentials: socket.credentials }));
    await again.until("the refusal", () => again.states.includes("close"));
    expect(again.closedWith()).toBe(401);
  });

  test("the socket logs itself out", async () => {
    const socket = await link();
    await socket.sock.logout();
    await expect.poll(() => emulator.account().devices).toEqual([]);
  });

  test("a second login with the same keys replaces the first", async () => {
    const first = await link();
    const second = keep(openBareSocket({ wsUrl: emulator.wsUrl, credentials: first.credentials }));
    await second.until("the login", () => second.states.includes("open"));
    await first.until("the conflict", () => first.states.includes("close"));
    expect(first.closedWith()).toBe(440);
  });

  test("no query is left without an answer", async () => {
    await link();
    await expect.poll(() => emulator.counters().counts.queries).toBeGreaterThan(6);
    expect(emulator.counters().unknown).toEqual({});
  });
});
