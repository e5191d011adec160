/** A send body in every spelling that existing clients use. */
import { describe, expect, test } from "vitest";
import { invalidBySchema } from "../../hub/http/errors.ts";
import { sendBodySchema } from "../../hub/http/send-body.ts";

const contentOf = (body: Record<string, unknown>) =>
  sendBodySchema.parse({ to: "34600111222", ...body }).content;

function problemsOf(body: Record<string, unknown>): unknown {
  const result = sendBodySchema.safeParse({ to: "34600111222", ...body });
  return result.success ? null : invalidBySchema(result.error).details?.["fields"];
}

const url = "https://files.example/a.jpg";

describe("texts", () => {
  test("as a string or as an object, byte for byte", () => {
    const text = "hola 😀\nsegunda línea ";
    expect(contentOf({ type: "text", message: text })).toEqual({ kind: "text", text });
    expect(contentOf({ type: "text", message: { text } })).toEqual({ kind: "text", text });
  });

  test("an empty one and one beyond 65536 characters are refused by name", () => {
    expect(problemsOf({ type: "text", message: "" })).toEqual([
      { path: "message", problem: "must not be empty" },
    ]);
    expect(problemsOf({ type: "text", message: { text: "x".repeat(65_537) } })).toMatchObject([
      { path: "message.text" },
    ]);
  });
});

describe("files", () => {
  test("the member decides what is sent, the caption stands inside or outside", () => {
    const source = { from: "url", url };
    expect(contentOf({ type: "image", message: { image: { url }, caption: "in" } })).toEqual({
      kind: "image",
      source,
      caption: "in",
    });
    expect(contentOf({ type: "image", message: { image: { url } }, caption: "" })).toMatchObject({
      caption: "",
    });
    expect(contentOf({ type: "media", message: { video: { url } } })).toMatchObject({
      kind: "video",
      caption: null,
    });
    expect(contentOf({ type: "document", message: { document: { url, fileName: "a.pdf" } } })).toMatchObject({
      kind: "document",
      fileName: "a.pdf",
    });
    expect(contentOf({ type: "sticker", message: { image: { url } } })).toMatchObject({ kind: "sticker" });
  });

  test("a voice note is asked for by type or by ptt", () => {
    expect(contentOf({ type: "voice", message: { audio: { url } } })).toMatchObject({
      kind: "audio",
      voice: true,
    });
    expect(contentOf({ type: "audio", message: { audio: { url }, ptt: true } })).toMatchObject({
      voice: true,
    });
    expect(contentOf({ type: "audio", message: { audio: { url } } })).toMatchObject({ voice: false });
  });

  test("bytes come as base64, as a data URL, or as a Buffer in JSON", () => {
    const bytes = Buffer.from("hello");
    const buffer: unknown = JSON.parse(JSON.stringify(bytes));
    for (const image of [
      { base64: bytes.toString("base64") },
      { buffer: bytes.toString("base64") },
      { buffer },
    ]) {
      const content = contentOf({ type: "image", message: { image } });
      expect(content).toMatchObject({ source: { from: "bytes", bytes: expect.anything() as unknown } });
      if (content.kind === "image" && content.source.from === "bytes")
        expect(Buffer.from(content.source.bytes).toString()).toBe("hello");
    }
    expect(
      contentOf({
        type: "image",
        message: { image: { base64: `data:image/png;base64,${bytes.toString("base64")}` } },
      }),
    ).toMatchObject({ source: { from: "bytes", mimetype: "image/png" } });
  });

  test("exactly one source, and never a path", () => {
    expect(problemsOf({ type: "image", message: { image: {} } })).toEqual([
      { path: "message.image", problem: "give exactly one of url, mediaId, base64, buffer" },
    ]);
    expect(problemsOf({ type: "image", message: { image: { url, mediaId: "med_1" } } })).toMatchObject([
      { path: "message.image" },
    ]);
    expect(problemsOf({ type: "image", message: { image: { url, path: "/etc/passwd" } } })).toMatchObject([
      { path: "message.image.path" },
    ]);
    expect(problemsOf({ type: "image", message: { image: { url: "file:///etc/passwd" } } })).toMatchObject([
      { path: "message.image.url" },
    ]);
    expect(problemsOf({ type: "image", message: { image: { base64: "no base64!" } } })).toMatchObject([
      { path: "message.image.base64" },
    ]);
  });
});

describe("other kinds", () => {
  test("a place in both spellings", () => {
    const place = { kind: "location", latitude: 40.4, longitude: -3.7, name: "Madrid", address: null };
    expect(
      contentOf({
        type: "location",
        message: { location: { degreesLatitude: 40.4, degreesLongitude: -3.7, name: "Madrid" } },
      }),
    ).toEqual(place);
    expect(contentOf({ type: "location", message: { lat: 40.4, lng: -3.7, name: "Madrid" } })).toEqual(place);
    expect(problemsOf({ type: "location", message: { location: { lat: 400, lng: 0 } } })).toMatchObject([
      { path: "message.location" },
    ]);
  });

  test("contact cards, polls and reactions", () => {
    expect(contentOf({ type: "contact", message: { contact: { name: "Ana", phone: "+34 600" } } })).toEqual({
      kind: "contact",
      displayName: "Ana",
      contacts: [{ name: "Ana", phone: "+34 600" }],
    });
    expect(
      contentOf({
        type: "contact",
        message: { contacts: { displayName: "A", contacts: [{ vcard: "BEGIN:VCARD" }] } },
      }),
    ).toEqual({ kind: "contact", displayName: "A", contacts: [{ vcard: "BEGIN:VCARD" }] });
    expect(contentOf({ type: "poll", message: { poll: { name: "?", values: ["a", "b"] } } })).toMatchObject({
      kind: "poll",
      selectableCount: 1,
    });
    expect(contentOf({ type: "reaction", message: { reaction: { messageId: "3A", emoji: "" } } })).toEqual({
      kind: "reaction",
      messageId: "3A",
      emoji: "",
    });
    expect(problemsOf({ type: "poll", message: { poll: { name: "?", values: ["a", "a"] } } })).not.toBeNull();
  });

  test("a body that holds nothing says so; unknown fields are ignored", () => {
    expect(problemsOf({ type: "image", message: "just text" })).toMatchObject([{ path: "message" }]);
    expect(problemsOf({ type: "text", message: {} })).toMatchObject([{ path: "message" }]);
    expect(contentOf({ type: "text", message: "hola", session: "x", __proto__: { kind: "evil" } })).toEqual({
      kind: "text",
      text: "hola",
    });
  });

  test("numbers as recipients are read as digits; waiting in a queue has a limit", () => {
    expect(sendBodySchema.parse({ to: 34600111222, type: "text", message: "x" }).to).toBe("34600111222");
    expect(problemsOf({ type: "text", message: "x", ttlSeconds: 86_401 })).toMatchObject([
      { path: "ttlSeconds" },
    ]);
  });
});
