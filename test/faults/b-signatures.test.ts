/** B5, B6, B7: who may tell the bridge something, and when. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { eventBody } from "../../hub/contract/index.ts";
import { aMessage, T0 } from "../support/builders.ts";
import { minutes } from "../support/fixed-clock.ts";
import { openReceiverRig, SECRET, signedHeaders, toldOf, type ReceiverRig } from "../support/receiver-rig.ts";

const OTHER = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const seconds = Math.floor(T0.getTime() / 1000);
const event = toldOf({ kind: "stored", message: aMessage({ id: "3A01" }) }, 1);
const body = eventBody(event);

/** Written from the published rules, not with the hub's own code. */
function entry({
  id = event.id,
  timestamp = String(seconds),
  bytes = body,
  secret = SECRET,
  hash = "sha256",
  encoding = "base64",
}: {
  id?: string;
  timestamp?: string;
  bytes?: string;
  secret?: string;
  hash?: string;
  encoding?: "base64" | "base64url" | "hex";
} = {}): string {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
  return createHmac(hash, key).update(`${id}.${timestamp}.${bytes}`).digest(encoding);
}

interface Variant {
  "webhook-id"?: string;
  "webhook-timestamp"?: string;
  "webhook-signature"?: string;
  body?: string;
}

const right = (change: Partial<Variant> = {}): Variant => ({
  "webhook-id": event.id,
  "webhook-timestamp": String(seconds),
  "webhook-signature": `v1,${entry()}`,
  ...change,
});
const without = (name: keyof Variant): Variant =>
  Object.fromEntries(Object.entries(right()).filter(([member]) => member !== name));
const at = (timestamp: string, signed = timestamp): Variant =>
  right({ "webhook-timestamp": timestamp, "webhook-signature": `v1,${entry({ timestamp: signed })}` });
const withSignature = (text: string): Variant => right({ "webhook-signature": text });
const withBody = (bytes: string): Variant => right({ body: bytes });

const reserialised = JSON.stringify(JSON.parse(body), null, 1);
const reordered = JSON.stringify(Object.fromEntries(Object.entries(event).reverse()));

const REFUSED: [string, Variant][] = [
  ["no headers at all", {}],
  ["no id", without("webhook-id")],
  ["no timestamp", without("webhook-timestamp")],
  ["no signature", without("webhook-signature")],
  ["an empty id", right({ "webhook-id": "" })],
  ["an empty timestamp", right({ "webhook-timestamp": "" })],
  ["an empty signature", withSignature("")],
  ["the secret of somebody else", withSignature(`v1,${entry({ secret: OTHER })}`)],
  ["the secret as its own text", withSignature(`v1,${entry({ secret: SECRET.slice(6) })}`)],
  ["another hash", withSignature(`v1,${entry({ hash: "sha512" })}`)],
  ["hex instead of base64", withSignature(`v1,${entry({ encoding: "hex" })}`)],
  ["base64 for URLs", withSignature(`v1,${entry({ encoding: "base64url" })}`)],
  ["no version", withSignature(entry())],
  ["a version that is none of ours", withSignature(`v1a,${entry()}`)],
  ["an older version", withSignature(`v0,${entry()}`)],
  ["a capital version", withSignature(`V1,${entry()}`)],
  ["a colon after the version", withSignature(`v1:${entry()}`)],
  ["a letter more", withSignature(`v1,${entry()}A`)],
  ["a letter less", withSignature(`v1,${entry().slice(0, -1)}`)],
  ["a padding less", withSignature(`v1,${entry().replace(/=+$/, "")}`)],
  ["one bit changed", withSignature(`v1,${flipped(entry())}`)],
  ["the parts signed without points", withSignature(`v1,${signedAs(event.id + String(seconds) + body)}`)],
  ["only the body signed", withSignature(`v1,${signedAs(body)}`)],
  ["body and timestamp signed", withSignature(`v1,${signedAs(`${seconds}.${body}`)}`)],
  ["entries joined by commas", withSignature(`v1,${entry({ secret: OTHER })},v1,${entry()}`)],
  ["nine signatures, the last one right", withSignature([...wrongs(8), `v1,${entry()}`].join(" "))],
  ["a hundred signatures, the last one right", withSignature([...wrongs(99), `v1,${entry()}`].join(" "))],
  ["a signature of 5 KB", withSignature(`v1,${entry()} ${"x".repeat(5000)}`)],
  ["a swapped id", right({ "webhook-id": "evt_00000000000000000000000002" })],
  ["an id with a point that moves the parts", right({ "webhook-id": `${event.id}.${seconds}` })],
  ["301 s old", at(String(seconds - 301))],
  ["301 s ahead", at(String(seconds + 301))],
  ["old, with a timestamp made new", at(String(seconds), String(seconds - 400))],
  ["a timestamp in milliseconds", at(String(seconds * 1000))],
  ["garbage after the timestamp", at(`${seconds}x`)],
  ["a fraction after the timestamp", at(`${seconds}.0`)],
  ["a sign before the timestamp", at(`+${seconds}`)],
  ["a timestamp as a date", at(T0.toISOString())],
  ["a changed byte", withBody(body.replace("hola", "holb"))],
  ["a byte more", withBody(`${body} `)],
  ["the same JSON written anew", withBody(reserialised)],
  ["the same JSON in another order", withBody(reordered)],
];

