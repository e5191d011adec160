/** A2, A6: too much, endless, or lying. Cut early, answered when possible, and memory stays flat. */
import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { openHttpRig, rawCall, type HttpRig } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

const MB = 1024 * 1024;
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

const post = (rig: HttpRig, path: string, body: Buffer, headers: Record<string, string> = {}) =>
  fetch(rig.url + path, {
    method: "POST",
    headers: { "X-API-Key": rig.key, "Content-Type": "application/json", ...headers },
    body: new Uint8Array(body),
  });

const head = (rig: HttpRig, lines: string[], path = "/api/sessions") =>
  [
    `POST ${path} HTTP/1.1`,
    "Host: hub",
    `X-API-Key: ${rig.key}`,
    "Content-Type: application/json",
    ...lines,
    "",
    "",
  ].join("\r\n");

describe("A2", () => {
  test("a body of 1 MB is 413 where 256 KiB are allowed, and fine where a file may be inside", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const big = Buffer.from(JSON.stringify({ sessionId: "s1", padding: "x".repeat(MB) }));
    const refused = await post(rig, "/api/sessions", big);
    expect([refused.status, await refused.text()]).toMatchObject([
      413,
      expect.stringContaining("PAYLOAD_TOO_LARGE"),
    ]);
    const text = Buffer.from(
      JSON.stringify({ to: "34600111222", type: "text", message: "hola", padding: "x".repeat(MB) }),
    );
    expect((await post(rig, "/api/messages/s1/send", text)).status).toBe(200);
  });

  test("bombs of every compression stop at the limit", async () => {
    const rig = await openHttpRig();
    const zeros = Buffer.alloc(200 * MB);
    const bombs = { gzip: gzipSync(zeros), deflate: deflateSync(zeros), br: brotliCompressSync(zeros, FAST) };
    const before = process.memoryUsage().rss;
    for (const [encoding, bomb] of Object.entries(bombs)) {
      for (let n = 0; n < 5; n++) {
        const answer = await post(rig, "/api/sessions", bomb, { "Content-Encoding": encoding });
        expect([encoding, answer.status]).toEqual([encoding, 413]);
        await answer.arrayBuffer();
      }
    }
    expect((process.memoryUsage().rss - before) / MB).toBeLessThan(60);
  }, 60_000);

  test("chunks without an end are cut off after the limit", async () => {
    const rig = await openHttpRig();
    const socket = connect(rig.server.port, "127.0.0.1");
    let answer = "";
    let isClosed = false;
    socket.on("data", (chunk) => (answer += chunk.toString()));
    socket.on("error", () => undefined); // being cut off is what is waited for
    socket.on("close", () => (isClosed = true));
    socket.write(head(rig, ["Transfer-Encoding: chunked"]));
    const chunk = Buffer.concat([Buffer.from("4000\r\n"), Buffer.alloc(0x4000, 0x20), Buffer.from("\r\n")]);
    const pump = (): void => {
      while (!isClosed && socket.writableLength < MB) socket.write(chunk);
    };
    socket.on("drain", pump);
    pump();
    await until("the answer came", () => answer.includes("413 Payload Too Large"));
    await until("the connection was cut", () => isClosed);
    expect(answer).toContain("PAYLOAD_TOO_LARGE");
    expect((await rig.get("/health")).status).toBe(200);
  });

  test("lengths that lie harm nobody", async () => {
    const rig = await openHttpRig();
    const body = '{"sessionId":"s1"}';
    const short = await rawCall(rig, [head(rig, [`Content-Length: ${body.length + 50}`]), body]);
    expect(short).not.toContain("201 Created");
    const announced = await rawCall(rig, [head(rig, ["Content-Length: 999999999999"]), body]);
    expect(announced).toContain("413 Payload Too Large");
    const garbage = await rawCall(rig, [head(rig, ["Content-Length: -5"]), body]);
    expect(garbage).toContain("400 Bad Request");
    const long = await rawCall(rig, [
      head(rig, [`Content-Length: ${body.length}`]),
      body,
      "GET /trailing garbage",
    ]);
    // The garbage may be read before the answer is written: either way one well-formed answer, and one session at most.
    expect(long).toMatch(/^HTTP\/1\.1 (201|400) /);
    expect((await rig.store.sessions.list()).length).toBeLessThanOrEqual(1);
    expect((await rig.get("/health")).status).toBe(200);
  });
});

describe("A6", () => {
  test("two ways of saying how long a body is are one too many", async () => {
    const rig = await openHttpRig();
    const smuggled = await rawCall(rig, [
      head(rig, ["Content-Length: 4", "Transfer-Encoding: chunked"]),
      '12\r\n{"sessionId":"s1"}\r\n0\r\n\r\nDELETE /api/sessions/s1 HTTP/1.1\r\nHost: hub\r\n\r\n',
    ]);
    expect(smuggled).toMatch(/^HTTP\/1\.1 400/);
    const twice = await rawCall(rig, [head(rig, ["Content-Length: 5", "Content-Length: 6"]), "{}"]);
    expect(twice).toMatch(/^HTTP\/1\.1 400/);
    expect(await rig.store.sessions.list()).toEqual([]);
  });

  test("broken lines, missing hosts and headers of 20 KB are refused in the contract's shape", async () => {
    const rig = await openHttpRig();
    const wide = await rawCall(rig, [head(rig, [`X-Long: ${"x".repeat(20_000)}`])]);
    expect(wide).toMatch(/^HTTP\/1\.1 431 /);
    expect(wide).toContain('"success":false');
    expect(wide).toMatch(/X-Request-Id: req_/);
    for (const request of [
      "GET / HTTP/1.1\r\n\r\n",
      "NONSENSE\r\n\r\n",
      "GET /health HTTP/1.1\r\nHost: hub\r\nX-A: a\nX-B\r\n\r\n",
      "GET /health\u0000 HTTP/1.1\r\nHost: hub\r\n\r\n",
    ]) {
      const answer = await rawCall(rig, [request]);
      expect([request, /^HTTP\/1\.1 400/.test(answer)]).toEqual([request, true]);
    }
  });

  test("what a caller writes never becomes a header of the answer", async () => {
    const rig = await openHttpRig();
    const answer = await rawCall(rig, [
      `GET /api/sessions/s1%0d%0aX-Injected:%201/status HTTP/1.1\r\nHost: hub\r\nX-API-Key: ${rig.key}\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n`,
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect(answer).not.toMatch(/^X-Injected/m);
    expect(answer).not.toContain("X-Request-Id: mine");
  });
});
