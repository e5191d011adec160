/** What a webhook is answered, and when it counts as applied. */
import { describe, expect, test } from "vitest";
import { CrmMisconfigured, CrmUnavailable, HubUnavailable } from "../../bridge/errors.ts";
import type { Apply } from "../../bridge/applied.ts";
import { createReceiver } from "../../bridge/webhook/receive.ts";
import { eventBody, signBody, type HubEvent } from "../../hub/contract/index.ts";
import { aMessage, T0 } from "../support/builders.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { aHubContact } from "../support/hub-records.ts";
import { logBook } from "../support/log-book.ts";
import {
  eventOf,
  openReceiverRig,
  SECRET,
  signedHeaders,
  toldOf,
  type RigOptions,
} from "../support/receiver-rig.ts";
import { until } from "../support/until.ts";

const stored = (seq: number, change: Parameters<typeof aMessage>[0] = {}) =>
  toldOf({ kind: "stored", message: aMessage(change) }, seq);

describe("an event", () => {
  test("is answered 200 with what became of it, and repeats as a duplicate", async () => {
    const rig = await openReceiverRig();
    const event = stored(7, { id: "3A07" });
    expect(await rig.post(event)).toEqual({
      status: 200,
      retryAfter: null,
      action: "created",
      body: {
        success: true,
        received: true,
        event: "message.received",
        processed: { processed: true, action: "created", message_id: "3A07" },
      },
    });
    expect((await rig.post(event)).action).toBe("duplicate");
    expect(await rig.records("WhatsApp Message")).toHaveLength(1);
    expect(rig.noticed).toEqual([7]);
  });

  test("that nothing acts on, or that a newer hub made, is taken and ignored", async () => {
    const rig = await openReceiverRig();
    const hello = eventOf({ event: "endpoint.test", data: { hello: true } }, 0, { id: 0, sessionId: "_hub" });
    expect(await rig.post(hello)).toMatchObject({ status: 200, action: "ignored" });
    const body = eventBody(hello).replace("endpoint.test", "weather.changed");
    const answer = await rig.postRaw(body, signedHeaders(body, { id: "evt_x", now: T0 }));
    expect(answer).toMatchObject({ status: 200, action: "ignored", body: { event: "weather.changed" } });
    expect(rig.noticed).toEqual([]);
  });

  test("that nothing acts on may say what this bridge does not know, pushed or read", async () => {
    const rig = await openReceiverRig();
    const alert = eventOf({ event: "session.alert", data: { cause: "of_a_newer_hub" } }, 9);
    expect(await rig.post(alert)).toMatchObject({ status: 200, action: "ignored" });
    expect(await rig.apply(alert)).toEqual({ action: "ignored" });
    expect([rig.noticed, rig.failed.list()]).toEqual([[9], []]);
  });

  test("without an id is told apart by what it says", async () => {
    const rig = await openReceiverRig();
    const post = async (event: HubEvent) => {
      const { id, ...rest } = event;
      const body = JSON.stringify(rest);
      return (await rig.postRaw(body, signedHeaders(body, { id, now: T0 }))).action;
    };
    const first = stored(1);
    expect(await post(first)).toBe("created");
    expect(await post(first)).toBe("duplicate");
    expect(await post(stored(2))).toBe("created");
  });

  test("of a sender without ids is not taken for another of the same moment, whatever it is of", async () => {
    const rig = await openReceiverRig({ acceptLegacy: true });
    const post = async (n: number) => {
      const contact = aHubContact({ id: `3460011122${n}@c.us` });
      const about = { event: "contact.updated", sessionId: "s1", timestamp: T0.toISOString() };
      const body = JSON.stringify({ ...about, data: { sessionId: "s1", session_db_id: 1, contact } });
      return (await rig.postRaw(body, { "x-webhook-signature": signBody(SECRET, body) })).action;
    };
    expect([await post(1), await post(2), await post(3)]).toEqual(["created", "created", "created"]);
    expect(await post(2)).toBe("duplicate");
    expect(await rig.records("WhatsApp Contact")).toHaveLength(3);
  });

  test("may come without a number, as other senders' do", async () => {
    const rig = await openReceiverRig();
    const body = JSON.stringify({ ...stored(1), seq: undefined });
    expect((await rig.postRaw(body, signedHeaders(body, { id: "x", now: T0 }))).action).toBe("created");
    expect(rig.noticed).toEqual([]);
  });
});

