import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { createDownloads } from "../../hub/inbox/downloads.ts";
import { createMediaFiles } from "../../hub/inbox/media-files.ts";
import type { MediaSource } from "../../hub/inbox/send-request.ts";
import { aMedia, aMessageFact } from "../support/builders.ts";
import { minutes } from "../support/fixed-clock.ts";
import { aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { JPEG, PNG } from "../support/sample-files.ts";
import { until } from "../support/until.ts";

const MB = 1024 * 1024;

let inbox: InboxRig;
beforeEach(async () => {
  inbox = await openInbox();
});
afterEach(() => inbox.close());

describe("a received file", () => {
  const receive = async (bytes: Buffer, change: Parameters<typeof aMedia>[0] = {}) => {
    const fact = aMessageFact({
      type: "image",
      media: aMedia({ mediaId: "", token: "", filesize: bytes.length, ...change }),
    });
    await inbox.parts.ingest({ sessionId: "s1", facts: [fact], closes: [] });
    const message = await inbox.store.inbox.message("s1", fact.message.id);
    if (message?.media == null) throw new Error("not stored");
    return { message, media: message.media };
  };

  test("gets an id and a token when it is first recorded, and keeps them", async () => {
    const { message, media } = await receive(JPEG);
    expect(media.mediaId).toMatch(/^med_[0-9A-Z]{26}$/);
    const again = {
      kind: "message" as const,
      message: { ...message, media: { ...media, mediaId: "", token: "" } },
    };
    await inbox.parts.ingest({ sessionId: "s1", facts: [{ ...again, live: true }], closes: [] });
    const after = await inbox.store.inbox.message("s1", message.id);
    expect(after?.media).toMatchObject({ mediaId: media.mediaId, token: media.token });
  });

  test("is fetched from WhatsApp when somebody asks, once however many ask", async () => {
    const { message, media } = await receive(JPEG);
    inbox.whatsapp.media.set(message.id, () => Readable.from([JPEG]));
    expect(inbox.whatsapp.asked.download).toBe(0);
    const opened = await Promise.all(Array.from({ length: 20 }, () => inbox.media.openByToken(media.token)));
    expect(new Set(opened.map(({ path }) => path)).size).toBe(1);
    await inbox.media.open(media.mediaId);
    expect(inbox.whatsapp.asked.download).toBe(1);
    expect(await readFile(opened[0]?.path ?? "")).toEqual(JPEG);
  });

  test("that differs from what was announced is not kept", async () => {
    const { message, media } = await receive(JPEG, {
      sha256: createHash("sha256").update(PNG).digest("base64"),
    });
    inbox.whatsapp.media.set(message.id, () => Readable.from([JPEG]));
    await expect(inbox.media.open(media.mediaId)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
    expect(await inbox.filesOnDisk()).toEqual([]);
  });

  test("that WhatsApp no longer has is gone for good, and WhatsApp is not asked again", async () => {
    const { media } = await receive(JPEG);
    for (let i = 0; i < 2; i++)
      await expect(inbox.media.open(media.mediaId)).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
    expect(inbox.whatsapp.asked.download).toBe(1);
  });

  test("is never that of another message, whatever stands in its row", async () => {
    const { message, media } = await receive(JPEG);
    const nobody = () => {
      throw new Error("nobody is to be asked");
    };
    const downloads = createDownloads({
      media: { get: nobody, saveState: nobody, messageOf: () => Promise.resolve(message) },
      files: createMediaFiles(inbox.dir),
      ...{ link: nobody, capBytes: MB, holdMs: 1000, deadlineMs: 1000, clock: inbox.clock },
      ...{ refuseWhenFull: nobody, log: { debug: nobody, info: nobody, warn: nobody, error: nobody } },
    });
    const item = await inbox.store.media.get(media.mediaId);
    if (item === null) throw new Error("not stored");
    await expect(downloads.fetch({ ...item, mediaId: "med_other" })).rejects.toMatchObject({
      code: "MEDIA_NOT_FOUND",
    });
  });

  test("of 2 GB is not fetched at all", async () => {
    const { media } = await receive(JPEG, { filesize: 2 * 1024 * MB });
    await expect(inbox.media.open(media.mediaId)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
    expect(inbox.whatsapp.asked.download).toBe(0);
  });

  test("broken off in the middle is fetched again by the next who asks", async () => {
    const { message, media } = await receive(JPEG);
    inbox.whatsapp.media.set(message.id, () =>
      Readable.from(
        (async function* () {
          yield JPEG;
          await Promise.resolve();
          throw new Error("reset");
        })(),
      ),
    );
    await expect(inbox.media.open(media.mediaId)).rejects.toThrow("reset");
    inbox.whatsapp.media.set(message.id, () => Readable.from([JPEG]));
    expect((await inbox.media.open(media.mediaId)).size).toBe(JPEG.length);
  });

  test("whose message goes for its age while it is on its way leaves nothing on the disk", async () => {
    const { message, media } = await receive(JPEG);
    const slow = new Readable({ read: () => undefined });
    inbox.whatsapp.media.set(message.id, () => slow);
    const opening = inbox.media.open(media.mediaId).catch((error: unknown) => error);
    await until("the download begins", () => inbox.whatsapp.asked.download === 1);
    const later = new Date(inbox.clock.now().getTime() + minutes(1));
    await inbox.store.inbox.removeOld({
      ...{ sessionId: "s1", before: later, settledBefore: later, after: null, limit: 9 },
    });
    slow.push(JPEG);
    slow.push(null);
    expect(await opening).toMatchObject({ code: "MEDIA_NOT_FOUND" });
    expect(await inbox.filesOnDisk()).toEqual([]);
  });

  test("on its way longer than callers are held tells them when to come again, and is there then", async () => {
    await inbox.close();
    inbox = await openInbox({ downloadHoldMs: 50 });
    const { message, media } = await receive(JPEG);
    const slow = new Readable({ read: () => undefined });
    inbox.whatsapp.media.set(message.id, () => slow);
    await expect(inbox.media.openByToken(media.token)).rejects.toMatchObject({
      code: "OVERLOADED",
      retryAfterSeconds: 5,
    });
    slow.push(JPEG);
    slow.push(null);
    await inbox.media.idle();
    expect((await inbox.media.openByToken(media.token)).size).toBe(JPEG.length);
    expect(inbox.whatsapp.asked.download).toBe(1);
  });

  test("that never ends is given up at the deadline, and fetched by the next who asks", async () => {
    await inbox.close();
    inbox = await openInbox({ downloadDeadlineMs: 100 });
    const { message, media } = await receive(JPEG);
    inbox.whatsapp.media.set(message.id, () => new Readable({ read: () => undefined }));
    await expect(inbox.media.open(media.mediaId)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
    expect(await inbox.filesOnDisk()).toEqual([]);
    inbox.whatsapp.media.set(message.id, () => Readable.from([JPEG]));
    expect((await inbox.media.open(media.mediaId)).size).toBe(JPEG.length);
  });

  test("gets a new token on request, valid for an hour, and is fetched meanwhile", async () => {
    const { message } = await receive(JPEG);
    inbox.whatsapp.media.set(message.id, () => Readable.from([JPEG]));
    const { token } = await inbox.media.renewUrl(message);
    await until("it is on disk", async () => (await inbox.filesOnDisk()).length === 1);
    inbox.clock.advance(minutes(59));
    expect((await inbox.media.openByToken(token)).size).toBe(JPEG.length);
    inbox.clock.advance(minutes(2));
    await expect(inbox.media.openByToken(token)).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
    // With the next one it goes for good: nothing is left of it that could be renewed.
    await inbox.media.renewUrl(message);
    await inbox.store.media.renewTokens([token, message.media?.token ?? ""], inbox.clock.now());
    await expect(inbox.media.openByToken(token)).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
    expect((await inbox.media.openByToken(message.media?.token ?? "")).size).toBe(JPEG.length);
  });

  test("is forwarded with a file of its own", async () => {
    const { message } = await receive(JPEG);
    inbox.whatsapp.media.set(message.id, () => Readable.from([JPEG]));
    const copy = await inbox.sending.forward({
      ...aRequest(),
      messageId: message.id,
      chatId: null,
      to: "34600111333",
    });
    expect(copy).toMatchObject({ type: "image", isForwarded: true, chatId: "34600111333@s.whatsapp.net" });
    expect(inbox.whatsapp.sent[0]).toMatchObject({ isForwarded: true });
    expect(copy.media?.mediaId).not.toBe(message.media?.mediaId);
    expect(await readFile(inbox.media.pathOf(copy.media?.mediaId ?? ""))).toEqual(JPEG);
  });
});

test("a disk without room for files takes neither uploads nor downloads; what is there is read and sent", async () => {
  let isFull = false;
  const rig = await openInbox({
    refuseFiles: () =>
      isFull ? Promise.reject(new HubError("OVERLOADED", "no room for files")) : Promise.resolve(),
  });
  onTestFinished(() => rig.close());
  const about = { filename: null, mimetype: null, sessionId: null };
  const { mediaId } = await rig.media.upload(Readable.from([PNG]), about);
  const fact = aMessageFact({ type: "image", media: aMedia({ filesize: JPEG.length }) });
  await rig.parts.ingest({ sessionId: "s1", facts: [fact], closes: [] });
  rig.whatsapp.media.set(fact.message.id, () => Readable.from([JPEG]));
  isFull = true;
  const refused = { code: "OVERLOADED" };
  await expect(rig.media.upload(Readable.from([PNG]), about)).rejects.toMatchObject(refused);
  await expect(rig.media.open(fact.message.media?.mediaId ?? "")).rejects.toMatchObject(refused);
  expect(rig.whatsapp.asked.download).toBe(0);
  expect((await rig.media.open(mediaId)).size).toBe(PNG.length);
  const image = { kind: "image" as const, caption: null };
  const send = (source: MediaSource) => rig.sending.send(aRequest({ content: { ...image, source } }));
  await expect(send({ from: "bytes", bytes: PNG, mimetype: null })).rejects.toMatchObject(refused);
  expect(await send({ from: "media", mediaId })).toMatchObject({ status: "sent" });
  isFull = false;
  expect((await rig.media.open(fact.message.media?.mediaId ?? "")).size).toBe(JPEG.length);
});
