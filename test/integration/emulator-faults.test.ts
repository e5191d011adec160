/** Trouble on demand: what an unmodified Baileys socket reports of each. */
import { describe, expect, test } from "vitest";
import type { FaultRequest } from "../whatsapp/operations/faults.ts";
import { eventually, useEmulator } from "../whatsapp/test-bed.ts";

const { emulator, link, open, reopen } = useEmulator();

describe("a connection ends", () => {
  test.each<[string, FaultRequest, number]>([
    ["the server has to restart", { kind: "stream-error", code: 515 }, 515],
    ["the server is out of service", { kind: "stream-error", code: 503 }, 503],
    ["the account is used elsewhere", { kind: "conflict" }, 440],
    ["the account is logged out", { kind: "failure", reason: 401 }, 401],
    ["the account is banned", { kind: "failure", reason: 403 }, 403],
    ["the client is too old", { kind: "failure", reason: 405 }, 405],
    ["multi-device is off", { kind: "downgrade" }, 411],
    ["the phone unlinks the device", { kind: "device-removed" }, 401],
    ["the WebSocket is closed", { kind: "close" }, 428],
    ["TCP ends", { kind: "terminate" }, 428],
    ["the stream ends", { kind: "xmlstreamend" }, 428],
  ])("%s", async (_what, fault, status) => {
    const socket = await link();
    emulator().fault(fault);
    await socket.until("the close", () => socket.closedWith() !== undefined);
    expect(socket.closedWith()).toBe(status);
  });

  test("TCP is reset", async () => {
    const socket = await link();
    emulator().fault({ kind: "reset" });
    await socket.until("the close", () => socket.closedWith() !== undefined);
    expect([408, 428]).toContain(socket.closedWith());
  });

  test("nothing is answered any more", async () => {
    const socket = await link(undefined, { keepAliveIntervalMs: 300 });
    emulator().fault({ kind: "silent" });
    await socket.until("the close", () => socket.closedWith() !== undefined);
    expect(socket.closedWith()).toBe(408);
  });
});

describe("a login is refused", () => {
  test("as often as was asked for", async () => {
    const socket = await link();
    await socket.end();
    emulator().fault({ kind: "login-failure", reason: 503, count: 1 });

    const refused = open({ credentials: socket.credentials });
    await refused.until("the close", () => refused.closedWith() !== undefined);
    expect(refused.closedWith()).toBe(503);
    await reopen(socket);
  });

  test("the upgrade is answered by a proxy: rc14 hears of it only on its raw socket", async () => {
    emulator().fault({ kind: "reject-upgrade", status: 503 });
    const socket = open();
    let status: number | undefined;
    socket.sock.ws.on("unexpected-response", (_request: unknown, response: { statusCode?: number }) => {
      status = response.statusCode;
    });
    await socket.until("the answer", () => status !== undefined);
    expect(status).toBe(503);
    expect(socket.closedWith()).toBeUndefined();
  });

  test("the upgrade is not answered at all", async () => {
    emulator().fault({ kind: "stall-upgrade" });
    const socket = open({ config: { connectTimeoutMs: 300 } });
    await socket.until("the close", () => socket.closedWith() !== undefined);
    expect(socket.closedWith()).toBe(408);
  });
});

describe("queries", () => {
  test("are answered with an error", async () => {
    const { sock } = await link();
    emulator().fault({ kind: "iq", xmlns: "blocklist", code: 500 });
    await expect(sock.fetchBlocklist()).rejects.toThrow("emulated-error");
    await expect(sock.fetchBlocklist()).resolves.toEqual([]);
  });

  test("late", async () => {
    const { sock } = await link();
    emulator().fault({ kind: "iq", xmlns: "blocklist", delayMs: 150 });
    const start = Date.now();
    await sock.fetchBlocklist();
    expect(Date.now() - start).toBeGreaterThan(140);
  });

  test("or never", async () => {
    const { sock } = await link(undefined, { defaultQueryTimeoutMs: 300 });
    emulator().fault({ kind: "iq", xmlns: "blocklist", drop: true });
    const answer: unknown = await sock.fetchBlocklist().catch((error: unknown) => error);
    expect(Array.isArray(answer) ? answer : []).toEqual([]);
  });
});

describe("messages", () => {
  test("are held back while queries are answered", async () => {
    const socket = await link();
    emulator().fault({ kind: "withhold" });
    emulator().receive({ kind: "text", text: "hola" });
    await socket.sock.fetchBlocklist();
    expect(emulator().ledgerSummary().sent).toBe(0);

    emulator().fault({ kind: "withhold", on: false });
    await eventually(() => emulator().ledgerSummary().receipted).toBe(1);
  });

  test("come several times over", async () => {
    await link();
    emulator().fault({ kind: "duplicate", times: 3 });
    const { id } = emulator().receive({ kind: "text", text: "hola" });
    await eventually(() => emulator().ledger({ id })[0]?.sentAt).toHaveLength(3);
  });

  test("come again under another id with their old ciphertext", async () => {
    const socket = await link();
    const { id } = emulator().receive({ kind: "text", text: "hola" });
    await eventually(() => emulator().ledgerSummary().receipted).toBe(1);
    emulator().replay({ id, as: "3AFFFFFFFF" });
    await socket.until("the copy", () => emulator().account().devices[0]?.queued === 0);
  });
});

describe("signatures", () => {
  // rc14 by itself accepts both (its Curve.verify ignores the answer): a hub that makes verification real must not.
  test("a certificate chain can end in a foreign root", async () => {
    emulator().fault({ kind: "foreign-root" });
    const socket = open();
    await socket.until(
      "what became of it",
      () => socket.states.includes("qr") || socket.states.includes("close"),
    );
    expect(emulator().faults()).toEqual([]);
  });

  test("an account signature at pairing can be somebody else's", async () => {
    const { number } = emulator().createAccount({ preset: "empty" });
    emulator().fault({ kind: "wrong-account-signature", account: number });
    await link(number);
    expect(emulator().faults()).toEqual([]);
  });
});

describe("attachments", () => {
  test.each([{ status: 404 }, { status: 410 }, { damage: "truncated" as const }])(
    "a download fails: %o",
    async (trouble) => {
      const { directPath } = emulator().world.media.put("image", Buffer.alloc(5000));
      emulator().fault({ kind: "media", ...trouble });
      const download = fetch(`https://mmg.whatsapp.net${directPath}`).then(async (response) => {
        if (!response.ok) throw new Error(`${response.status}`);
        return response.arrayBuffer();
      });
      await expect(download).rejects.toThrow();
      await expect(fetch(`https://mmg.whatsapp.net${directPath}`)).resolves.toMatchObject({ status: 200 });
    },
  );
});