describe("a body", () => {
  const of = async (body: string | Uint8Array) => {
    const rig = await openReceiverRig();
    const { status, body: answer } = await rig.postRaw(body, signedHeaders(body, { id: "evt_1", now: T0 }));
    return [status, answer["error"]];
  };
  const event = stored(1);

  test.each<[string, string | Uint8Array, string]>([
    ["that is empty", "", "Empty payload"],
    ["that is no JSON", "{", "Invalid JSON"],
    ["that is no UTF-8", Buffer.from([0x7b, 0xc3, 0x28, 0x7d]), "Invalid JSON"],
    ["with a byte order mark", `\uFEFF${eventBody(event)}`, "Invalid JSON"],
    ["that is a list", "[]", "Invalid data"],
    ["that is null", "null", "Invalid data"],
    ["without data", JSON.stringify({ ...event, data: undefined }), "Invalid data"],
    ["without a session", JSON.stringify({ ...event, sessionId: "" }), "Invalid data"],
    ["whose number is a text", JSON.stringify({ ...event, seq: "1" }), "Invalid data"],
    ["whose time is none", JSON.stringify({ ...event, timestamp: "yesterday" }), "Invalid data"],
    ["whose data is of another event", JSON.stringify({ ...event, event: "message.read" }), "Invalid data"],
  ])("%s is refused with 400", async (_what, body, error) => {
    expect(await of(body)).toEqual([400, error]);
  });

  test("is not looked into before its signature", async () => {
    const rig = await openReceiverRig();
    expect((await rig.postRaw("{", {})).status).toBe(401);
  });

  test("of a megabyte is read, of more not", async () => {
    const receiver = createReceiver({
      secrets: () => [SECRET],
      acceptLegacy: false,
      apply: () => Promise.resolve({ action: "ignored" }),
      noticed: () => undefined,
      clock: fixedClock(),
      log: logBook(),
    });
    const ofSize = (size: number) => {
      const { data, ...rest } = event;
      const fill = (length: number) => JSON.stringify({ ...rest, data: { ...data, x: "x".repeat(length) } });
      const body = Buffer.from(fill(size - fill(0).length));
      return receiver.receive({ headers: signedHeaders(body, { id: "evt_1", now: T0 }), body });
    };
    expect((await ofSize(1024 * 1024)).status).toBe(200);
    expect((await ofSize(1024 * 1024 + 1)).status).toBe(413);
  });
});

describe("the older header", () => {
  const post = async (header: string, value: (body: string) => string, options: RigOptions) => {
    const rig = await openReceiverRig(options);
    const body = eventBody(stored(1));
    return (await rig.postRaw(body, { [header]: value(body) })).status;
  };
  const good = (body: string) => signBody(SECRET, body);

  test("counts alone only by the setting", async () => {
    expect(await post("x-webhook-signature", good, { acceptLegacy: false })).toBe(401);
    expect(await post("x-webhook-signature", good, { acceptLegacy: true })).toBe(200);
    expect(await post("x-signature", good, { acceptLegacy: true })).toBe(200);
    expect(await post("x-signature", (body) => good(body).slice(7), { acceptLegacy: true })).toBe(200);
  });

  test("is looked at as strictly as the newer ones", async () => {
    const values: ((body: string) => string)[] = [
      (body) => good(body).toUpperCase(),
      (body) => good(`${body} `),
      (body) => good(body).slice(0, -1),
      (body) => `sha512=${good(body).slice(7)}`,
      (body) => `${good(body)}, ${good(body)}`,
      () => "",
    ];
    for (const value of values)
      expect(await post("x-webhook-signature", value, { acceptLegacy: true })).toBe(401);
    expect(await post("x-webhook-signature", good, { acceptLegacy: true, secrets: () => [] })).toBe(401);
  });

  test("does not save a request whose newer headers are wrong", async () => {
    const rig = await openReceiverRig({ acceptLegacy: true });
    const body = eventBody(stored(1));
    const headers = signedHeaders(body, { id: "evt_1", now: T0 });
    const old = new Date(T0.getTime() - 301_000);
    expect((await rig.postRaw(body, { ...headers, "webhook-id": "evt_2" })).status).toBe(401);
    expect((await rig.postRaw(body, signedHeaders(body, { id: "evt_1", now: old }))).status).toBe(401);
  });
});

