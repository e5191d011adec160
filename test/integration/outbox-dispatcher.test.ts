import { describe, expect, test } from "vitest";
import type { Resolve } from "../../hub/core/webhook-address.ts";
import { hours, minutes, seconds } from "../support/fixed-clock.ts";
import { openOutboxRig, placeCipher } from "../support/outbox-rig.ts";
import { until } from "../support/until.ts";

describe("the store fails", () => {
  test("while results are written: nothing more is sent, they are written later, nothing doubles", async () => {
    let broken = false;
    const rig = await openOutboxRig({
      outbox: (real) => ({
        ...real,
        settle: (settlements, now) =>
          broken ? Promise.reject(new Error("disk full")) : real.settle(settlements, now),
      }),
    });
    const crm = await rig.crm();
    await rig.endpoint(crm, { concurrency: 1 });
    broken = true;
    await rig.says("34600111222", "its result cannot be kept");
    await until("the failure was met", () => rig.logged("outbox.settle_failed").length > 0);
    await rig.says("34600333444", "waits");
    await until("it was met again", () => rig.logged("outbox.settle_failed").length > 1);
    expect(crm.counts().requests).toBe(1);
    broken = false;
    await until("all is settled", async () => (await rig.deliveries({ state: "delivered" })).length === 2);
    expect(crm.counts()).toMatchObject({ requests: 2, unique: 2, duplicated: 0 });
  });

  test("while it looks: told, and looked again at the next tick", async () => {
    let broken = true;
    const rig = await openOutboxRig({
      outbox: (real) => ({
        ...real,
        leaseDue: (options) => (broken ? Promise.reject(new Error("locked")) : real.leaseDue(options)),
      }),
    });
    const crm = await rig.crm();
    await rig.endpoint(crm);
    await rig.says("34600111222");
    await until("the failure was met", () => rig.logged("outbox.look_failed").length > 0);
    broken = false;
    await until("it was delivered", () => crm.counts().unique === 1);
  });
});

test("while secrets cannot be opened nothing is sent, nothing is counted, and nothing is lost", async () => {
  let locked = true;
  const rig = await openOutboxRig({
    cipher: {
      ...placeCipher,
      open: (place, sealed) => {
        if (locked) throw new Error("the vault is locked");
        return placeCipher.open(place, sealed);
      },
    },
  });
  const crm = await rig.crm();
  await rig.endpoint(crm);
  await rig.says("34600111222");
  await rig.dispatcher.idle();
  expect(rig.logged("delivery.not_tried")).toHaveLength(1);
  expect(crm.counts().requests).toBe(0);
  expect(await rig.deliveries()).toMatchObject([{ state: "pending", attempts: 0 }]);
  locked = false;
  await rig.after(seconds(2));
  expect(crm.counts().unique).toBe(1);
});

test("stop lets requests under way finish and writes down what they came to", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm, { concurrency: 2 });
  crm.answers({ kind: "slow", ms: 300 });
  for (let n = 0; n < 6; n += 1) await rig.says(`3460000${1000 + n}`);
  await until("two are under way", () => crm.counts().requests === 2);
  await rig.dispatcher.stop();
  expect(crm.counts().requests).toBe(2);
  expect(await rig.deliveries({ state: "delivered" })).toHaveLength(2);
  expect(await rig.deliveries({ state: "pending" })).toHaveLength(4);
});

test("stop does not wait for a CRM that never answers: five seconds, and the event is still owed", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm, { timeoutMs: 30_000 });
  crm.answers({ kind: "hang" });
  await rig.says("34600111222");
  await until("it is under way", () => crm.counts().requests === 1);
  const startedAt = performance.now();
  await rig.dispatcher.stop();
  expect(performance.now() - startedAt).toBeLessThan(7000);
  expect(await rig.deliveries()).toMatchObject([{ state: "pending", attempts: 0 }]);
});

test("our own resolver failing costs no attempt and is not the endpoint's fault", async () => {
  let answer: "EAI_AGAIN" | "works" = "EAI_AGAIN";
  const resolve: Resolve = (_host, _options, callback) =>
    answer === "works"
      ? callback(null, [{ address: "127.0.0.1", family: 4 }])
      : callback(Object.assign(new Error("try again"), { code: answer }), []);
  const rig = await openOutboxRig({ resolve });
  const crm = await rig.crm();
  await rig.endpoint({ url: `http://crm.example:${crm.port}/hook` });
  for (let n = 0; n < 8; n += 1) await rig.says(`3460000${1000 + n}`);
  for (let n = 0; n < 60; n += 1) await rig.after(seconds(10));
  expect(rig.logged("endpoint.breaker_opened")).toEqual([]);
  const waiting = await rig.deliveries();
  expect(waiting.map(({ attempts }) => attempts)).toEqual(Array.from({ length: 8 }, () => 0));
  expect(waiting.every(({ failure }) => failure === null || failure === "hub")).toBe(true);
  answer = "works";
  for (let n = 0; n < 6; n += 1) await rig.after(minutes(1));
  expect(crm.counts()).toMatchObject({ unique: 8, duplicated: 0 });
});

