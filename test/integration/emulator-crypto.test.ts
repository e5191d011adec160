/** The emulator's media files and histories, against the Baileys functions that will read it. */
import { createHash, randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { inflateSync } from "node:zlib";
import {
  downloadAndProcessHistorySyncNotification,
  downloadContentFromMessage,
  downloadHistory,
  encryptedStream,
  getHistoryMsg,
  type MediaType,
  proto,
} from "@whiskeysockets/baileys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packHistory } from "../whatsapp/crypto/history.ts";
import { decryptMedia, encryptMedia, type MediaKind } from "../whatsapp/crypto/media.ts";

/** Serves what it holds, as WhatsApp's media servers would. */
const files = new Map<string, Buffer>();
const server = createServer((request, response) => void response.end(files.get(request.url ?? "")));
let mediaUrl = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the media server has no port");
  mediaUrl = `http://127.0.0.1:${address.port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const BAILEYS_TYPES: [MediaKind, MediaType][] = [
  ["image", "image"],
  ["video", "video"],
  ["audio", "audio"],
  ["audio", "ptt"],
  ["document", "document"],
  ["sticker", "sticker"],
  ["history", "md-msg-hist"],
  ["app-state", "md-app-state"],
  ["link-thumbnail", "thumbnail-link"],
];

describe.each(BAILEYS_TYPES)("media: %s, by Baileys %s", (kind, type) => {
  const sizes = [1, 15, 16, 17, 100_000];

  test("Baileys downloads what the emulator encrypted", async () => {
    for (const size of sizes) {
      const plaintext = randomBytes(size);
      const { ciphertext, mediaKey, ...about } = encryptMedia(kind, plaintext);
      expect(about).toEqual({
        fileSha256: sha256(plaintext),
        fileEncSha256: sha256(ciphertext),
        fileLength: size,
      });
      files.set("/file", ciphertext);
      const stream = await downloadContentFromMessage({ mediaKey, url: `${mediaUrl}/file` }, type);
      expect(await bytesOf(stream)).toEqual(plaintext);
    }
  });

  test("the emulator reads what Baileys encrypted for upload", async () => {
    for (const size of sizes) {
      const plaintext = randomBytes(size);
      const { encFilePath, mediaKey, fileEncSha256 } = await encryptedStream(plaintext, type);
      const ciphertext = await readFile(encFilePath);
      await rm(encFilePath);
      expect(sha256(ciphertext)).toEqual(Buffer.from(fileEncSha256));
      expect(decryptMedia(kind, ciphertext, mediaKey)).toEqual(plaintext);
    }
  });

  test("a file that was tampered with is refused", () => {
    const { ciphertext, mediaKey } = encryptMedia(kind, randomBytes(100));
    ciphertext.writeUInt8(ciphertext.readUInt8(40) ^ 1, 40);
    expect(() => decryptMedia(kind, ciphertext, mediaKey)).toThrow("wrong MAC");
  });
});

describe("history", () => {
  const history: proto.IHistorySync = {
    syncType: proto.HistorySync.HistorySyncType.RECENT,
    chunkOrder: 2,
    progress: 40,
    conversations: [
      {
        id: "99@lid",
        pnJid: "5511@s.whatsapp.net",
        name: "Ana",
        messages: [
          {
            message: {
              key: { remoteJid: "99@lid", id: "A1", fromMe: false },
              message: { conversation: "hola" },
            },
          },
        ],
      },
    ],
    phoneNumberToLidMappings: [{ lidJid: "98@lid", pnJid: "5512@s.whatsapp.net" }],
  };
  const sent = (message: proto.IMessage) => {
    const received = getHistoryMsg(proto.Message.decode(proto.Message.encode(message).finish()));
    expect(received).toMatchObject({
      syncType: proto.Message.HistorySyncType.RECENT,
      chunkOrder: 2,
      progress: 40,
    });
    return received;
  };

  test("Baileys reads a history inside the message", async () => {
    const { message, blob } = packHistory(history);
    expect(blob).toBeUndefined();
    const read = await downloadAndProcessHistorySyncNotification(sent(message), {});
    expect(read.messages.map((each) => each.message?.conversation)).toEqual(["hola"]);
    expect(read.contacts).toMatchObject([{ id: "99@lid", name: "Ana", phoneNumber: "5511@s.whatsapp.net" }]);
    expect(read.lidPnMappings).toHaveLength(2);
    expect(read).toMatchObject({ syncType: history.syncType, progress: 40 });
  });

  test("Baileys downloads a history from its path", async () => {
    const directPath = "/v/history-2";
    const { message, blob } = packHistory(history, { directPath });
    expect(blob?.directPath).toBe(directPath);
    files.set(directPath, blob?.ciphertext ?? Buffer.alloc(0));
    const { directPath: path, ...notification } = sent(message);
    expect(path).toBe(directPath);
    // Without its path the download goes by the URL, which may be one of this machine.
    const read = await downloadHistory(Object.assign(notification, { url: `${mediaUrl}${directPath}` }), {});
    expect(read.conversations.map(({ name }) => name)).toEqual(["Ana"]);
    const bytes = decryptMedia(
      "history",
      files.get(directPath) ?? Buffer.alloc(0),
      notification.mediaKey ?? Buffer.alloc(0),
    );
    expect(proto.HistorySync.decode(inflateSync(bytes)).progress).toBe(40);
  });
});

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
