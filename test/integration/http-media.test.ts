/** Files in and out: streamed, named, never run, and gone when their time is over. */
import { describe, expect, test } from "vitest";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { mediaSchema } from "../../hub/contract/resources.ts";
import { aMedia, aMediaItem, aMessageFact } from "../support/builders.ts";
import { hours, minutes } from "../support/fixed-clock.ts";
import { listIn, openHttpRig, recordOf, type HttpRig } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

async function upload(rig: HttpRig, bytes: Buffer, { type = "image/png", query = "", headers = {} } = {}) {
  const response = await fetch(`${rig.url}/api/media${query}`, {
    method: "POST",
    headers: { "X-API-Key": rig.key, "Content-Type": type, ...headers },
    body: new Uint8Array(bytes),
  });
  const json = recordOf(JSON.parse(await response.text()));
  return { status: response.status, json, data: recordOf(json["data"] ?? {}) };
}

const read = (rig: HttpRig, path: string, headers: Record<string, string> = {}) =>
  fetch(rig.url + path, { headers: { "X-API-Key": rig.key, ...headers } });

describe("uploads", () => {
  test("the raw body becomes a file with a short URL, and comes back byte for byte", async () => {
    const rig = await openHttpRig();
    const { status, data } = await upload(rig, PNG, { query: "?filename=caf%C3%A9.png" });
    expect(status).toBe(201);
    expect(mediaSchema.strict().safeParse(data).error?.issues ?? []).toEqual([]);
    expect(data).toMatchObject({ filename: "café.png", filesize: PNG.length, mimetype: "image/png" });
    const back = await read(rig, `/api/media/${String(data["mediaId"])}`);
    expect(Buffer.from(await back.arrayBuffer()).equals(PNG)).toBe(true);
    expect(back.headers.get("content-disposition")).toMatch(/^attachment; filename/);
    expect(back.headers.get("x-content-type-options")).toBe("nosniff");
    const short = String(data["url"]).replace("http://hub.example", rig.url);
    const open = await fetch(short);
    expect([open.status, Buffer.from(await open.arrayBuffer()).equals(PNG)]).toEqual([200, true]);
  });

  test("a form with the field file does the same", async () => {
    const rig = await openHttpRig();
    const form = new FormData();
    form.set("note", "ignored");
    form.set("file", new Blob([PNG], { type: "image/png" }), "i.png");
    const response = await fetch(`${rig.url}/api/media`, {
      method: "POST",
      headers: { "X-API-Key": rig.key },
      body: form,
    });
    expect(response.status).toBe(201);
    expect(recordOf(recordOf(JSON.parse(await response.text()))["data"])).toMatchObject({
      filename: "i.png",
      mimetype: "image/png",
    });
    const none = new FormData();
    none.set("other", "x");
    const refused = await fetch(`${rig.url}/api/media`, {
      method: "POST",
      headers: { "X-API-Key": rig.key },
      body: none,
    });
    expect([refused.status, recordOf(JSON.parse(await refused.text()))["code"]]).toEqual([
      400,
      "VALIDATION_ERROR",
    ]);
    const broken = await upload(rig, Buffer.from("x"), { type: "multipart/form-data" });
    expect(broken.status).toBe(400);
  });

  test.each([
    ["before its file", 20],
    ["in its file", 120],
  ])(
    "a form that is cut %s has failed, and its repeat under the same key is taken",
    async (_where, length) => {
      const rig = await openHttpRig();
      const type = "multipart/form-data; boundary=edge";
      const file = 'Content-Disposition: form-data; name="file"; filename="i.png"\r\nContent-Type: image/png';
      const form = Buffer.concat([
        Buffer.from(`--edge\r\n${file}\r\n\r\n`),
        PNG,
        Buffer.from("\r\n--edge--\r\n"),
      ]);
      const repeat = async () =>
        (await upload(rig, form, { type, headers: { "Idempotency-Key": "k1" } })).status;
      const socket = connect(rig.server.port, "127.0.0.1");
      const head = [
        ...["POST /api/media HTTP/1.1", "Host: x", `X-API-Key: ${rig.key}`, `Content-Type: ${type}`],
        ...[`Content-Length: ${form.length}`, "Idempotency-Key: k1"],
      ];
      socket.write(`${head.join("\r\n")}\r\n\r\n`);
      socket.write(form.subarray(0, length));
      await until("the first call is under way", async () => {
        const other = await upload(rig, Buffer.from("x"), { type, headers: { "Idempotency-Key": "k1" } });
        return other.json["code"] === "IDEMPOTENCY_CONFLICT";
      });
      expect(await repeat()).toBe(409);
      socket.destroy();
      await until("a repeat is taken", async () => (await repeat()) === 201);
    },
  );

  describe.each(["file", "document"])("a form whose file is named %s", (name) => {
    const start = `--edge\r\nContent-Disposition: form-data; name="${name}"; filename="i.png"\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(start), PNG]);
    const type = "multipart/form-data; boundary=edge";

    test("and that is cut in it harms nobody", async () => {
      const rig = await openHttpRig();
      const peers: Socket[] = [];
      rig.server.server.on("connection", (peer) => peers.push(peer));
      const socket = connect(rig.server.port, "127.0.0.1");
      const head = [
        ...["POST /api/media HTTP/1.1", "Host: x", `X-API-Key: ${rig.key}`, `Content-Type: ${type}`],
        ...[`Content-Length: ${body.length + 100}`],
      ];
      const sent = Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
      socket.write(sent);
      await until("the hub has read it", () => peers[0]?.bytesRead === sent.length);
      expect((await upload(rig, PNG)).status).toBe(201);
      socket.destroy();
      await until("the hub has seen the cut", () => peers[0]?.destroyed);
      expect((await upload(rig, PNG)).status).toBe(201);
    });

    test("and that comes whole without its end is refused", async () => {
      const rig = await openHttpRig();
      const { status, json } = await upload(rig, body, { type });
      expect([status, json["code"]]).toEqual([400, "VALIDATION_ERROR"]);
      expect((await upload(rig, PNG)).status).toBe(201);
    });
  });

  test("an uploaded file is sent by its mediaId", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { data } = await upload(rig, PNG);
    const sent = await rig.post("/api/messages/s1/send", {
      to: "34600111222",
      type: "image",
      message: { image: { mediaId: data["mediaId"] }, caption: "look" },
    });
    expect([sent.status, recordOf(sent.data["message"])["type"]]).toEqual([200, "image"]);
    expect(rig.link.sent[0]?.content).toMatchObject({ kind: "image", caption: "look" });
  });

  test("what is compressed, empty or a page to be run is not taken as it claims", async () => {
    const rig = await openHttpRig();
    expect((await upload(rig, PNG, { headers: { "Content-Encoding": "gzip" } })).status).toBe(415);
    expect((await upload(rig, Buffer.alloc(0))).status).toBe(422);
    const page = await upload(rig, Buffer.from("<html><script>alert(1)</script>"), {
      type: "text/html",
      query: "?filename=a.html",
    });
    expect(page.status).toBe(201);
    const back = await read(rig, `/api/media/${String(page.data["mediaId"])}`);
    expect(back.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(back.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
  });

  test("names from strangers cannot leave the folder or break a header", async () => {
    const rig = await openHttpRig();
    for (const name of [
      "../../etc/passwd",
      "a\r\nSet-Cookie: x=1",
      "\u202Egpj.exe",
      "CON",
      "x".repeat(255),
      "a\u0000b",
    ]) {
      const { status, data } = await upload(rig, PNG, { query: `?filename=${encodeURIComponent(name)}` });
      expect([name, status]).toEqual([name, 201]);
      const back = await read(rig, `/api/media/${String(data["mediaId"])}`);
      expect([name, back.status, back.headers.get("set-cookie")]).toEqual([name, 200, null]);
      expect(String(data["filename"])).not.toMatch(/[/\\\0\r\n]/);
    }
  });
});

describe("downloads", () => {
  test("parts are given by Range", async () => {
    const rig = await openHttpRig();
    const { data } = await upload(rig, PNG);
    const path = `/api/media/${String(data["mediaId"])}`;
    const part = await read(rig, path, { Range: "bytes=1-3" });
    expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([
      206,
      "PNG",
      `bytes 1-3/${PNG.length}`,
    ]);
    expect((await read(rig, path, { Range: "bytes=999999-" })).status).toBe(400);
    expect(
      (await read(rig, path, { "If-None-Match": "*", "If-Modified-Since": new Date().toUTCString() })).status,
    ).toBe(200);
  });

  test("a message's file is fetched from WhatsApp once, by a fresh URL that works without a key for an hour", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const media = aMedia({ filename: "i.png", mimetype: "image/png", filesize: PNG.length });
    rig.link.media.set("3A1", () => Readable.from([PNG]));
    await rig.tell("s1", aMessageFact({ id: "3A1", type: "image", media }));
    const fresh = await rig.get("/api/messages/s1/3A1/media");
    expect(fresh.status).toBe(200);
    expect(fresh.data).toMatchObject({ filename: "i.png", mimetype: "image/png", filesize: PNG.length });
    expect(fresh.data["media_url"]).toBe(fresh.data["url"]);
    expect(String(fresh.data["url"]).length).toBeLessThanOrEqual(140);
    const url = String(fresh.data["url"]).replace("http://hub.example", rig.url);
    const bytes = await fetch(url);
    expect(Buffer.from(await bytes.arrayBuffer()).equals(PNG)).toBe(true);
    rig.clock.advance(minutes(61));
    const late = await fetch(url);
    expect([late.status, recordOf(JSON.parse(await late.text()))["code"]]).toEqual([404, "MEDIA_NOT_FOUND"]);
    expect(rig.link.asked.download).toBe(1);
    expect((await rig.get("/api/messages/s1/3AUNKNOWN/media")).json["code"]).toBe("MESSAGE_NOT_FOUND");
  });

  test("a list that is read long after its messages came has URLs that work, until a week later", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const media = aMedia({ filename: "i.png", mimetype: "image/png", filesize: PNG.length });
    rig.link.media.set("3A1", () => Readable.from([PNG]));
    await rig.tell("s1", aMessageFact({ id: "3A1", type: "image", media }));
    const urlIn = async (path: string): Promise<string> => {
      const [message] = listIn((await rig.get(path)).data, "messages");
      return String(recordOf(message?.["media"])["url"]).replace("http://hub.example", rig.url);
    };
    const first = await urlIn("/api/messages/s1");
    rig.clock.advance(hours(8 * 24));
    expect((await fetch(first)).status).toBe(404);
    for (const path of ["/api/messages/s1", "/api/messages/s1/34600111222"]) {
      expect((await fetch(await urlIn(path))).status).toBe(200);
      rig.clock.advance(hours(8 * 24));
    }
  });

  test("a file of a session the key does not see is not there, nor is a wrong token", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const item = aMediaItem({ sessionId: "s1" });
    await rig.store.media.add(item);
    const limited = await rig.makeKey({ sessions: ["mine"] });
    for (const method of ["GET", "DELETE"]) {
      const foreign = await rig.call(method, `/api/media/${item.mediaId}`, { key: limited });
      const unknown = await rig.call(method, `/api/media/med_${"Z".repeat(26)}`, { key: limited });
      expect([foreign.status, foreign.json["error"]]).toEqual([404, unknown.json["error"]]);
    }
    expect(await rig.store.media.get(item.mediaId)).not.toBeNull();
    expect((await fetch(`${rig.url}/m/${"A".repeat(22)}`)).status).toBe(404);
    expect((await fetch(`${rig.url}/m/short`)).status).toBe(400);
  });

  test("a deleted file is gone", async () => {
    const rig = await openHttpRig();
    const { data } = await upload(rig, PNG);
    const path = `/api/media/${String(data["mediaId"])}`;
    expect((await rig.call("DELETE", path)).data).toEqual({ deleted: true });
    expect((await rig.get(path)).status).toBe(404);
  });
});
