import { createHash } from "node:crypto";
import { readFile, stat, writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MediaSource, SendContent } from "../../hub/inbox/send-request.ts";
import { hours } from "../support/fixed-clock.ts";
import { aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { MP3, OGG_OPUS, PDF, PNG, WEBP } from "../support/sample-files.ts";

const MB = 1024 * 1024;

let inbox: InboxRig;
beforeEach(async () => {
  inbox = await openInbox();
});
afterEach(() => inbox.close());

const sendFile = (content: SendContent) => inbox.sending.send(aRequest({ content }));
const image = (source: MediaSource): SendContent => ({ kind: "image", source, caption: "look" });
const fromBytes = (bytes: Uint8Array, mimetype: string | null = null): MediaSource => ({
  from: "bytes",
  bytes,
  mimetype,
});
const sentFile = () => {
  const content = inbox.whatsapp.sent.at(-1)?.content;
  if (content === undefined || !("file" in content)) throw new Error("no file was sent");
  return content.file;
};

describe("a file sent from its bytes", () => {
  test("is kept on disk under a name of ours, for the owner's eyes only, and leaves from there", async () => {
    const message = await sendFile(image(fromBytes(PNG)));
    expect(message).toMatchObject({ type: "image", caption: "look", content: "look", status: "sent" });
    expect(message.media).toMatchObject({
      mimetype: "image/png",
      filesize: PNG.length,
      filename: "image.png",
    });
    expect(message.media?.sha256).toBe(createHash("sha256").update(PNG).digest("base64"));
    const { path } = sentFile();
    expect(path).toBe(inbox.media.pathOf(message.media?.mediaId ?? ""));
    expect(await readFile(path)).toEqual(PNG);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("can be fetched by the token of its event for a week", async () => {
    const { media } = await sendFile(image(fromBytes(PNG)));
    const token = media?.token ?? "";
    expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/);
    const open = await inbox.media.openByToken(token);
    expect(open).toMatchObject({ size: PNG.length, mimetype: "image/png", filename: "image.png" });
    inbox.clock.advance(hours(24 * 7 + 1));
    await expect(inbox.media.openByToken(token)).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
  });

  test("as a voice note leaves as one only when it is ogg/opus", async () => {
    await sendFile({ kind: "audio", source: fromBytes(OGG_OPUS), voice: true });
    expect(inbox.whatsapp.sent.at(-1)?.content).toMatchObject({
      kind: "audio",
      ptt: true,
      file: { mimetype: "audio/ogg; codecs=opus" },
    });
    const message = await sendFile({ kind: "audio", source: fromBytes(MP3), voice: true });
    expect(inbox.whatsapp.sent.at(-1)?.content).toMatchObject({ kind: "audio", ptt: false });
    expect(message.media?.ptt).toBe(false);
  });

  test("as a document keeps the name and type it was given, made harmless", async () => {
    await sendFile({
      kind: "document",
      source: fromBytes(PDF),
      fileName: "../../etc/invoice.pdf",
      mimetype: null,
      caption: null,
    });
    expect(sentFile()).toMatchObject({ filename: "invoice.pdf", mimetype: "application/pdf" });
  });

  test.each([
    ["an image that is none", image(fromBytes(PDF, "image/png"))],
    ["a sticker that is no webp", { kind: "sticker", source: fromBytes(PNG) }],
    ["nothing at all", image(fromBytes(Buffer.alloc(0)))],
    [
      "a sticker over its megabyte",
      { kind: "sticker", source: fromBytes(Buffer.concat([WEBP, Buffer.alloc(MB)])) },
    ],
  ] as [string, SendContent][])("is refused, leaving nothing behind: %s", async (_name, content) => {
    await expect(sendFile(content)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
    expect(await inbox.filesOnDisk()).toEqual([]);
    expect(await inbox.events()).toEqual([]);
  });

  test("leaves after a crash from the file that was kept", async () => {
    inbox.whatsapp.goesAway();
    const message = await inbox.sending.send(aRequest({ content: image(fromBytes(PNG)), queue: true }));
    await inbox.crash();
    await inbox.sending.resume("s1");
    expect(inbox.whatsapp.sent[0]?.messageId).toBe(message.id);
    expect(await readFile(sentFile().path)).toEqual(PNG);
  });
});

describe("an upload", () => {
  const upload = (bytes: Buffer, filename: string | null = "photo.png") =>
    inbox.media.upload(Readable.from([bytes]), { filename, mimetype: null, sessionId: null });

  test("is known by its content and can be sent any number of times, each with a file of its own", async () => {
    const item = await upload(PNG);
    expect(item).toMatchObject({ mimetype: "image/png", filename: "photo.png", state: "stored" });
    const first = await sendFile(image({ from: "media", mediaId: item.mediaId }));
    const second = await sendFile(image({ from: "media", mediaId: item.mediaId }));
    expect(new Set([item.mediaId, first.media?.mediaId, second.media?.mediaId]).size).toBe(3);
    await inbox.media.remove(item.mediaId);
    await expect(inbox.media.open(item.mediaId)).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
    expect((await inbox.media.open(second.media?.mediaId ?? "")).size).toBe(PNG.length);
  });

  test("bigger than any kind may be is refused and leaves nothing", async () => {
    const endless = Readable.from(
      (function* () {
        for (let i = 0; i < 101; i++) yield Buffer.alloc(MB);
      })(),
    );
    await expect(
      inbox.media.upload(endless, { filename: "big", mimetype: null, sessionId: null }),
    ).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    expect(await inbox.filesOnDisk()).toEqual([]);
  });

  test("that breaks off leaves nothing", async () => {
    const broken = Readable.from(
      (async function* () {
        yield PNG;
        await Promise.resolve();
        throw new Error("connection reset");
      })(),
    );
    await expect(
      inbox.media.upload(broken, { filename: null, mimetype: null, sessionId: null }),
    ).rejects.toThrow("connection reset");
    expect(await inbox.filesOnDisk()).toEqual([]);
  });

  test.each(["../../etc/passwd", "med_../../../etc/passwd00000000", "med_", "MED_01", ""])(
    "is not found under the id %j, and no file is touched",
    async (mediaId) => {
      await expect(sendFile(image({ from: "media", mediaId }))).rejects.toMatchObject({
        code: "MEDIA_NOT_FOUND",
      });
    },
  );

  test("of another session is not found", async () => {
    const other = await inbox.media.upload(Readable.from([PNG]), {
      filename: null,
      mimetype: null,
      sessionId: "s1",
    });
    await inbox.store.sessions.create({ ...(await session()), sessionId: "s2", phoneNumber: null });
    const sending = inbox.sending.send(
      aRequest({ sessionId: "s2", content: image({ from: "media", mediaId: other.mediaId }) }),
    );
    await expect(sending).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
  });

  const session = async () => {
    const found = await inbox.store.sessions.get("s1");
    if (found === null) throw new Error("no session");
    return found;
  };
});

test("what a crash left half-written is gone after the next start", async () => {
  await mkdir(join(inbox.dir, "media", "ZZ"), { recursive: true });
  await writeFile(join(inbox.dir, "media", "ZZ", "med_0000000000000000000000ZZZZ.part"), "half");
  await inbox.media.tidy();
  expect(await inbox.filesOnDisk()).toEqual([]);
});
