/** W17: files that WhatsApp no longer has, or gives damaged, cut short, far too big: the message is there all the same. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../hub/core/clock.ts";
import type { Message } from "../../hub/core/message.ts";
import { createAddressGuard } from "../../hub/core/webhook-address.ts";
import { createMedia } from "../../hub/inbox/media.ts";
import { createAsking } from "../../hub/whatsapp/asking.ts";
import { createMediaDownload } from "../../hub/whatsapp/media-download.ts";
import { logBook } from "../support/log-book.ts";
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
  "W17: a file answered with %d is uploaded again by the phone, and comes",
  async (status) => {
    const message = await aFile();
    emulator.fault({ kind: "media", status });
    expect(await buffer(await rig.link().downloadMedia(message))).toEqual(BYTES);
  },
);

test("W17: a file that is gone for good is MEDIA_NOT_FOUND after one more try, not after many", async () => {
  const message = await aFile();
  const downloads = (): number => emulator.counters().counts.mediaDownloads;
  const before = downloads();
  emulator.fault({ kind: "media", status: 404, count: null });
  await expect(rig.link().downloadMedia(message)).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
  expect(downloads() - before).toBe(2);
});

test("W17: trouble of the file servers is no reason to give a file up", async () => {
  const message = await aFile();
  emulator.fault({ kind: "media", status: 500 });
  await expect(rig.link().downloadMedia(message)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
  expect(await buffer(await rig.link().downloadMedia(message))).toEqual(BYTES);
});

test("W17: a phone that does not answer is waited for so long, and asked again the next time", async () => {
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

/** The hub's shelf of files, on the real connection. */
async function aShelf() {
  const dir = await mkdtemp(join(tmpdir(), "w17-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const media = createMedia({
    media: rig.store().media,
    link: () => rig.link(),
    dir,
    guard: createAddressGuard({ allowCidrs: [], allowedUrls: [] }),
    clock: systemClock,
    log: logBook(),
  });
  const files = async (): Promise<string[]> =>
    (await readdir(join(dir, "media"), { recursive: true }).catch(() => [])).filter((name) =>
      name.includes("med_"),
    );
  return { media, files };
}

describe("W17: a file that does not come as it was announced", () => {
  test.each(["truncated", "garbled"] as const)(
    "%s is refused, not kept, and whole the next time",
    async (damage) => {
      const { media, files } = await aShelf();
      const message = await aFile();
      const mediaId = message.media?.mediaId ?? "";
      emulator.fault({ kind: "media", damage });
      await expect(media.open(mediaId)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
      expect(await files()).toEqual([]);
      const { path } = await media.open(mediaId);
      expect(await readFile(path)).toEqual(BYTES);
    },
  );

  test("2 GB announced are not fetched at all; the message was told long before", async () => {
    const { media, files } = await aShelf();
    const { id } = emulator.receive({
      account,
      kind: "raw",
      message: {
        documentMessage: {
          url: "https://mmg.whatsapp.net/v/t62/huge",
          directPath: "/v/t62/huge",
          mimetype: "application/zip",
          fileName: "huge.zip",
          fileLength: String(2 * 1024 ** 3),
          mediaKey: Buffer.alloc(32, 1).toString("base64"),
          fileSha256: Buffer.alloc(32, 2).toString("base64"),
          fileEncSha256: Buffer.alloc(32, 3).toString("base64"),
        },
      },
    });
    const message = await until("the message", () => rig.store().inbox.message("s1", id));
    expect(message).toMatchObject({ type: "document", media: { filesize: 2 * 1024 ** 3 } });
    const events = await rig.store().events.after({ after: 0, limit: 1000, sessions: "*" });
    expect(events.filter(({ body }) => body.includes(id))).toHaveLength(1);
    const { mediaDownloads: before } = emulator.counters().counts;
    await expect(media.open(message.media?.mediaId ?? "")).rejects.toMatchObject({ code: "MEDIA_ERROR" });
    expect(emulator.counters().counts.mediaDownloads).toBe(before);
    expect(await files()).toEqual([]);
  });
});
