/** D3, D15, D20: a CRM that refuses one event, answers oddly, or fails every second time. */
import { describe, expect, test } from "vitest";
import type { CrmAnswer } from "../support/crm-faults.ts";
import type { CrmRequest } from "../support/fake-crm.ts";
import { hours, minutes, seconds } from "../support/fixed-clock.ts";
import { openOutboxRig, type OutboxRig } from "../support/outbox-rig.ts";

async function pass(rig: OutboxRig, ms: number, stepMs: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) await rig.after(stepMs);
}

describe.each<[string, CrmAnswer]>([
  ["422", { kind: "answer", status: 422 }],
  ["417", { kind: "answer", status: 417 }],
  ["200 with success:false", { kind: "answer", body: { success: false, error: "no such customer" } }],
  ["200 with success:false inside message", { kind: "answer", body: { message: { success: false } } }],
])("D3: %s for one event only", (_what, refusal) => {
  test("is tried six times and parked; its lane goes on, the others never notice", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    const listener = await rig.crm();
    await rig.endpoint(listener, { events: ["delivery.dead"] });
    const poison = await rig.says("34600111222", "poison");
    const behind = await rig.says("34600111222", "behind");
    crm.answers(({ webhookId }) => (webhookId === poison.id ? refusal : { kind: "answer" }));
    await rig.says("34600333444");
    await rig.dispatcher.idle();
    expect(crm.counts().unique).toBe(1);

    await pass(rig, minutes(45), seconds(30));
    const tries = crm.requests().filter(({ webhookId }) => webhookId === poison.id);
    expect(tries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
    expect(crm.accepted().map(({ webhookId }) => webhookId)).toContain(behind.id);
    expect(await rig.deliveries({ state: "dead" })).toMatchObject([
      { eventId: poison.id, attempts: 6, failure: "event", chatId: "34600111222@s.whatsapp.net" },
    ]);
    expect(rig.logged("endpoint.breaker_opened")).toEqual([]);

    // Told to the other endpoint, and not to the one that refused.
    expect(listener.requests().map(({ data }) => data)).toMatchObject([
      { eventId: poison.id, seq: poison.seq, chatId: "34600111222@c.us" },
    ]);
    expect(crm.requests().some(({ event }) => event === "delivery.dead")).toBe(false);
  });
});

test("that an event was parked is told once, also when nobody learns that the write of it succeeded", async () => {
  let isLost = false;
  const rig = await openOutboxRig({
    outbox: (real) => ({
      ...real,
      settle: async (settlements, now) => {
        await real.settle(settlements, now);
        if (isLost || settlements.every(({ patch }) => patch.state !== "dead")) return;
        isLost = true;
        throw new Error("the answer was lost");
      },
    }),
  });
  const crm = await rig.crm();
  await rig.endpoint(crm);
  const poison = await rig.says("34600111222", "poison");
  await rig.says("34600333444");
  crm.answers(({ webhookId }) =>
    webhookId === poison.id ? { kind: "answer", status: 422 } : { kind: "answer" },
  );
  await pass(rig, minutes(45), seconds(30));
  expect(isLost).toBe(true);
  const rows = await rig.store.events.after({
    after: 0,
    limit: 100,
    sessions: "*",
    types: ["delivery.dead"],
  });
  expect(rows.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
    { sessionId: "s1", data: { eventId: poison.id, seq: poison.seq, chatId: "34600111222@c.us" } },
  ]);
});

test("five events refused on three chats without a success between them are the endpoint's fault", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm, { concurrency: 1 });
  crm.answers({ kind: "answer", status: 400 });
  for (let n = 0; n < 10; n += 1) await rig.says(`3460000${1000 + n}`);
  await rig.dispatcher.idle();
  expect(crm.counts().requests).toBe(5);
  await pass(rig, hours(3), minutes(1));
  expect(await rig.deliveries({ state: "dead" })).toEqual([]);
  crm.answers();
  await pass(rig, minutes(10), seconds(30));
  expect(crm.counts()).toMatchObject({ unique: 10, duplicated: 0 });
});

