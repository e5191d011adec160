/** D1, D2, D4, D5, D19: a CRM that is away, forbids, wants no more, or asks for patience. */
import { describe, expect, test } from "vitest";
import type { CrmAnswer } from "../support/crm-faults.ts";
import type { FakeCrm } from "../support/fake-crm.ts";
import { hours, minutes, seconds } from "../support/fixed-clock.ts";
import { openOutboxRig, type OutboxRig } from "../support/outbox-rig.ts";

/** Time passes in steps in which everything that becomes due is tried. */
async function pass(rig: OutboxRig, ms: number, stepMs = seconds(5)): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) await rig.after(Math.min(stepMs, ms - passed));
}

type Blow = (crm: FakeCrm) => Promise<void> | void;

const chats = (count: number): string[] => Array.from({ length: count }, (_, n) => `3460000${1000 + n}`);

describe.each([500, 401, 403, 404])("D1, D2: HTTP %i for an hour", (status) => {
  test("opens the breaker at the fifth failure, costs the backlog no attempt, and drains in order", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    crm.answers({ kind: "answer", status });
    for (let n = 0; n < 5; n += 1) for (const chat of chats(8)) await rig.says(chat, `${n}`);
    await rig.dispatcher.idle();
    expect(crm.counts().requests).toBe(5);
    expect(rig.logged("endpoint.breaker_opened")).toMatchObject([{ error: `HTTP ${status}` }]);

    await pass(rig, hours(1));
    // 5, 15, 30, 60, 120 seconds, then every five minutes: an hour of probes.
    expect(crm.counts().requests).toBeLessThan(5 + 18);
    const waiting = await rig.deliveries();
    expect(waiting.every(({ state, attempts }) => attempts <= 1 && state !== "dead")).toBe(true);
    expect(waiting.reduce((sum, { attempts }) => sum + attempts, 0)).toBeLessThanOrEqual(5);

    crm.answers();
    await pass(rig, minutes(6));
    expect(crm.counts()).toMatchObject({ unique: 40, duplicated: 0, outOfOrder: 0, badSignatures: 0 });
    expect(rig.logged("endpoint.breaker_closed")).toHaveLength(1);
  });
});

describe.each([3, 13, 50])("D1: away for %i minutes, all events of a session in one queue", (away) => {
  test("what waited is delivered within six minutes of its return", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm, { ordering: "session" });
    await rig.says("34600000001", "before");
    await rig.dispatcher.idle();
    await crm.goesDown();
    for (const chat of chats(10)) await rig.says(chat);
    await pass(rig, minutes(away));
    await rig.says("34600000002", "at the end");
    expect((await rig.deliveries()).every(({ attempts }) => attempts <= 5)).toBe(true);

    await crm.comesBack();
    await pass(rig, minutes(6));
    expect(crm.counts()).toMatchObject({ unique: 12, duplicated: 0, outOfOrder: 0 });
    expect(await rig.deliveries({ state: "dead" })).toEqual([]);
  });
});

describe("away for more than a day, all events of a session in one queue, the hub restarted meanwhile", () => {
  const unheard: [Blow, Blow] = [(crm) => crm.goesDown(), (crm) => crm.comesBack()];
  const told: [Blow, Blow] = [(crm) => crm.answers({ kind: "answer", status: 502 }), (crm) => crm.answers()];
  test.each<[string, [Blow, Blow], number]>([
    ["nobody listens, and a proxy is up first", unheard, 502],
    ["nobody listens, and it fails once while it starts", unheard, 500],
    ["a proxy in front says so", told, 503],
  ])("%s: no event leaves its order", async (_how, [goesAway, isBack], first) => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm, { ordering: "session" });
    await goesAway(crm);
    for (let n = 0; n < 6; n += 1) await rig.says("34600111222", `${n}`);
    for (let night = 0; night < 3; night += 1) {
      await pass(rig, hours(10), minutes(5));
      await rig.restart();
    }
    await pass(rig, hours(26), minutes(5));
    crm.answersNext({ kind: "answer", status: first });
    await isBack(crm);
    await pass(rig, minutes(12));
    expect(rig.logged("delivery.put_aside")).toEqual([]);
    expect(crm.counts()).toMatchObject({ unique: 6, duplicated: 0, outOfOrder: 0 });
  });

  test("it fails at all for days: a restart of the hub or another address begins the wait anew", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    const { id } = await rig.endpoint(crm, { ordering: "session" });
    crm.answers({ kind: "answer", status: 500 });
    for (let n = 0; n < 6; n += 1) await rig.says("34600111222", `${n}`);
    await pass(rig, hours(23), minutes(5));
    await rig.restart();
    await pass(rig, hours(23), minutes(5));
    const another = await rig.crm();
    another.answers({ kind: "answer", status: 500 });
    await rig.endpoints.update(id, { url: another.url });
    await pass(rig, hours(23), minutes(5));
    another.answers();
    await pass(rig, minutes(6));
    expect(rig.logged("delivery.put_aside")).toEqual([]);
    expect(another.counts()).toMatchObject({ unique: 6, duplicated: 0, outOfOrder: 0 });
  });
});