const send = (rig: ReceiverRig, { body: bytes = body, ...headers }: Variant) =>
  rig.postRaw(bytes, { ...headers });

function signedAs(content: string): string {
  return createHmac("sha256", Buffer.from(SECRET.slice(6), "base64"))
    .update(content)
    .digest("base64");
}
function flipped(text: string): string {
  return (text.startsWith("A") ? "B" : "A") + text.slice(1);
}
function wrongs(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `v1,${entry({ id: `x${n}` })}`);
}

describe("B5: a signature", () => {
  test("there are forty wrong ones and more", () => {
    expect(REFUSED.length).toBeGreaterThanOrEqual(40);
    expect(new Set(REFUSED.map(([name]) => name)).size).toBe(REFUSED.length);
  });

  test.each(REFUSED)("with %s is refused, and nothing is written", async (_what, variant) => {
    const rig = await openReceiverRig();
    const { status, body: answer } = await send(rig, variant);
    expect(status).toBe(401);
    expect(answer["success"]).toBe(false);
    expect(answer["error"]).toMatch(/^Invalid signature/);
    expect(await rig.records("WhatsApp Message")).toEqual([]);
  });

  test.each<[string, Variant]>([
    ["right", right()],
    ["one of eight", withSignature([...wrongs(7), `v1,${entry()}`].join(" "))],
    ["beside versions we do not know", withSignature(`v2,xyz v1,${entry()} v1a,abc`)],
    ["300 s old", at(String(seconds - 300))],
    ["300 s ahead", at(String(seconds + 300))],
  ])("that is %s is taken", async (_what, variant) => {
    expect((await send(await openReceiverRig(), variant)).status).toBe(200);
  });

  test("over an id or a time that is there twice has no one meaning, and is refused", async () => {
    const rig = await openReceiverRig();
    const headers = Object.entries(right()).map(([name, value]): [string, string] => [name, String(value)]);
    for (const name of ["webhook-id", "webhook-timestamp"]) {
      const doubled = new Headers(headers);
      doubled.append(name, doubled.get(name) ?? "");
      const answer = await fetch(rig.url, { method: "POST", headers: doubled, body });
      expect([name, answer.status]).toEqual([name, 401]);
    }
  });

  test("is worth nothing where no secret is set", async () => {
    const rig = await openReceiverRig({ secrets: () => [], acceptLegacy: true });
    expect((await send(rig, right())).status).toBe(401);
    expect((await send(rig, withSignature(`v1,${entry({ secret: "" })}`))).status).toBe(401);
  });
});

test("B6: a rotation: the old secret, both, the new one are taken; afterwards the old one is refused", async () => {
  let accepted = [SECRET];
  const rig = await openReceiverRig({ secrets: () => accepted });
  const next = (seq: number, secrets: string[]) => {
    const told = toldOf({ kind: "stored", message: aMessage() }, seq);
    const bytes = eventBody(told);
    return rig.postRaw(bytes, signedHeaders(bytes, { id: told.id, now: rig.clock.now(), secrets }));
  };
  expect((await next(1, [SECRET])).status).toBe(200);
  // The CRM learns the new one first, then the hub signs with both, then with the new one alone.
  accepted = [OTHER, SECRET];
  expect((await next(2, [SECRET])).status).toBe(200);
  expect((await next(3, [OTHER, SECRET])).status).toBe(200);
  expect((await next(4, [OTHER])).status).toBe(200);
  accepted = [OTHER];
  rig.clock.advance(minutes(24 * 60));
  expect((await next(5, [SECRET])).status).toBe(401);
  expect((await next(6, [OTHER, SECRET])).status).toBe(200);
});

describe("B7: a clock six minutes off", () => {
  test.each([
    ["ahead", 6, /^Invalid signature.* 360 s behind this clock/],
    ["behind", -6, /^Invalid signature.* 360 s ahead of this clock/],
  ])(
    "b7 the CRM's clock %s: 401 says by how much, and its date lets the hub warn",
    async (_what, off, hint) => {
      const rig = await openReceiverRig();
      rig.clock.advance(minutes(off));
      const response = await fetch(rig.url, {
        method: "POST",
        headers: { ...right() } as Record<string, string>,
        body,
      });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({
        success: false,
        error: expect.stringMatching(hint) as string,
      });
      expect(Date.parse(response.headers.get("date") ?? "")).not.toBeNaN();
      rig.clock.set(T0);
      expect((await send(rig, right())).status).toBe(200);
    },
  );
});
