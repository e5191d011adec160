/** Files that WhatsApp no longer has: asked of the phone once, and given up for good only when there is none to be had. */
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Message } from "../../hub/core/message.ts";
import { createAsking } from "../../hub/whatsapp/asking.ts";
import { createMediaDownload } from "../../hub/whatsapp/media-download.ts";
import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";

let emulator: Emulator;
let rig: WhatsAppRig;
let account: string;

beforeAll(async () => {
  emulator = await startEmulator();
  await trustEmulator(emulator);
  account = emulator.createAccount({ preset: "small" }).number;
  rig = await openWhatsAppRig(emulator, { number: account });
  await rig.connect();
});
afterEach(() => emulator.clearFaults());
afterAll(async () => {
  await rig.stop();
  await emulator.stop();
});

const BYTES = Buffer.from("a picture of something");

async function aFile(): Promise<Message> {
  const { id } = emulator.receive({
    ...{ account, kind: "document", fileName: "a.txt", mimetype: "text/plain" },
    base64: BYTES.toString("base64"),
  });
  return until("the message", () => rig.store().inbox.message("s1", id));
}

test.each([403, 404, 410])(
  "a file answered with %d is uploaded again by the phone, and comes",
  async (status) => {
    const message = await aFile();
    emulator.fault({ kind: "media", status });
    expect(await buffer(await rig.link().downloadMedia(message))).toEqual(BYTES);
  },
);

test("a file that is gone for good is MEDIA_NOT_FOUND after one more try, not after many", async () => {
  const message = await aFile();
  const downloads = (): number => emulator.counters().counts.mediaDownloads;
  const before = downloads();
  emulator.fault({ kind: "media", status: 404, count: null });
  await expect(rig.link().downloadMedia(message)).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
  expect(downloads() - before).toBe(2);
});

test("trouble of the file servers is no reason to give a file up", async () => {
  const message = await aFile();
  emulator.fault({ kind: "media", status: 500 });
  await expect(rig.link().downloadMedia(message)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
  expect(await buffer(await rig.link().downloadMedia(message))).toEqual(BYTES);
});

test("a phone that does not answer is waited for so long, and asked again the next time", async () => {
  const message = await aFile();
  const download = createMediaDownload({
    socket: { updateMediaMessage: () => new Promise(() => undefined) },
    asking: createAsking({ isGone: () => false, flush: () => Promise.resolve() }),
    asAddressed: (key) => Promise.resolve(key),
    phoneDeadlineMs: 50,
  });
  emulator.fault({ kind: "media", status: 410 });
  await expect(download(message)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
});
