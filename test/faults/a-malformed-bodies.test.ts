/** A1, A4: bodies that are no JSON, or JSON made to hurt. Refused by name, nothing of the inside shown, nobody held up. */
import { describe, expect, test } from "vitest";
import { gzipSync } from "node:zlib";
import { faultOfJson } from "../../hub/http/json-shape.ts";
import { openHttpRig, recordOf, type HttpRig } from "../support/http-rig.ts";

const INSIDE = /node_modules|\.ts\b|\n\s+at |SyntaxError|position \d|Unexpected token|SQLITE/;

async function create(rig: HttpRig, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const response = await fetch(`${rig.url}/api/sessions`, {
    method: "POST",
    headers: { "X-API-Key": rig.key, "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : new Uint8Array(body),
  });
  const text = await response.text();
  expect(text).not.toMatch(INSIDE);
  expect(response.headers.get("x-request-id")).toMatch(/^req_/);
  const json = recordOf(JSON.parse(text));
  return { status: response.status, code: json["code"], json };
}

describe("A1", () => {
  test("malformed JSON, wrong types, byte order marks and double members are 400, and change nothing", async () => {
    const rig = await openHttpRig();
    const bodies = [
      '{"sessionId":"s1"',
      "{sessionId:1}",
      "null",
      "[]",
      '"s1"',
      "7",
      '{"sessionId":"s1"}x',
      '\uFEFF{"sessionId":"s1"}',
      '{"sessionId":"s1","sessionId":"s2"}',
      '{"sessionId":"s1","session\\u0049d":"s2"}',
      '{"sessionId":["s1"]}',
      '{"sessionId":"s1","settings":"none"}',
      "undefined",
    ];
    for (const body of bodies) {
      const { status, code, json } = await create(rig, body);
      expect([body, status, code]).toEqual([body, 400, "VALIDATION_ERROR"]);
      expect(json["error"]).toBe(json["message"]);
    }
    expect(await rig.store.sessions.list()).toEqual([]);
  });

  test("bytes that are no UTF-8 are refused, not repaired", async () => {
    const rig = await openHttpRig();
    const broken = Buffer.concat([
      Buffer.from('{"sessionId":"s1","sessionName":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ]);
    expect(await create(rig, broken)).toMatchObject({ status: 400, code: "VALIDATION_ERROR" });
  });

  test("other types and charsets are named; none at all is read as JSON", async () => {
    const rig = await openHttpRig();
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json; charset=utf-16",
      "multipart/form-data; boundary=x",
    ])
      expect([type, (await create(rig, '{"sessionId":"s1"}', { "Content-Type": type })).code]).toEqual([
        type,
        "UNSUPPORTED_MEDIA_TYPE",
      ]);
    expect((await create(rig, '{"sessionId":"s1"}', { "Content-Encoding": "zstd" })).status).toBe(415);
    const none = await fetch(`${rig.url}/api/sessions`, {
      method: "POST",
      headers: { "X-API-Key": rig.key },
      body: new Uint8Array(Buffer.from('{"sessionId":"s1"}')),
    });
    expect(none.status).toBe(201);
  });

  test("compressed bodies are read, damaged ones are 400", async () => {
    const rig = await openHttpRig();
    const packed = gzipSync('{"sessionId":"s1"}');
    expect((await create(rig, packed, { "Content-Encoding": "gzip" })).status).toBe(201);
    expect((await create(rig, packed.subarray(0, 20), { "Content-Encoding": "gzip" })).status).toBe(400);
    expect((await create(rig, "not gzip", { "Content-Encoding": "gzip" })).status).toBe(400);
  });
});

describe("A4", () => {
  test("depth, members, endless numbers and prototypes are refused or ignored without holding anybody up", async () => {
    const rig = await openHttpRig();
    const many = `{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":1`).join(",")}}`;
    const bombs: [string, number][] = [
      [`{"sessionId":"s1","settings":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 400],
      [`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`, 413],
      [many.slice(0, 200_000), 400],
      ['{"sessionId":1e400}', 400],
      ['{"sessionId":"s1","settings":{"historyDays":1e400}}', 400],
      ['{"sessionId":"proto","__proto__":{"polluted":true}}', 201],
      ['{"sessionId":"proto2","settings":{"__proto__":{"polluted":true}}}', 201],
      ['{"sessionId":"proto3","constructor":{"prototype":{"polluted":true}}}', 201],
    ];
    for (const [body, status] of bombs)
      expect([body.slice(0, 60), (await create(rig, body)).status]).toEqual([body.slice(0, 60), status]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    const [first] = await rig.store.sessions.list();
    expect(Object.keys(first ?? {})).not.toContain("polluted");
  });

  test("a hundred thousand members in a body that may be big are refused, and judged within 50 ms", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const many = `{"to":"34600111222","type":"text","message":{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":1`).join(",")}}}`;
    expect((await rig.call("POST", "/api/messages/s1/send", { body: many })).status).toBe(400);
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      expect(faultOfJson(many, { depth: 32, members: 10_000 })).toBe("has too many members");
      return performance.now() - start;
    });
    // The best of five: other tests share this machine.
    expect(Math.min(...times)).toBeLessThan(50);
  });
});
