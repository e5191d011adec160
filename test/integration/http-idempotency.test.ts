/** One order, one message: however often it is repeated, and however the first answer was lost. */
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { defaultKeySettings } from "../../hub/core/api-key.ts";
import { HubError } from "../../hub/core/errors.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { openHttpRig, recordOf, type HttpRig } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

const hola = { to: "34600111222", type: "text", message: "hola" };
const keyed = (key: string) => ({ headers: { "Idempotency-Key": key } });
const send = (rig: HttpRig, body: object = hola, options = {}) =>
  rig.post("/api/messages/s1/send", body, options);

/** Holds every send until the function returned is called. */
function holdSends(rig: HttpRig): () => void {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  rig.link.onSend = () => held;
  return release;
}

const connections = (rig: HttpRig): Promise<number> =>
  new Promise((resolve) => rig.server.server.getConnections((_error, count) => resolve(count)));

/** Sends and hangs up before the answer is there. */
async function sendAndHangUp(rig: HttpRig): Promise<void> {
  const body = JSON.stringify(hola);
  const call = request(`${rig.url}/api/messages/s1/send`, {
    method: "POST",
    headers: {
      "X-API-Key": rig.key,
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
    },
  });
  call.on("error", () => undefined); // that it ends early is the point
  const release = holdSends(rig);
  call.end(body);
  await until("the first send is on its way", async () => (await rig.store.sends.waiting("s1")).length === 1);
  call.destroy();
  await until("the hub noticed", async () => (await connections(rig)) === 0);
  release();
  await until("it left", () => rig.link.sent.length === 1);
}

describe("with an Idempotency-Key", () => {
  test("a repeat gets the same answer, byte for byte, and says that it is one", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const first = await send(rig, hola, keyed("order-1"));
    const again = await send(rig, hola, keyed("order-1"));
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(rig.link.sent).toHaveLength(1);
    expect(rig.link.sent[0]?.messageId).toBe(first.data["messageId"]);
  });

  test("a key may be any printable text of at most 128 characters, spaces included", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const first = await send(rig, hola, keyed("order 7 / line ~2"));
    const again = await send(rig, hola, keyed("order 7 / line ~2"));
    expect([first.status, again.headers.get("idempotent-replayed")]).toEqual([200, "true"]);
    for (const key of ["ñ", "x".repeat(129)])
      expect([key.length, (await send(rig, hola, keyed(key))).status]).toEqual([key.length, 400]);
    expect(rig.link.sent).toHaveLength(1);
  });

  test("the session's number and its name are the same place; another body is a conflict", async () => {
    const rig = await openHttpRig();
    const { id } = await rig.session("s1");
    const first = await send(rig, hola, keyed("order-1"));
    const byNumber = await rig.post(`/api/messages/${id}/send`, hola, keyed("order-1"));
    expect(byNumber.text).toBe(first.text);
    const other = await send(rig, { ...hola, message: "adiós" }, keyed("order-1"));
    expect([other.status, other.json["code"]]).toEqual([409, "IDEMPOTENCY_CONFLICT"]);
    expect(rig.link.sent).toHaveLength(1);
  });

  test("two keys of the API do not share, and a key of another length is refused", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const other = await rig.makeKey({});
    await send(rig, hola, keyed("order-1"));
    await send(rig, hola, { ...keyed("order-1"), key: other });
    expect(rig.link.sent).toHaveLength(2);
    const long = await send(rig, hola, keyed("x".repeat(129)));
    expect([long.status, long.json["code"]]).toEqual([400, "VALIDATION_ERROR"]);
  });

  test("two different keys are never merged", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await Promise.all([send(rig, hola, keyed("a")), send(rig, hola, keyed("b"))]);
    expect(rig.link.sent).toHaveLength(2);
  });

  test("works for everything that changes something", async () => {
    const rig = await openHttpRig();
    const options = { body: { sessionId: "s9" }, headers: { "Idempotency-Key": "make" } };
    const made = await rig.call("POST", "/api/sessions", options);
    const again = await rig.call("POST", "/api/sessions", options);
    expect([made.status, again.status, again.text]).toEqual([201, 201, made.text]);
    const key = await rig.post("/api/keys", { name: "x", scopes: ["read"], sessions: "*" }, keyed("key-1"));
    const sameKey = await rig.post(
      "/api/keys",
      { name: "x", scopes: ["read"], sessions: "*" },
      keyed("key-1"),
    );
    expect(sameKey.text).toBe(key.text);
    expect((await rig.store.keys.list()).filter(({ name }) => name === "x")).toHaveLength(1);
  });

  test("a refusal before anything was done is not kept: the same order may succeed later", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    rig.link.goesAway();
    expect((await send(rig, hola, keyed("order-1"))).status).toBe(409);
    rig.link.comesBack();
    expect((await send(rig, hola, keyed("order-1"))).status).toBe(200);
  });

  test("a refusal by WhatsApp is kept like any other answer", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    rig.link.word = { code: "479" };
    const first = await send(rig, hola, keyed("order-1"));
    const again = await send(rig, hola, keyed("order-1"));
    expect([first.status, again.status, again.json["code"]]).toEqual([422, 422, "WHATSAPP_ERROR"]);
    expect(rig.link.sent).toHaveLength(1);
  });

  test("is forgotten after a day", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await send(rig, hola, keyed("order-1"));
    rig.clock.advance(minutes(24 * 60 + 1));
    expect((await send(rig, { ...hola, message: "new day" }, keyed("order-1"))).status).toBe(200);
  });
});