describe("all events of a session in one queue", () => {
  const open = async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    const { id } = await rig.endpoint(crm, { ordering: "session" });
    return { rig, crm, health: () => rig.endpoints.get(id), id };
  };

  test.each([302, 417, 422])(
    "HTTP %i to everything for three days: no more than the first is parked, and people are called",
    async (status) => {
      const { rig, crm, health, id } = await open();
      crm.answers({ kind: "answer", status });
      for (let n = 0; n < 100; n += 1) await rig.says(`3460000${1000 + n}`);
      await pass(rig, minutes(10), minutes(1));
      // Written down with the next tick, of real time.
      await expect.poll(async () => (await health()).lastError, { timeout: 5000 }).toContain(String(status));
      await pass(rig, hours(73), minutes(10));
      expect(await rig.deliveries({ state: "dead" })).toHaveLength(1);
      expect(await health()).toMatchObject({ state: "failing" });
      expect(rig.troubles()).toContainEqual([id, "parked"]);
      expect(rig.troubles()).toContainEqual([id, "failing"]);

      crm.answers();
      await pass(rig, minutes(6), seconds(30));
      expect(crm.counts()).toMatchObject({ unique: 99, duplicated: 0 });
      expect((await health()).state).toBe("active");
    },
  );

  test.each([
    [302, 6],
    [422, 6],
    [500, 2],
  ])(
    "HTTP %i to everything of one chat for three days: %i at most leave their order",
    async (status, most) => {
      const { rig, crm } = await open();
      crm.answers({ kind: "answer", status });
      for (let n = 0; n < 40; n += 1) await rig.says("34600111222", `${n}`);
      await pass(rig, hours(73), minutes(10));
      expect(rig.logged("delivery.put_aside").length).toBeLessThanOrEqual(most);
      const { length: dead } = await rig.deliveries({ state: "dead" });
      expect(dead).toBeLessThanOrEqual(1);

      crm.answers();
      await pass(rig, minutes(10), seconds(30));
      expect(crm.counts()).toMatchObject({ unique: 40 - dead, duplicated: 0 });
      expect(crm.counts().outOfOrder).toBeLessThanOrEqual(most);
    },
  );

  test("two refused in a row hold the others up for two hours at most", async () => {
    const { rig, crm } = await open();
    const bad = [await rig.says("34600111222"), await rig.says("34600111222")].map(({ id }) => id);
    crm.answers(({ webhookId }) => ({
      kind: "answer",
      status: bad.includes(webhookId) ? 422 : 200,
    }));
    for (let n = 0; n < 5; n += 1) await rig.says(`3460000${1000 + n}`);
    await pass(rig, hours(2), minutes(1));
    expect(crm.counts()).toMatchObject({ unique: 5, duplicated: 0 });
    await pass(rig, hours(1), minutes(1));
    expect((await rig.deliveries({ state: "dead" })).map(({ eventId }) => eventId).sort()).toEqual(
      bad.sort(),
    );
  });

  test("one that its CRM fails at for a day gives way, and is parked once others got through", async () => {
    const { rig, crm } = await open();
    const poison = await rig.says("34600111222");
    crm.answers(({ webhookId }) => ({ kind: "answer", status: webhookId === poison.id ? 500 : 200 }));
    for (let n = 0; n < 5; n += 1) await rig.says(`3460000${1000 + n}`);
    await pass(rig, hours(23), minutes(5));
    expect(crm.counts().unique).toBe(0);
    await pass(rig, hours(2), minutes(1));
    expect(crm.counts()).toMatchObject({ unique: 5, duplicated: 0, outOfOrder: 0 });
    expect(await rig.deliveries({ state: "dead" })).toMatchObject([{ eventId: poison.id, failure: "event" }]);
  });

  test("a CRM that fails at everything for three days costs nothing", async () => {
    const { rig, crm } = await open();
    crm.answers({ kind: "answer", status: 500 });
    for (let n = 0; n < 20; n += 1) await rig.says(`3460000${1000 + n}`);
    await pass(rig, hours(73), minutes(5));
    crm.answers();
    await pass(rig, minutes(6), seconds(30));
    expect(crm.counts()).toMatchObject({ unique: 20, duplicated: 0 });
  });
});

test("an event that brings its CRM down while others get through is parked at last", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm);
  const poison = await rig.says("34600111222", "poison");
  crm.answers(({ webhookId }) =>
    webhookId === poison.id ? { kind: "answer", status: 500 } : { kind: "answer" },
  );
  for (let n = 0; n < 150; n += 1) {
    await rig.says("34600333444", `${n}`);
    await rig.after(minutes(1));
  }
  expect(await rig.deliveries({ state: "dead" })).toMatchObject([{ eventId: poison.id, failure: "event" }]);
  expect(crm.counts()).toMatchObject({ unique: 150, outOfOrder: 0 });
});