test.each<[string, CrmAnswer]>([
  ["422", { kind: "answer", status: 422 }],
  ["302", { kind: "answer", status: 302 }],
  ["success:false", { kind: "answer", body: { success: false } }],
])(
  "a CRM that was away and refuses once (%s) while it comes back has nothing parked",
  async (_what, answer) => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm, { ordering: "session" });
    await crm.goesDown();
    for (const chat of chats(3)) await rig.says(chat);
    await pass(rig, minutes(10));
    crm.answersNext(answer);
    await crm.comesBack();
    await pass(rig, minutes(10));
    expect(await rig.deliveries({ state: "dead" })).toEqual([]);
    expect(crm.counts()).toMatchObject({ unique: 3, duplicated: 0, outOfOrder: 0 });
  },
);

test("an event that came in an outage and brings its CRM down ever after is parked, in light traffic, too", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm);
  crm.answers({ kind: "answer", status: 503 });
  await rig.says("34600333444");
  await pass(rig, minutes(10), seconds(30));
  const poison = await rig.says("34600111222", "poison");
  await pass(rig, minutes(20), seconds(30));
  crm.answers(({ webhookId }) => ({ kind: "answer", status: webhookId === poison.id ? 500 : 200 }));
  await pass(rig, minutes(10), seconds(30));
  for (let n = 0; n < 12; n += 1) {
    await rig.says(`3460000${1000 + n}`);
    await pass(rig, minutes(20), seconds(30));
  }
  expect(await rig.deliveries({ state: "dead" })).toMatchObject([{ eventId: poison.id, failure: "event" }]);
  await rig.says("34600777888");
  await pass(rig, minutes(1), seconds(30));
  expect(crm.counts()).toMatchObject({ unique: 14, duplicated: 0, outOfOrder: 0 });
});

test("D4: 410 pauses at once, tells it, and keeps everything", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm);
  crm.answers({ kind: "answer", status: 410 });
  for (const chat of chats(3)) await rig.says(chat);
  // No request is on its way while the clock leaps: the receiver would take it for an old one.
  await rig.dispatcher.idle();
  await rig.after(hours(2));
  expect(crm.counts().requests).toBeLessThanOrEqual(3);
  expect((await rig.endpoints.get(id)).state).toBe("paused");
  expect(rig.logged("endpoint.paused_by_410")).not.toHaveLength(0);
  expect((await rig.deliveries()).every(({ state, attempts }) => state !== "dead" && attempts === 0)).toBe(
    true,
  );
  await rig.says("34600555555");

  crm.answers();
  await rig.endpoints.resume(id);
  await rig.dispatcher.idle();
  expect(crm.counts().unique).toBe(4);
});

describe("D5: 429", () => {
  test.each([
    ["in seconds", () => "120", 120],
    ["as a date", (now: Date) => new Date(now.getTime() + 180_000).toUTCString(), 180],
    ["as garbage", () => "in a while", 60],
    ["in billions", () => "1000000000", 3600],
    ["not at all", () => "", 60],
  ])("with Retry-After %s", async (_how, retryAfter, expected) => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    const value = retryAfter(rig.clock.now());
    crm.answersNext({ kind: "answer", status: 429, headers: value === "" ? {} : { "retry-after": value } });
    await rig.says("34600111222");
    await rig.dispatcher.idle();
    const [delivery] = await rig.deliveries();
    expect(((delivery?.nextAttemptAt?.getTime() ?? 0) - rig.clock.now().getTime()) / 1000).toBe(expected);
    await rig.after(seconds(expected - 1));
    expect(crm.counts().requests).toBe(1);
    await rig.after(seconds(2));
    expect(crm.counts().unique).toBe(1);
  });
});

test("D19: 72 hours away cost at most 13 counted attempts, say so, and lose nothing", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm);
  await crm.goesDown();
  for (const chat of chats(3)) await rig.says(chat);
  await rig.dispatcher.idle();
  await pass(rig, hours(73), minutes(10));
  expect((await rig.endpoints.get(id)).state).toBe("failing");
  expect(rig.logged("endpoint.failing")).toHaveLength(1);
  const waiting = await rig.deliveries();
  expect(waiting).toHaveLength(3);
  expect(waiting.every(({ attempts, state }) => attempts <= 13 && state !== "dead")).toBe(true);

  await crm.comesBack();
  await pass(rig, minutes(10), minutes(1));
  expect(crm.counts()).toMatchObject({ unique: 3, duplicated: 0 });
  expect((await rig.endpoints.get(id)).state).toBe("active");
});
