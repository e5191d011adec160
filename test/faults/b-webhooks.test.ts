/** B1, B2, B8: webhooks that come many times, in the wrong order, or that no CRM could take. */
import { describe, expect, test } from "vitest";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { eventBody, type HubEvent } from "../../hub/contract/index.ts";
import { aSession, T0, T0_SECONDS, aMessage } from "../support/builders.ts";
import { createFakeHub } from "../support/fake-hub.ts";
import {
  openReceiverRig,
  signedHeaders,
  toldOf,
  toldOfMove,
  type RigOptions,
} from "../support/receiver-rig.ts";

const RAW_ANA = "34600111222@s.whatsapp.net";
const message = (id: string, change: Parameters<typeof aMessage>[0] = {}) =>
  aMessage({ id, chatId: RAW_ANA, ...change });
const stored = (id: string, seq: number, change: Parameters<typeof aMessage>[0] = {}) =>
  toldOf({ kind: "stored", message: message(id, change) }, seq);
const status = (id: string, seq: number, reached: "sent" | "delivered" | "read") =>
  toldOf(
    {
      kind: "status",
      message: { ...message(id), client: "crm" },
      status: reached,
      at: T0_SECONDS + seq,
      participant: null,
      code: null,
      error: null,
    },
    seq,
  );