test("D17: a name that leads elsewhere between check and connect is refused, and nothing connects", async () => {
  let asked = 0;
  const resolve: Resolve = (_host, _options, callback) => {
    asked += 1;
    callback(null, [{ address: asked === 1 ? "127.0.0.1" : "169.254.169.254", family: 4 }]);
  };
  const rig = await openOutboxRig({ resolve });
  const crm = await rig.crm();
  await rig.endpoint({ url: `http://crm.example:${crm.port}/hook` });
  await rig.says("34600111222");
  await rig.dispatcher.idle();
  expect(crm.connections()).toBe(0);
  expect((await rig.deliveries())[0]).toMatchObject({ lastError: "ADDRESS_REFUSED", failure: "endpoint" });
});

test("people are called at the start for what was parked and not told of, and not for what was dismissed", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm);
  const { id: disabled } = await rig.endpoint(crm);
  const deadOf = (endpointId: string) => rig.deliveries({ endpointId, state: "dead" });
  crm.answers({ kind: "answer", status: 422 });
  await rig.says("34600111222");
  for (let minute = 0; minute < 45; minute += 1) await rig.after(minutes(1));
  expect([await deadOf(id), await deadOf(disabled)]).toMatchObject([[{}], [{}]]);
  await rig.endpoints.update(disabled, { enabled: false });

  const before = rig.troubles().length;
  await rig.restart();
  await rig.dispatcher.idle();
  expect(rig.troubles().slice(before)).toEqual([[id, "parked"]]);
  await rig.store.outbox.dismiss({ endpointId: id, state: "dead" }, rig.clock.now());
  await rig.restart();
  await rig.dispatcher.idle();
  expect(rig.troubles()).toHaveLength(before + 1);
});

test("a clock that is set back delays no retry", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm);
  crm.answersNext({ kind: "answer", status: 500 });
  await rig.says("34600111222");
  await rig.dispatcher.idle();
  await rig.after(-hours(1));
  expect(rig.logged("clock.set_back")).toHaveLength(1);
  await rig.after(seconds(6));
  expect(crm.counts()).toMatchObject({ unique: 1 });
  // Signatures follow the clock as it is, for receivers compare it with theirs.
  expect(crm.requests().at(-1)?.fault).toBeNull();
});

test("a CRM whose clock is off is told of before its signatures fail", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm);
  const date = new Date(rig.clock.now().getTime() - minutes(2)).toUTCString();
  crm.answers({ kind: "answer", headers: { date } });
  await rig.says("34600111222");
  await rig.dispatcher.idle();
  expect(rig.logged("endpoint.clock_skew")).toMatchObject([{ endpointId: id, skewMs: minutes(2) }]);
});

test("sixty-four requests are under way at most, over all endpoints, and everybody gets a turn", async () => {
  const rig = await openOutboxRig();
  const crms = await Promise.all(Array.from({ length: 4 }, () => rig.crm()));
  for (const crm of crms) {
    crm.answers({ kind: "slow", ms: 20 });
    await rig.endpoint(crm, { concurrency: 32 });
  }
  for (let n = 0; n < 60; n += 1) await rig.says(`3460000${1000 + n}`);
  await rig.dispatcher.idle();
  for (const crm of crms) expect(crm.counts()).toMatchObject({ unique: 60, duplicated: 0 });
  expect(crms.reduce((sum, crm) => sum + crm.connections(), 0)).toBeLessThanOrEqual(128);
});

test("no secret, number or text reaches the log", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm, { headers: { "X-Token": "very-own-token" } });
  crm.answersNext({ kind: "answer", status: 500 }, { kind: "answer", status: 422 }, { kind: "reset" });
  for (let n = 0; n < 4; n += 1) await rig.says("34600111222", "a private word");
  for (let n = 0; n < 5; n += 1) await rig.after(minutes(1));
  const all = JSON.stringify([
    ...rig.logged("delivery.failed"),
    ...rig.logged("endpoint.created"),
    ...rig.logged("endpoint.breaker_opened"),
  ]);
  expect(all).toContain("endpointId");
  for (const secret of ["whsec_", "34600111222", "private word", "very-own-token"])
    expect(all).not.toContain(secret);
});