test("D15: every second request fails for an hour: order is kept, nothing doubles, the breaker stays closed", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm, { concurrency: 2 });
  let turn = 0;
  crm.answers(() => (turn++ % 2 === 0 ? { kind: "answer", status: 500 } : { kind: "answer" }));
  for (let minute = 0; minute < 60; minute += 1) {
    for (const chat of ["34600111222", "34600333444", "34600555666"]) await rig.says(chat, `${minute}`);
    await rig.after(minutes(1));
  }
  crm.answers();
  await pass(rig, hours(14), minutes(10));
  expect(crm.counts()).toMatchObject({ unique: 180, duplicated: 0, outOfOrder: 0 });
  expect(rig.logged("endpoint.breaker_opened").length).toBeLessThanOrEqual(1);
});

describe("D20: answers that are hard to read", () => {
  const deliverOne = async (answer: CrmAnswer) => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    crm.answersNext(answer);
    await rig.says("34600111222");
    await rig.dispatcher.idle();
    return { rig, crm, delivery: (await rig.deliveries())[0] };
  };

  test("a login page is delivered and flagged", async () => {
    const { delivery } = await deliverOne({ kind: "answer", body: "<html>log in</html>" });
    expect(delivery).toMatchObject({ state: "delivered", lastError: "ack_unread" });
  });

  test("JSON cut in the middle is tried again", async () => {
    const { rig, crm, delivery } = await deliverOne({ kind: "cut-body", body: '{"success":tr' });
    expect(delivery).toMatchObject({ state: "retrying", lastError: "ack_incomplete", failure: "endpoint" });
    await rig.after(seconds(5));
    expect(crm.counts()).toMatchObject({ unique: 1, duplicated: 0 });
  });

  test("a refusal inside message is the event's failure", async () => {
    const { delivery } = await deliverOne({ kind: "answer", body: { message: { success: false } } });
    expect(delivery).toMatchObject({ state: "retrying", failure: "event" });
  });

  test("an unknown event is skipped with the reason", async () => {
    const { delivery } = await deliverOne({
      kind: "answer",
      body: { success: true, processed: { processed: false, error: "Unknown event: message.received" } },
    });
    expect(delivery).toMatchObject({ state: "skipped", lastError: "Unknown event: message.received" });
  });
});

describe("a status that arrives before its message", () => {
  const status = (rig: OutboxRig, event: "message.delivered" | "message.read") =>
    rig.happens(
      event,
      { messageId: "3EB0", status: event.slice(8), chatId: "34600111222@c.us" },
      "34600111222@s.whatsapp.net",
    );
  const notFound: CrmAnswer = { kind: "answer", body: { success: false, error: "Message not found" } };

  test("is tried once in place, then aside, and its lane goes on", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    crm.answers(({ event }) => (event === "message.delivered" ? notFound : { kind: "answer" }));
    const early = await status(rig, "message.delivered");
    await rig.says("34600111222");
    await rig.dispatcher.idle();
    expect(crm.counts().requests).toBe(1);
    await rig.after(seconds(2));
    expect(crm.counts()).toMatchObject({ requests: 3, unique: 1 });
    crm.answers();
    await rig.after(seconds(30));
    expect(crm.accepted().map(({ webhookId }) => webhookId)).toContain(early.id);
  });

  test("is skipped when it never fits, or when a higher one was delivered meanwhile", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    const refuses = (what: string) => (request: CrmRequest) =>
      request.event === what ? notFound : ({ kind: "answer" } as const);
    crm.answers(refuses("message.delivered"));
    const delivered = await status(rig, "message.delivered");
    await status(rig, "message.read");
    await rig.dispatcher.idle();
    await rig.after(seconds(2));
    expect(crm.accepted().map(({ event }) => event)).toEqual(["message.read"]);
    const before = crm.counts().requests;
    await rig.after(seconds(30));
    expect(crm.counts().requests).toBe(before);
    expect((await rig.deliveries({ event: "message.delivered" }))[0]).toMatchObject({
      eventId: delivered.id,
      state: "skipped",
    });

    crm.answers(notFound);
    await rig.says("34600777888");
    await rig.dispatcher.idle();
    for (const wait of [2, 30, 300]) await rig.after(seconds(wait));
    expect((await rig.deliveries({ event: "message.received" }))[0]).toMatchObject({
      state: "skipped",
      attempts: 4,
    });
  });
});