describe("B1: a hundred copies of one webhook at once", () => {
  test("are one message in the CRM and a hundred 2xx", async () => {
    let writes = 0;
    const rig = await openReceiverRig({
      crm: (crm) => ({
        ...crm,
        upsertMessages: async (batch) => {
          writes += 1;
          await new Promise((resolve) => setTimeout(resolve, 20)); // a remote CRM: all copies meet its write
          return crm.upsertMessages(batch);
        },
      }),
    });
    const event = stored("3A01", 1);
    const answers = await Promise.all(Array.from({ length: 100 }, () => rig.post(event)));
    expect(answers.map(({ status: code }) => code)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(answers.map(({ action }) => action).filter((action) => action === "created")).toHaveLength(1);
    expect(answers.map(({ action }) => action).filter((action) => action === "duplicate")).toHaveLength(99);
    expect(writes).toBe(1);
    expect(await rig.records("WhatsApp Message")).toHaveLength(1);
    expect(rig.noticed).toEqual([1]);
  });

  test("while the CRM is down are a hundred 503, and the next one is written", async () => {
    let isDown = true;
    const rig = await openReceiverRig({
      crm: (crm) => ({
        ...crm,
        upsertMessages: (batch) =>
          isDown ? Promise.reject(new CrmUnavailable("away")) : crm.upsertMessages(batch),
      }),
    });
    const event = stored("3A01", 1);
    const answers = await Promise.all(Array.from({ length: 100 }, () => rig.post(event)));
    expect(new Set(answers.map(({ status: code }) => code))).toEqual(new Set([503]));
    expect(answers.every(({ retryAfter }) => Number(retryAfter) >= 1)).toBe(true);
    isDown = false;
    expect((await rig.post(event)).action).toBe("created");
    expect(await rig.records("WhatsApp Message")).toHaveLength(1);
  });
});

describe("B2: the order of arrival", () => {
  /** A life of one message, of a chat's session and of a reaction, in the hub's order. */
  const life = (): HubEvent[] => {
    const target = { chatId: RAW_ANA, id: "3A01", fromMe: true, participant: null };
    const reacted = (seq: number, emoji: string) =>
      toldOf(
        { kind: "reacted", target, from: RAW_ANA, fromMe: false, emoji, atMs: T0.getTime() + seq * 1000 },
        seq,
      );
    const move = (seq: number, from: "connected" | "reconnecting") => {
      const [up, lost] = [aSession(), aSession({ state: "reconnecting", lostAt: T0 })];
      return from === "connected"
        ? toldOfMove({ previous: up, next: lost, toldConnected: true, quiet: false }, seq)
        : toldOfMove({ previous: lost, next: up, toldConnected: false, quiet: false }, seq);
    };
    return [
      move(1, "reconnecting"),
      stored("3A01", 2, { fromMe: true, status: "pending", content: "hola" }),
      status("3A01", 3, "sent"),
      status("3A01", 4, "delivered"),
      reacted(5, "👍"),
      status("3A01", 6, "read"),
      toldOf(
        {
          kind: "edited",
          message: message("3A01", {
            fromMe: true,
            status: "read",
            content: "adiós",
            editedAt: T0_SECONDS + 7,
          }),
          at: T0_SECONDS + 7,
        },
        7,
      ),
      reacted(8, "❤️"),
      stored("3A02", 9, { timestamp: T0_SECONDS + 9, content: "y tú" }),
      move(10, "connected"),
    ];
  };

  async function endOf(events: HubEvent[]) {
    const hub = createFakeHub();
    hub.store.addSession({ sessionId: "s1" });
    const rig = await openReceiverRig({ hub });
    for (const event of events) expect((await rig.post(event)).status).toBe(200);
    const of = async (doctype: string, fields: string[]) =>
      (await rig.records(doctype))
        .map((record) => Object.fromEntries(fields.map((field) => [field, record[field]])))
        .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    return {
      messages: await of("WhatsApp Message", ["message_id", "content", "status", "reaction", "direction"]),
      chats: await of("WhatsApp Conversation", ["chat_id", "last_message", "last_message_time", "status"]),
      contacts: await of("WhatsApp Contact", ["contact_id"]),
      connection: rig.connections.get("s1")?.status,
    };
  }

  test("5, 3, 4: the final state is that of the order", async () => {
    const events = life();
    const inOrder = await endOf(events);
    expect(inOrder.messages).toMatchObject([
      { message_id: "3A01", content: "adiós", status: "Read" },
      { message_id: "3A02" },
    ]);
    const [first, second, three, four, five, ...rest] = events;
    const shuffled = [first, second, five, three, four, ...rest].filter((event) => event !== undefined);
    expect(await endOf(shuffled)).toEqual(inOrder);
  });

  test("any order in which a message comes before its changes, and repeats, end the same", async () => {
    const seed = Math.floor(Math.random() * 1_000_000);
    console.log(`B2: seed ${seed}`);
    const random = randomOf(seed);
    const events = life();
    const inOrder = await endOf(events);
    for (let round = 0; round < 25; round += 1) {
      const [born, ...rest] = events.filter(({ seq }) => seq !== 1);
      const others = shuffledBy(random, [...rest, ...events.slice(0, 1), ...rest.slice(0, 3)]);
      if (born === undefined) throw new Error("no message");
      expect(await endOf([born, ...others]), `round ${round} of seed ${seed}`).toEqual(inOrder);
    }
  });

  test("a state that is there before its message brings the message", async () => {
    const hub = createFakeHub();
    hub.store.addSession({ sessionId: "s1" });
    const key = { chatId: "34600111222@c.us", messageId: "3A01" };
    const events = [
      hub.receives("s1", { ...key, fromMe: true, status: "sent" }),
      hub.raises("s1", key, "delivered"),
      hub.raises("s1", key, "read"),
    ];
    const rig = await openReceiverRig({ hub });
    for (const event of events.toReversed()) expect((await rig.post(event)).status).toBe(200);
    expect(await rig.records("WhatsApp Message")).toMatchObject([{ message_id: "3A01", status: "Read" }]);
  });
});

describe("B8: poison", () => {
  /** A CRM whose columns hold no four-byte characters, and nothing of more than 64 KB. */
  const poor: RigOptions = {
    crm: (crm) => ({
      ...crm,
      upsertMessages: async (batch) => {
        const [message] = batch.items;
        const text = message?.content ?? "";
        if (/[\u{10000}-\u{10FFFF}]/u.test(text) || Buffer.byteLength(text) > 65_535)
          return [{ outcome: "rejected", error: "Incorrect string value for column 'content'" }];
        return crm.upsertMessages(batch);
      },
    }),
  };

  test("an emoji, a text too long, an unknown type, a missing field: refused alone, and the others go on", async () => {
    const rig = await openReceiverRig(poor);
    expect(await rig.post(stored("3A01", 1, { content: "🚀" }))).toMatchObject({ status: 422 });
    expect(await rig.post(stored("3A02", 2, { content: "x".repeat(100_000) }))).toMatchObject({
      status: 422,
    });
    const spoilt = async (seq: number, spoil: (body: string) => string) => {
      const event = stored(`3A${seq}`, seq);
      const body = spoil(eventBody(event));
      return rig.postRaw(body, signedHeaders(body, { id: event.id, now: T0 }));
    };
    const bad = { status: 400, body: { error: "Invalid data" } };
    expect(await spoilt(3, (body) => body.replace('"type":"text"', '"type":"hologram"'))).toMatchObject(bad);
    expect(await spoilt(4, (body) => body.replace(/"chatId":"[^"]+",/, ""))).toMatchObject(bad);
    expect(await spoilt(5, (body) => body.replace('"hola"', `"${"x".repeat(300_000)}"`))).toMatchObject({
      status: 422,
    });
    expect((await rig.post(stored("3A06", 6))).action).toBe("created");
    expect(await rig.records("WhatsApp Message")).toHaveLength(1);
    expect(rig.failed.list("s1").map(({ kind, error }) => [kind, error])).toEqual(
      Array.from({ length: 3 }, () => ["message", "Incorrect string value for column 'content'"]),
    );
  });

  test("every attempt of the hub is refused the same, counted once more, and listed once", async () => {
    const rig = await openReceiverRig(poor);
    const event = stored("3A01", 1, { content: "🚀" });
    for (let attempt = 1; attempt <= 6; attempt += 1)
      expect(await rig.post(event, { "x-webhook-attempt": String(attempt) })).toMatchObject({
        status: 422,
        body: { success: false, processed: { processed: false } },
      });
    expect(rig.failed.list()).toMatchObject([{ key: "34600111222@c.us|3A01", attempts: 6 }]);
    expect((await rig.post(stored("3A02", 2))).status).toBe(200);
  });
});

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function shuffledBy<T>(random: () => number, items: T[]): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
