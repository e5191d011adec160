/** Linking and logging in: an unmodified Baileys socket takes the emulator for WhatsApp. */
import { describe, expect, test } from "vitest";
import { eventually, useEmulator } from "../whatsapp/test-bed.ts";

const { emulator, link, open, reopen } = useEmulator();

describe("linking", () => {
  test("a scanned QR code links the socket, which is sent to log in again and comes online", async () => {
    const { number, lid } = emulator().createAccount({ preset: "empty" });

    const socket = await link(number);

    expect(socket.credentials.creds.me).toMatchObject({
      id: `${number}:1@s.whatsapp.net`,
      lid: `${lid}:1@lid`,
    });
    expect(emulator().account(number).devices).toMatchObject([{ device: 1, connected: true, online: true }]);
    expect(emulator().counters().counts).toMatchObject({ registrations: 1, pairings: 1, logins: 1 });
  });

  test("the server is given the socket's prekeys", async () => {
    await link();
    expect(emulator().account().devices[0]?.preKeys).toBeGreaterThan(800);
  });

  test("a socket that comes back is recognised by its key and gets no second history", async () => {
    const first = await link();
    await first.end();
    const received = emulator().events(0, { types: ["history.received"] }).length;

    await reopen(first);

    expect(emulator().events(0, { types: ["history.received"] })).toHaveLength(received);
    expect(emulator().counters().counts.logins).toBe(2);
  });

  test("a QR code that nobody shows is refused, and nonsense is no QR code", async () => {
    const { number } = emulator().createAccount({ preset: "empty" });
    const key = Buffer.alloc(32).toString("base64");
    const gone = `https://wa.me/settings/linked_devices#2@gone,${key},${key},${key},1`;

    await expect(emulator().scanQr(gone, number)).resolves.toMatchObject({ outcome: "refused" });
    await expect(emulator().scanQr("hello", number)).rejects.toThrow("not the text of a WhatsApp QR code");
  });

  test("two accounts are linked at the same time", async () => {
    const [one, two] = [emulator().createAccount(), emulator().createAccount()];
    const [first, second] = await Promise.all([link(one.number), link(two.number)]);
    expect(first.credentials.creds.me?.id).not.toBe(second.credentials.creds.me?.id);
  });

  test("one account has two linked devices", async () => {
    const { number } = emulator().createAccount({ preset: "empty" });
    await link(number);
    await link(number);
    expect(
      emulator()
        .account(number)
        .devices.map(({ device }) => device),
    ).toEqual([1, 2]);
  });
});

describe("linking by a code", () => {
  const askForCode = (number: string) => {
    let asked = false;
    return open({
      onQr: (_qr, sock) => {
        if (!asked) void sock.requestPairingCode(number, "ABCD1234");
        asked = true;
      },
    });
  };

  test("the code typed on the phone links the socket", async () => {
    const { number } = emulator().createAccount({ preset: "empty" });
    const socket = askForCode(number);
    await emulator().waitFor({ types: ["code.requested"] });

    await expect(emulator().enterCode("abcd-1234", number)).resolves.toMatchObject({ outcome: "paired" });

    await socket.until("the end of the pairing connection", () => socket.closedWith() === 515);
    await reopen(socket);
  });

  test("a wrong code links nothing", async () => {
    const { number } = emulator().createAccount({ preset: "empty" });
    askForCode(number);
    await emulator().waitFor({ types: ["code.requested"] });

    await expect(emulator().enterCode("ABCD9999", number)).resolves.toMatchObject({ outcome: "refused" });
    expect(emulator().account(number).devices).toEqual([]);
  });
});

describe("the end of a link", () => {
  test("the phone logs the socket out, and its next login is refused", async () => {
    const socket = await link();
    emulator().unlink();
    await socket.until("the close", () => socket.states.includes("close"));
    expect(socket.closedWith()).toBe(401);

    const again = open({ credentials: socket.credentials });
    await again.until("the refusal", () => again.states.includes("close"));
    expect(again.closedWith()).toBe(401);
  });

  test("the socket logs itself out", async () => {
    const socket = await link();
    await socket.sock.logout();
    await eventually(() => emulator().account().devices).toEqual([]);
  });

  test("a second login with the same keys replaces the first", async () => {
    const first = await link();
    await reopen(first);
    await first.until("the conflict", () => first.states.includes("close"));
    expect(first.closedWith()).toBe(440);
  });

  test("no query is left without an answer", async () => {
    await link();
    expect(emulator().counters().counts.queries).toBeGreaterThan(6);
    expect(emulator().counters().unknown).toEqual({});
  });
});
