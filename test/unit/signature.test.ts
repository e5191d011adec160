import { describe, expect, test } from "vitest";
import {
  DEFAULT_SIGNATURE_HEADER,
  makeSecret,
  presetHeaders,
  secretProblem,
  sign,
  signBody,
  verify,
  type Preset,
} from "../../hub/contract/signature.ts";

const id = "evt_01JZZZZZZZZZZZZZZZZZZZZZZZ";
const timestamp = 1760000000;
const body =
  '{"type":"message.received","timestamp":"2025-10-09T08:53:20Z","data":{"text":"Ça va 😀","n":1}}';
const A = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const B = "legacy-secret-Ünïcode";
const now = new Date(timestamp * 1000);

const preset = (name: Preset, secret: string, signatureHeaderName: string | null = null) =>
  presetHeaders(name, { secret, body, requestId: "r-1", signatureHeaderName });

describe("published test vectors", () => {
  test.each([
    {
      secret: A,
      standard: "v1,qFYYsAa4y6OYeEy/ATTsZziC0OY1p0MEjM3RYQTMq9c=",
      hex: "0cd2a075560b0fa9a9d3430fd405a09b568193ac91c1e51059f716c8d8f3e63c",
      sha512:
        "3a9fe07b2034086e41f8b3bdc1cbc15b5990cbf21e0f5e6e3305967eb2989cbb97d3a4f35d288f7b17cdaa1edfcf38e4888e523a2984a679d8a01f41d3be530f",
      frappe: "DNKgdVYLD6mp00MP1AWgm1aBk6yRweUQWfcWyNjz5jw=",
    },
    {
      secret: B,
      standard: "v1,9AkLUtP9CjANy3cr0+Oc44YfQc3DR8iPXME1B9Ijj5w=",
      hex: "82a422df708291e58f817aca22bf2454966d0b287f61943692f3aa865d2f82fc",
      sha512:
        "441440e714e6767f0ce44562493f7dcc3163bdb3d79486530baead53cf94b1377fe80cda7ecac9ae92554abde9cbbc736f278b2ef05b67443d406c2d7518a2f0",
      frappe: "gqQi33CCkeWPgXrKIr8kVJZtCyh/YZQ2kvOqhl0vgvw=",
    },
  ])("with $secret", ({ secret, standard, hex, sha512, frappe }) => {
    expect(Buffer.byteLength(body)).toBe(98);
    expect(sign([secret], { id, timestamp, body })).toBe(standard);
    expect(sign([secret], { id, timestamp, body: Buffer.from(body) })).toBe(standard);
    expect(signBody(secret, body)).toBe(`sha256=${hex}`);
    expect(preset("hub256", secret)).toEqual({ "X-Hub-Signature-256": `sha256=${hex}` });
    expect(preset("waha", secret)).toEqual({
      "X-Webhook-Hmac": sha512,
      "X-Webhook-Hmac-Algorithm": "sha512",
      "X-Webhook-Request-Id": "r-1",
    });
    expect(preset("frappe", secret)).toEqual({ "X-Frappe-Webhook-Signature": frappe });
    expect(preset("spatie", secret)).toEqual({ [DEFAULT_SIGNATURE_HEADER]: hex });
    expect(preset("spatie", secret, "X-Signed")).toEqual({ "X-Signed": hex });
  });

  test("over the golden body of a status", () => {
    const delivered =
      '{"id":"evt_01JZZZZZZZZZZZZZZZZZZZZZZA","seq":4211,"event":"message.delivered","sessionId":"s1","timestamp":"2025-11-07T12:22:03.120Z","data":{"sessionId":"s1","session_db_id":12,"messageId":"3EB0A1B2C3D4E5F60718","status":"delivered","chatId":"34600111222@c.us","ack":2,"deliveredAt":1762518123}}';
    expect(Buffer.byteLength(delivered)).toBe(296);
    const signable = { id: "evt_01JZZZZZZZZZZZZZZZZZZZZZZA", timestamp: 1762518123, body: delivered };
    expect(sign([A], signable)).toBe("v1,nIs+C3O7mE47B2CWDxeHO5gIkGhTjYe30XR4Rd0TFYk=");
    expect(signBody(A, delivered)).toBe(
      "sha256=3fd7b05cdf33e8c07c33cb44c1e8ed28ce18737f86c2d5442c0cc1c9941043ea",
    );
  });
});

