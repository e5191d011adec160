import { describe, expect, test } from "vitest";
import { cleanFilename, withExtension } from "../../hub/inbox/file-name.ts";
import { keptContent } from "../../hub/inbox/kept-content.ts";
import { sniff, typeAs } from "../../hub/inbox/media-kind.ts";
import { outgoing, readOrder, writeOrder } from "../../hub/inbox/send-order.ts";
import { nameIn, vcardOf } from "../../hub/inbox/vcard.ts";
import { aMedia, aMessage } from "../support/builders.ts";
import { JPEG, MP3, MP4, OGG_OPUS, PDF, PNG, WEBP } from "../support/sample-files.ts";

describe("what a file is", () => {
  test.each([
    ["image", PNG, "image/png"],
    ["image", JPEG, "image/jpeg"],
    ["video", MP4, "video/mp4"],
    ["audio", MP3, "audio/mpeg"],
    ["audio", OGG_OPUS, "audio/ogg; codecs=opus"],
    ["sticker", WEBP, "image/webp"],
    ["document", PDF, "application/pdf"],
  ] as const)("%s: told by its bytes", async (kind, file, mimetype) => {
    expect(typeAs(kind, await sniff(file), "text/html").mimetype).toBe(
      kind === "document" ? "text/html" : mimetype,
    );
    expect(typeAs(kind, await sniff(file), null).mimetype).toBe(mimetype);
  });

  test.each([
    ["image", PDF],
    ["video", PNG],
    ["audio", PNG],
    ["sticker", PNG],
    ["image", Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>")],
    ["image", Buffer.from("<html>")],
  ] as const)("%s: refused when its bytes say otherwise, whatever its name says", async (kind, file) => {
    const found = await sniff(file);
    expect(() => typeAs(kind, found, `${kind}/png`)).toThrow(
      expect.objectContaining({ code: "MEDIA_ERROR" }),
    );
  });

  test("a document may be anything, and a media type with tricks in it is none", async () => {
    const found = await sniff(Buffer.from("hello"));
    expect(typeAs("document", found, "text/plain; charset=utf-8").mimetype).toBe("text/plain");
    expect(typeAs("document", found, "text/html\r\nX-Evil: 1").mimetype).toBe("application/octet-stream");
  });
});

test("an office file is told by its name when nobody says what it is: its bytes are those of an archive", async () => {
  const zip = await sniff(Buffer.from("PK\x03\x04\x14\0\0\0\0\0", "latin1"));
  const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
  expect(typeAs("document", zip, null, "prices.xlsx")).toEqual({ mimetype: xlsx, extension: "xlsx" });
  expect(typeAs("document", await sniff(PDF), null, "prices.xlsx").mimetype).toBe("application/pdf");
  expect(typeAs("document", null, null, "prices").mimetype).toBe("application/octet-stream");
});

describe("file names from outside", () => {
  test.each([
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\ana\\report.pdf", "report.pdf"],
    ["in\u0000voice\u202Efdp.exe", "invoicefdp.exe"],
    ["...", "file"],
    ["", "file"],
    ["  .hidden ", "hidden"],
  ])("%j becomes %j", (written, name) => {
    expect(cleanFilename(written, "file")).toBe(name);
  });

  test("a long one keeps its extension", () => {
    const name = cleanFilename(`${"x".repeat(500)}.pdf`, "file");
    expect(name).toHaveLength(200);
    expect(name.endsWith(".pdf")).toBe(true);
  });

  test("one without extension gets that of its content", () => {
    expect(withExtension("photo", "jpg")).toBe("photo.jpg");
    expect(withExtension("photo.jpeg", "jpg")).toBe("photo.jpeg");
  });
});

describe("a waiting send on disk", () => {
  test("comes back as it was written, its file found by id", () => {
    const file = { mediaId: "med_1", mimetype: "image/jpeg", filename: "i.jpg" };
    const order = {
      content: { kind: "image" as const, file, caption: "línea 1\nlínea 2 👍" },
      quotedMessageId: "3A1F",
      mentions: ["34600111222@s.whatsapp.net"],
      isForwarded: false,
    };
    expect(readOrder(writeOrder(order))).toEqual(order);
    expect(outgoing(order, (mediaId) => `/data/${mediaId}`)).toEqual({
      kind: "image",
      file: { path: "/data/med_1", mimetype: "image/jpeg", filename: "i.jpg" },
      caption: "línea 1\nlínea 2 👍",
    });
  });
});

describe("a message sent again", () => {
  test("says what it said", () => {
    const media = aMedia({ mimetype: "audio/ogg; codecs=opus", ptt: true });
    expect(keptContent(aMessage({ content: "hola" }))).toEqual({ kind: "text", text: "hola" });
    expect(keptContent(aMessage({ type: "audio", media }))).toMatchObject({ kind: "audio", ptt: true });
  });

  test.each([
    aMessage({ type: "buttons" }),
    aMessage({ unknownKind: "albumMessage" }),
    aMessage({ deletedAt: 1 }),
    aMessage({ type: "image", media: null }),
  ])("is refused when only its author can send it", (message) => {
    expect(() => keptContent(message)).toThrow(expect.objectContaining({ code: "STATE_CONFLICT" }));
  });
});

describe("the card of a person", () => {
  test("holds the name in one property, whatever is in it", () => {
    const card = vcardOf({ name: "Ana\nTEL:+666;x", phone: "+34 600-111-222" });
    expect(card.split("\n")).toEqual([
      "BEGIN:VCARD",
      "VERSION:3.0",
      "N:Ana\\nTEL:+666\\;x;;;;",
      "FN:Ana\\nTEL:+666\\;x",
      "TEL;type=CELL;type=VOICE;waid=34600111222:+34600111222",
      "END:VCARD",
    ]);
    expect(nameIn(card)).toBe("Ana TEL:+666;x");
  });
});
