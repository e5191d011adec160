/** A file's place is named by whoever wrote the message: the hub connects to WhatsApp's hosts and to nobody else. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Message } from "../../hub/core/message.ts";
import { isWhatsAppUrl, ONLY_WHATSAPP } from "../../hub/whatsapp/file-hosts.ts";
import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";

let emulator: Emulator;
let rig: WhatsAppRig;
let account: string;
/** A neighbour that nobody is to talk to. */
let trap: Server;
let port: number;
let connections = 0;

beforeAll(async () => {
  trap = createServer((_request, response) => response.end("secret"));
  trap.on("connection", () => connections++);
  trap.listen(0, "::");
  await once(trap, "listening");
  ({ port } = trap.address() as AddressInfo); // a listening TCP server has such an address
  emulator = await startEmulator();
  await trustEmulator(emulator);
  account = emulator.createAccount({ preset: "small" }).number;
  rig = await openWhatsAppRig(emulator, { number: account });
  await rig.connect();
});
afterEach(() => {
  emulator.clearFaults();
  const made = connections;
  connections = 0;
  expect(made).toBe(0);
});
afterAll(async () => {
  await rig.stop();
  await emulator.stop();
  trap.closeAllConnections();
  trap.close();
});

const BYTES = Buffer.from("a picture of something");
const downloads = (): number => emulator.counters().counts.mediaDownloads;

/** What a contact sent as a file that lies there. */
async function aFileAt(places: { url?: string; directPath?: string }): Promise<Message> {
  const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");
  const { id } = emulator.receive({
    account,
    kind: "raw",
    message: {
      imageMessage: {
        ...{ mimetype: "image/png", fileLength: "22", ...places },
        ...{ mediaKey: key(1), fileSha256: key(2), fileEncSha256: key(3) },
      },
    },
  });
  return until("the message", () => rig.store().inbox.message("s1", id));
}

async function aRealFile(): Promise<{ message: Message; directPath: string }> {
  const { id } = emulator.receive({
    ...{ account, kind: "document", fileName: "a.txt", mimetype: "text/plain" },
    base64: BYTES.toString("base64"),
  });
  const message = await until("the message", () => rig.store().inbox.message("s1", id));
  return { message, directPath: message.media?.directPath ?? "" };
}

describe("a contact's file is not fetched", () => {
  test.each([
    ["in http", () => ({ url: `http://127.0.0.1:${port}/latest/meta-data` })],
    ["in http, at WhatsApp", () => ({ url: "http://mmg.whatsapp.net/v/t62/a" })],
    ["in https, next door", () => ({ url: `https://127.0.0.1:${port}/a` })],
    [
      "by a name that begins like WhatsApp's",
      () => ({ url: `https://mmg.whatsapp.net.localhost:${port}/a` }),
    ],
    ["by a name that ends nearly like it", () => ({ url: `https://notwhatsapp.net:${port}/a` })],
    ["at another port", () => ({ url: `https://mmg.whatsapp.net:${port}/v/t62/a` })],
    ["with a user and password", () => ({ url: `https://mmg.whatsapp.net:x@127.0.0.1:${port}/a` })],
    ["with a user and password, at WhatsApp", () => ({ url: "https://u:p@mmg.whatsapp.net/v/t62/a" })],
    ["at an IPv6 address", () => ({ url: `http://[::1]:${port}/a` })],
    ["at an IPv4 address in IPv6", () => ({ url: `https://[::ffff:127.0.0.1]:${port}/a` })],
    ["on the disk", () => ({ url: "file:///etc/passwd" })],
    ["by a path with a host of its own", () => ({ directPath: `@127.0.0.1:${port}/a` })],
    ["by a path that goes on with the host", () => ({ directPath: `.localhost:${port}/a` })],
    ["by a path with another port", () => ({ directPath: `:${port}/a` })],
    ["by a path of two slashes", () => ({ directPath: `//127.0.0.1:${port}/a` })],
    ["by a path of a slash and a backslash", () => ({ directPath: `/\\127.0.0.1:${port}/a` })],
    ["by a path of a slash and a host", () => ({ directPath: `/@127.0.0.1:${port}/a` })],
    [
      "by a path and a host",
      () => ({ url: `http://127.0.0.1:${port}/`, directPath: `@127.0.0.1:${port}/a` }),
    ],
  ])("%s", async (_where, places) => {
    const before = downloads();
    const message = await aFileAt(places());
    await expect(rig.link().downloadMedia(message)).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
    expect(downloads()).toBe(before);
  });

  test("from where WhatsApp's own server sends it, when that is not WhatsApp", async () => {
    const { message } = await aRealFile();
    const before = downloads();
    for (const redirect of [
      `http://127.0.0.1:${port}/a`,
      `https://localhost:${port}/a`,
      `http://[::1]:${port}/`,
    ]) {
      emulator.fault({ kind: "media", redirect });
      await expect(rig.link().downloadMedia(message)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
    }
    expect(downloads()).toBe(before + 3);
  });
});

describe("a file of WhatsApp's comes", () => {
  test("although the message names a wrong host beside the path", async () => {
    const { message, directPath } = await aRealFile();
    const again = await aFileAt({ url: `https://127.0.0.1:${port}/a`, directPath });
    const before = downloads();
    const bytes = await rig.link().downloadMedia(again);
    bytes.destroy(); // encrypted with another key
    expect(downloads()).toBe(before + 1);
    expect(await buffer(await rig.link().downloadMedia(message))).toEqual(BYTES);
  });

  test("from another of its servers, where it is sent", async () => {
    const { message, directPath } = await aRealFile();
    emulator.fault({ kind: "media", redirect: `https://media-mad1-1.cdn.whatsapp.net${directPath}` });
    expect(await buffer(await rig.link().downloadMedia(message))).toEqual(BYTES);
  });
});

describe("whatever the library fetches", () => {
  test("comes from WhatsApp's hosts, or not at all", async () => {
    for (const url of [`http://127.0.0.1:${port}/`, `https://[::1]:${port}/`, "http://mmg.whatsapp.net/v/a"])
      await expect(fetch(url, ONLY_WHATSAPP)).rejects.toThrow("fetch failed");
    const { directPath } = await aRealFile();
    expect((await fetch(`https://mmg.whatsapp.net${directPath}`, ONLY_WHATSAPP)).status).toBe(200);
  });

  test("WhatsApp's hosts are those whose name ends so", () => {
    expect(["https://pps.whatsapp.net/v/a", "https://WhatsApp.net/"].every(isWhatsAppUrl)).toBe(true);
    const others = [
      "",
      "pps.whatsapp.net/v/a",
      "https://whatsapp.net.evil.test/",
      "https://web.whatsapp.com/",
    ];
    expect(others.some(isWhatsAppUrl)).toBe(false);
  });
});