describe("secrets", () => {
  test("made by the hub carry 32 random bytes and can be used", () => {
    const secret = makeSecret();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(secret.slice(6), "base64")).toHaveLength(32);
    expect(makeSecret()).not.toBe(secret);
    expect(secretProblem(secret)).toBeNull();
  });

  test("have 16 to 140 characters, and proper base64 after whsec_", () => {
    expect(secretProblem("x".repeat(15))).toContain("16 to 140");
    expect(secretProblem("x".repeat(16))).toBeNull();
    expect(secretProblem("x".repeat(140))).toBeNull();
    expect(secretProblem("x".repeat(141))).toContain("16 to 140");
    expect(secretProblem("whsec_not-base64!!")).toContain("base64");
  });
});

describe("verify", () => {
  const headersOf = (secrets: string[], change: Record<string, string> = {}) => ({
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": sign(secrets, { id, timestamp, body }),
    ...change,
  });
  const check = (
    headers: Record<string, string | string[] | undefined>,
    secrets = [A],
    given: string | Uint8Array = body,
    at = now,
  ) => verify({ headers, body: given, secrets, now: at });

  test("accepts the raw bytes, and during a rotation either secret on either side", () => {
    expect(check(headersOf([A]))).toEqual({ ok: true, id, timestamp });
    expect(check(headersOf([A]), [A], Buffer.from(body)).ok).toBe(true);
    expect(check(headersOf([B, A])).ok).toBe(true);
    expect(check(headersOf([A]), [B, A]).ok).toBe(true);
    expect(headersOf([B, A])["webhook-signature"].split(" ")).toHaveLength(2);
  });

  test.each([
    ["another secret", headersOf([B]), "mismatch"],
    ["another id", headersOf([A], { "webhook-id": "evt_other" }), "mismatch"],
    ["another time", headersOf([A], { "webhook-timestamp": String(timestamp + 1) }), "mismatch"],
    ["garbage after the time", headersOf([A], { "webhook-timestamp": `${timestamp}x` }), "malformed"],
    ["no version", headersOf([A], { "webhook-signature": "qFYYsAa4y6O=" }), "malformed"],
    ["nine signatures", headersOf([A], { "webhook-signature": "v1,a ".repeat(9).trim() }), "malformed"],
    ["an endless header", headersOf([A], { "webhook-signature": `v1,${"a".repeat(5000)}` }), "malformed"],
    ["no signature", headersOf([A], {}), "missing"],
    ["an id sent twice", { ...headersOf([A]), "webhook-id": [id, id] }, "malformed"],
  ])("refuses %s", (what, headers, reason) => {
    const sent = what === "no signature" ? { ...headers, "webhook-signature": undefined } : headers;
    expect(check(sent)).toMatchObject({ ok: false, reason });
  });

  test("refuses a changed byte and JSON written anew", () => {
    expect(check(headersOf([A]), [A], body.replace("Ça", "Ca"))).toMatchObject({ reason: "mismatch" });
    const rewritten = JSON.stringify(JSON.parse(body), null, 1);
    expect(check(headersOf([A]), [A], rewritten)).toMatchObject({ reason: "mismatch" });
  });

  test("refuses what is older or newer than five minutes and tells the difference", () => {
    const at = (seconds: number): Date => new Date((timestamp + seconds) * 1000);
    expect(check(headersOf([A]), [A], body, at(300)).ok).toBe(true);
    expect(check(headersOf([A]), [A], body, at(301))).toEqual({
      ok: false,
      reason: "expired",
      skewSeconds: 301,
    });
    expect(check(headersOf([A]), [A], body, at(-360))).toMatchObject({
      reason: "expired",
      skewSeconds: -360,
    });
  });
});