describe("without a key", () => {
  test("the same send while the first still runs is merged with it, however the number is written", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const release = holdSends(rig);
    const both = [send(rig), send(rig, { ...hola, to: "+34 600 111 222" })];
    await until("the first is on its way", async () => (await rig.store.sends.waiting("s1")).length === 1);
    release();
    const [first, second] = await Promise.all(both);
    expect(second?.data["messageId"]).toBe(first?.data["messageId"]);
    expect(rig.link.sent).toHaveLength(1);
  });

  test("people do write ok twice: a repeat after the answer arrived is a new message", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const first = await send(rig);
    const second = await send(rig);
    expect(second.data["messageId"]).not.toBe(first.data["messageId"]);
    expect(rig.link.sent).toHaveLength(2);
  });

  test("equal sends in parallel go out once and get one answer", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const release = holdSends(rig);
    const all = Array.from({ length: 10 }, () => send(rig));
    await until("the first is on its way", async () => (await rig.store.sends.waiting("s1")).length === 1);
    await until("all arrived", async () => (await connections(rig)) >= 10);
    release();
    const ids = new Set((await Promise.all(all)).map(({ data }) => data["messageId"]));
    expect(ids.size).toBe(1);
    expect(rig.link.sent).toHaveLength(1);
  });

  test("a caller whose connection broke comes again within two minutes and gets the first answer", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await sendAndHangUp(rig);
    rig.clock.advance(seconds(100));
    const again = await send(rig);
    expect([again.status, again.data["messageId"]]).toEqual([200, rig.link.sent[0]?.messageId]);
    expect(rig.link.sent).toHaveLength(1);
  });

  test("an answer that could not be put together counts as lost: the repeat gets that of the message that left", async () => {
    let fails = false;
    const unreadable = new HubError("STORE_UNAVAILABLE", "The disk does not answer.");
    const rig = await openHttpRig({
      change: (ctx, store) => {
        const chat: typeof store.inbox.chat = (...asked) =>
          fails ? Promise.reject(unreadable) : store.inbox.chat(...asked);
        return { ...ctx, store: { ...store, inbox: { ...store.inbox, chat } } };
      },
    });
    await rig.session("s1");
    rig.link.onSend = () => {
      fails = true;
      return Promise.resolve();
    };
    expect((await send(rig)).status).toBe(503);
    fails = false;
    const again = await send(rig);
    expect([again.status, again.data["messageId"]]).toEqual([200, rig.link.sent[0]?.messageId]);
    expect(rig.link.sent).toHaveLength(1);
  });

  test("equal forwards in parallel are one message, and to two people two", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { data } = await send(rig);
    const forward = (to: string) => rig.post(`/api/messages/s1/${String(data["messageId"])}/forward`, { to });
    const release = holdSends(rig);
    const all = Promise.all(["34600333444", "+34 600 333 444", "34600555666"].map(forward));
    await until("both wait", async () => (await rig.store.sends.waiting("s1")).length >= 2);
    release();
    const [one, same, other] = (await all).map((answer) => answer.data["messageId"]);
    expect([same === one, other === one]).toEqual([true, false]);
    expect(rig.link.sent).toHaveLength(3);
    // Once it was answered, it is a new message.
    expect((await forward("34600333444")).data["messageId"]).not.toBe(one);
  });

  test("after two minutes it is a new message", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await sendAndHangUp(rig);
    rig.clock.advance(seconds(121));
    await send(rig);
    expect(rig.link.sent).toHaveLength(2);
  });

  test("a key may ask for repeats to be merged for a while after the answer", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const key = await rig.makeKey({ settings: { ...defaultKeySettings, dedupeSeconds: 60 } });
    const first = await send(rig, hola, { key });
    const again = await send(rig, hola, { key });
    expect(again.data["messageId"]).toBe(first.data["messageId"]);
    rig.clock.advance(seconds(61));
    const later = await send(rig, hola, { key });
    expect(later.data["messageId"]).not.toBe(first.data["messageId"]);
  });
});