describe("what cannot be applied now", () => {
  const answerTo = async (apply: Apply, { budgetMs = 12_000 } = {}) => {
    const log = logBook();
    const receiver = createReceiver({
      secrets: () => [SECRET],
      acceptLegacy: false,
      apply,
      noticed: () => undefined,
      clock: fixedClock(),
      log,
      budgetMs,
    });
    const body = Buffer.from(eventBody(stored(1)));
    const post = () => receiver.receive({ headers: signedHeaders(body, { id: "evt_1", now: T0 }), body });
    return { ...(await post()), post, log, receiver };
  };

  test("is 503 with the CRM's own wait, or ours", async () => {
    const limited = new CrmUnavailable("The CRM is limited.", { retryAfterSeconds: 42.2 });
    expect(await answerTo(() => Promise.reject(limited))).toMatchObject({
      status: 503,
      headers: { "retry-after": "43" },
      body: { success: false, error: "The CRM is limited." },
    });
    for (const error of [
      new CrmUnavailable("away"),
      new CrmMisconfigured("no permission"),
      new HubUnavailable("no answer"),
    ])
      expect(await answerTo(() => Promise.reject(error))).toMatchObject({
        status: 503,
        headers: { "retry-after": "10" },
        body: { error: error.message },
      });
  });

  test("is 503 without its inside when it is our own fault, which is logged", async () => {
    const { status, body, log } = await answerTo(() => Promise.reject(new TypeError("x of undefined")));
    expect(status).toBe(503);
    expect(JSON.stringify(body)).not.toContain("undefined");
    expect(log.lines("webhook.broken")).toHaveLength(1);
  });

  test("is tried again with the next attempt", async () => {
    let tries = 0;
    const { status, post } = await answerTo(() => {
      tries += 1;
      return tries === 1
        ? Promise.reject(new CrmUnavailable("away"))
        : Promise.resolve({ action: "created" });
    });
    expect([status, (await post()).status, (await post()).status, tries]).toEqual([503, 200, 200, 2]);
  });

  test("and takes too long is 503, goes on, and is known to the next attempt", async () => {
    let finish: () => void = () => undefined;
    let tries = 0;
    const { status, post, receiver } = await answerTo(
      () => {
        tries += 1;
        return new Promise((resolve) => (finish = () => resolve({ action: "created" })));
      },
      { budgetMs: 20 },
    );
    expect(status).toBe(503);
    const second = post();
    finish();
    expect(await second).toMatchObject({ status: 200, body: { processed: { action: "duplicate" } } });
    await receiver.idle();
    expect(tries).toBe(1);
  });

  test("because the CRM refuses the record is 422, and tried again when the hub asks again", async () => {
    let tries = 0;
    const { status, headers, body, post } = await answerTo(() => {
      tries += 1;
      return Promise.resolve({ action: "ignored", rejected: "value too long" });
    });
    expect({ status, headers, body }).toEqual({
      status: 422,
      headers: {},
      body: {
        success: false,
        error: "value too long",
        processed: { processed: false, error: "value too long" },
      },
    });
    await post();
    expect(tries).toBe(2);
  });

  test("because the bridge stops is 503; what runs is waited for", async () => {
    let finish: () => void = () => undefined;
    const receiver = createReceiver({
      secrets: () => [SECRET],
      acceptLegacy: false,
      apply: () => new Promise((resolve) => (finish = () => resolve({ action: "created" }))),
      noticed: () => undefined,
      clock: fixedClock(),
      log: logBook(),
    });
    const body = Buffer.from(eventBody(stored(1)));
    const request = { headers: signedHeaders(body, { id: "evt_1", now: T0 }), body };
    const running = receiver.receive(request);
    let isStopped = false;
    const stopping = receiver.stop().then(() => (isStopped = true));
    expect((await receiver.receive(request)).status).toBe(503);
    expect(isStopped).toBe(false);
    finish();
    await stopping;
    expect((await running).status).toBe(200);
  });
});

test("neither message texts nor numbers nor secrets are in the log, whatever is answered", async () => {
  const rig = await openReceiverRig({
    crm: (crm) => ({
      ...crm,
      upsertMessages: () => Promise.reject(new CrmUnavailable("34600111222 said hola")),
    }),
  });
  await rig.post(stored(1, { content: "a secret text" }));
  await rig.postRaw("{", { ...signedHeaders("{", { id: "evt_1", now: T0 }) });
  await until("both are logged", () => rig.log.lines().length >= 2);
  expect(rig.log.text()).not.toMatch(/34600111222|secret text|hola|whsec_/);
});
