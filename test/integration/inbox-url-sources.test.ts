import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sends, serveFile, type FileServer } from "../support/file-server.ts";
import { aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { JPEG } from "../support/sample-files.ts";

const MB = 1024 * 1024;

let inbox: InboxRig;
let server: FileServer | null = null;
beforeEach(async () => {
  inbox = await openInbox({ allowCidrs: ["127.0.0.0/8"], urlTimeoutMs: 1_000 });
});
afterEach(async () => {
  await inbox.close();
  await server?.close();
  server = null;
});

const fromUrl = (url: string) =>
  inbox.sending.send(aRequest({ content: { kind: "image", source: { from: "url", url }, caption: null } }));

describe("a file sent by its URL", () => {
  test("is fetched once, with the name it has there", async () => {
    server = await serveFile(sends(JPEG, { "content-type": "image/jpeg" }));
    await fromUrl(`${server.url}/photos/caf%C3%A9.jpg?size=big`);
    expect(inbox.whatsapp.sent[0]?.content).toMatchObject({
      file: { filename: "café.jpg", mimetype: "image/jpeg" },
    });
    expect(server.requests).toBe(1);
  });

  test("is not followed to another place", async () => {
    const elsewhere = await serveFile(sends(JPEG));
    server = await serveFile((_request, response) => {
      response.writeHead(302, { location: elsewhere.url }).end();
    });
    await expect(fromUrl(server.url)).rejects.toMatchObject({
      code: "MEDIA_ERROR",
      details: { status: 302 },
    });
    expect(elsewhere.requests).toBe(0);
    await elsewhere.close();
  });

  test("is cut off at its cap however much is announced", async () => {
    await inbox.close();
    inbox = await openInbox({ allowCidrs: ["127.0.0.0/8"], urlTimeoutMs: 20_000 });
    let written = 0;
    server = await serveFile((_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.concat([JPEG, Buffer.alloc(64 * 1024)])))
          written += 65536;
      };
      response.on("drain", more);
      more();
    });
    await expect(fromUrl(server.url)).rejects.toMatchObject({
      code: "MEDIA_ERROR",
      details: { capBytes: 16 * MB },
    });
    expect(written).toBeLessThan(32 * MB);
    expect(await inbox.filesOnDisk()).toEqual([]);
  });

  test("is refused unread when it announces more than the cap", async () => {
    server = await serveFile((_request, response) => {
      response.writeHead(200, { "content-length": 17 * MB });
      response.flushHeaders();
    });
    await expect(fromUrl(server.url)).rejects.toMatchObject({
      code: "MEDIA_ERROR",
      details: { capBytes: 16 * MB },
    });
  });

  test.each([
    ["says nothing", () => undefined],
    [
      "drips its body",
      (_request: unknown, response: ServerResponse) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write("x"), 50);
        response.on("close", () => clearInterval(drip));
      },
    ],
  ])("is given up at the deadline when the server %s", async (_name, listener) => {
    server = await serveFile(listener);
    await expect(fromUrl(server.url)).rejects.toMatchObject({
      code: "MEDIA_ERROR",
      message: expect.stringContaining("in time") as string,
    });
    expect(await inbox.filesOnDisk()).toEqual([]);
  });

  test.each([404, 500, 204])("is refused when the server answers %i", async (status) => {
    server = await serveFile((_request, response) => void response.writeHead(status).end());
    await expect(fromUrl(server.url)).rejects.toMatchObject({ code: "MEDIA_ERROR", details: { status } });
  });

  test.each([
    "file:///etc/passwd",
    "ftp://127.0.0.1/x",
    "http://user:secret@127.0.0.1/x",
    "http://",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://0.0.0.0/",
  ])("is never fetched from %s", async (url) => {
    await expect(fromUrl(url)).rejects.toMatchObject({ code: "MEDIA_ERROR" });
  });
});

describe("a file on a private address", () => {
  test.each(["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "127.1"])(
    "is not fetched from %s unless the operator opened the range",
    async (host) => {
      await inbox.close();
      inbox = await openInbox({ urlTimeoutMs: 1_000 });
      server = await serveFile(sends(JPEG));
      const url = server.url.replace("127.0.0.1", host);
      await expect(fromUrl(url)).rejects.toMatchObject({
        code: "MEDIA_ERROR",
        message: expect.not.stringContaining("no answer") as string,
      });
      expect(server.requests).toBe(0);
    },
  );
});