describe("limits", () => {
  test("calls are counted per key and minute, told in the headers, and refused with 429", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const key = await rig.makeKey({ settings: { ...defaultKeySettings, ratePerMinute: 3 } });
    const first = await rig.get("/api/sessions", { key });
    expect(first.headers.get("ratelimit-policy")).toBe("3;w=60");
    expect([first.headers.get("ratelimit-limit"), first.headers.get("ratelimit-remaining")]).toEqual([
      "3",
      "2",
    ]);
    expect(Number(first.headers.get("ratelimit-reset"))).toBeLessThanOrEqual(60);
    expect([first.headers.get("x-ratelimit-limit"), first.headers.get("x-ratelimit-remaining")]).toEqual([
      "3",
      "2",
    ]);
    expect(Number(first.headers.get("x-ratelimit-reset"))).toBeGreaterThan(1_500_000_000);
    await rig.get("/api/sessions", { key });
    await rig.get("/api/sessions", { key });
    const refused = await rig.get("/api/sessions", { key });
    expect([refused.status, refused.json["code"]]).toEqual([429, "RATE_LIMIT_EXCEEDED"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const polled = await rig.get("/api/sessions/s1/status", { key });
    expect([polled.status, polled.headers.get("ratelimit-limit")]).toEqual([200, null]);
    expect((await rig.get("/api/sessions")).status).toBe(200);
  });

  test("sends are counted per session; a repeat that sends nothing costs nothing", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const key = await rig.makeKey({ settings: { ...defaultKeySettings, sendPerMinute: 2 } });
    await send(rig, hola, { key, ...keyed("a") });
    await send(rig, hola, { key, ...keyed("a") });
    await send(rig, { ...hola, message: "2" }, { key });
    const refused = await send(rig, { ...hola, message: "3" }, { key });
    expect([refused.status, refused.json["code"]]).toEqual([429, "MESSAGE_RATE_LIMIT_EXCEEDED"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(rig.link.sent).toHaveLength(2);
    expect(recordOf(refused.json)["error"]).toMatch(/rate limit/);
  });
});
