/** What is ordered while the hub is away: kept, in order, sent once, and given up with a reason. */
import { readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hours, minutes } from "../support/fixed-clock.ts";
import { openOutgoingRig, refusal, type OutgoingRig } from "../support/outgoing-rig.ts";
import { until } from "../support/until.ts";

const texts = (orders: { text: unknown }[]) => orders.map(({ text }) => text);
const [ANA, BEA] = ["34600111222", "34600333444"];
const endedOf = ({ outgoing }: OutgoingRig) =>
  outgoing.list().ended.map(({ status, error }) => [status, error] as const);
const queueIdOf = async (sent: ReturnType<OutgoingRig["send"]>): Promise<string> => {
  const answer = await sent;
  return answer.outcome === "queued" ? answer.queueId : "none";
};

describe("a hub that is away", () => {
  test("gets what was ordered when it is back, in order per recipient and under the first key", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    const first = await rig.send("1", { key: "k1" });
    expect(first).toMatchObject({
      outcome: "queued",
      queuedAt: rig.clock.now().toISOString(),
      expiresAt: new Date(rig.clock.now().getTime() + hours(23)).toISOString(),
    });
    await rig.send("2", { key: "k2", to: `${ANA}@c.us` });
    await rig.send("other", { key: "k3", to: BEA });
    await rig.send("3", { key: "k4", to: "+34 600 111 222" });
    expect(rig.outgoing.figures()).toMatchObject({ waiting: 4, failed: 0 });
    rig.isBack();
    await rig.settled();
    expect(texts(rig.taken.filter(({ to }) => to !== BEA))).toEqual(["1", "2", "3"]);
    expect(rig.taken.map(({ key }) => key).sort()).toEqual(["k1", "k2", "k3", "k4"]);
    expect(await rig.send("after")).toMatchObject({ outcome: "sent" });
  });

  test("is asked by one order at a time, of different recipients in turn, and not by those that come", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    for (const to of [ANA, BEA, ANA, BEA]) await rig.send("x", { to });
    const before = rig.tries.length;
    for (let n = 0; n < 40; n++) {
      rig.clock.advance(15_000);
      rig.outgoing.start();
      await rig.outgoing.idle();
    }
    const asked = rig.tries.slice(before).map(({ to }) => to);
    expect(asked.filter((to) => to === ANA).length).toBeGreaterThan(10);
    expect(asked.filter((to) => to === BEA).length).toBeGreaterThan(10);
    await rig.send("late");
    expect(asked.length).toBeLessThanOrEqual(40);
  });

  test("and a bridge that is killed: what was answered is on the disk for its owner alone, and sent by the next", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    for (const text of ["1", "2", "3"]) await rig.send(text);
    const file = join(rig.dir, "outgoing.json");
    expect(readFileSync(file, "utf8")).toContain('"3"');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await rig.outgoing.stop();
    const next = await rig.reopen();
    await next.send("4");
    next.isBack();
    await next.settled();
    expect(texts(rig.taken)).toEqual(["1", "2", "3", "4"]);
    await next.outgoing.idle();
    expect(readFileSync(file, "utf8")).not.toContain('"message"');
    expect(rig.log.text() + next.log.text()).not.toContain(ANA);
  });

  test("that took a first try whose answer was lost sends nothing twice", async () => {
    const rig = await openOutgoingRig();
    rig.answers((order) => {
      rig.taken.push(order);
      rig.isAway();
      throw refusal(504, "GATEWAY");
    });
    await rig.send("once");
    rig.isBack();
    await rig.settled();
    expect(texts(rig.taken)).toEqual(["once"]);
    expect(rig.tries.length).toBeGreaterThan(1);
  });

  test("is still refused for a caller who hung up", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    await expect(rig.send("x", { mayWait: false })).rejects.toThrow("ECONNREFUSED");
    expect(rig.outgoing.figures().waiting).toBe(0);
  });

  test("is refused to everybody where nothing may wait", async () => {
    const rig = await openOutgoingRig({ ttlMs: 0 });
    rig.isAway();
    await expect(rig.send("x")).rejects.toThrow("ECONNREFUSED");
    expect(rig.outgoing.figures().waiting).toBe(0);
  });
});

describe("a key", () => {
  test("stands for one order, while it waits and after it was sent", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    const both = await Promise.all([rig.send("x", { key: "k" }), rig.send("x", { key: "k" })]);
    expect(both[0]).toEqual(both[1]);
    expect(await rig.send("x", { key: "k" })).toEqual(both[0]);
    await expect(rig.send("y", { key: "k" })).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
    expect(rig.outgoing.figures().waiting).toBe(1);
    rig.isBack();
    await rig.settled();
    rig.isAway();
    expect(await rig.send("x", { key: "k" })).toMatchObject({ outcome: "sent", messageId: "3A1" });
    expect(rig.taken).toHaveLength(1);
  });
});

describe("the order of things", () => {
  test("what comes for a recipient with orders waiting goes behind them, though the hub takes it", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    await rig.send("1");
    rig.answers(({ text }) => {
      if (text === "1") throw refusal(409, "SESSION_NOT_CONNECTED");
    });
    await until("it was tried again", () => {
      rig.clock.advance(1_000);
      return rig.log.lines("outgoing.hub_back").length > 0;
    });
    expect(await rig.send("2")).toMatchObject({ outcome: "queued" });
    expect(await rig.send("elsewhere", { to: BEA })).toMatchObject({ outcome: "sent" });
    rig.isBack();
    await rig.settled();
    expect(texts(rig.taken)).toEqual(["elsewhere", "1", "2"]);
  });

  test("an earlier one that is still on its way is not overtaken by a later one that was kept sooner", async () => {
    const rig = await openOutgoingRig();
    let letGo: () => void = () => undefined;
    const isHeld = new Promise<void>((resolve) => (letGo = resolve));
    rig.answers(async ({ text }) => {
      if (text === "1") await isHeld;
      throw refusal(503, "OVERLOADED");
    });
    const first = rig.send("1");
    await rig.send("2");
    rig.isBack();
    for (let n = 0; n < 5; n++) {
      rig.clock.advance(15_000);
      rig.outgoing.start();
      await rig.outgoing.idle();
    }
    expect(rig.taken).toEqual([]);
    letGo();
    await first;
    await rig.settled();
    expect(texts(rig.taken)).toEqual(["1", "2"]);
  });
});

describe("an order", () => {
  test("that the hub refuses fails with the reason and holds nobody back", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    await rig.send("bad");
    await rig.send("good");
    rig.answers(({ text }) => {
      if (text === "bad") throw refusal(422, "RECIPIENT_NOT_ON_WHATSAPP");
    });
    await rig.settled();
    expect(texts(rig.taken)).toEqual(["good"]);
    expect(endedOf(rig)).toEqual([
      ["failed", "The hub refused send: RECIPIENT_NOT_ON_WHATSAPP"],
      ["sent", null],
    ]);
    expect(rig.outgoing.figures()).toEqual({ waiting: 0, oldestAt: null, failed: 1 });
  });

  test.each([
    ["the accounts of a hub that came back connect", 409, "SESSION_NOT_CONNECTED"],
    ["a limit of the hub is over", 429, "MESSAGE_RATE_LIMIT_EXCEEDED"],
    ["its first try ends", 409, "IDEMPOTENCY_IN_PROGRESS"],
    ["the bridge has a key again", 401, "INVALID_API_KEY"],
  ])("waits until %s", async (_what, status, code) => {
    const rig = await openOutgoingRig();
    rig.isAway();
    await rig.send("1");
    let refused = 0;
    rig.answers(() => {
      if (++refused < 4) throw refusal(status, code, 1);
    });
    await rig.settled();
    expect(texts(rig.taken)).toEqual(["1"]);
  });

  test("of an account that is not connected, and is called hub, holds no other account back", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    await rig.send("of hub", { sessionId: "hub" });
    await rig.send("of another", { to: BEA });
    rig.answers(({ sessionId }) => {
      if (sessionId === "hub") throw refusal(409, "SESSION_NOT_CONNECTED");
    });
    rig.clock.advance(minutes(1));
    rig.outgoing.start();
    await rig.outgoing.idle();
    expect(texts(rig.taken)).toEqual(["of another"]);
  });

  test("that cannot be sent in its time to live expires, with the reason", async () => {
    const rig = await openOutgoingRig({ ttlMs: minutes(10) });
    rig.isAway();
    await rig.send("1");
    rig.clock.advance(minutes(9));
    await rig.send("2");
    rig.clock.advance(minutes(1));
    await until("the first is given up", () => rig.outgoing.list().ended.length === 1);
    expect(endedOf(rig)[0]).toEqual(["expired", expect.stringContaining("ECONNREFUSED")]);
    rig.isBack();
    await rig.settled();
    expect(texts(rig.taken)).toEqual(["2"]);
  });

  test("can be taken back while it waits, and off the list when it failed; not when it was sent", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    const [one, two, three] = [
      await queueIdOf(rig.send("1")),
      await queueIdOf(rig.send("2")),
      await queueIdOf(rig.send("3")),
    ];
    await rig.outgoing.idle();
    await rig.outgoing.cancel(one);
    rig.answers(({ text }) => {
      if (text === "2") throw refusal(400, "VALIDATION_ERROR");
    });
    await rig.settled();
    expect(texts(rig.taken)).toEqual(["3"]);
    expect(rig.outgoing.figures().failed).toBe(1);
    await rig.outgoing.cancel(two);
    expect(rig.outgoing.figures().failed).toBe(0);
    await expect(rig.outgoing.cancel(three)).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    await expect(rig.outgoing.cancel("out_none")).rejects.toMatchObject({ code: "ORDER_NOT_FOUND" });
  });
});

describe("no room", () => {
  test.each([
    ["orders", { orders: 2, bytes: 1_000 }, "x"],
    ["bytes", { orders: 100, bytes: 1_000 }, "x".repeat(480)],
  ])("for more %s is said, and what is there stays", async (_what, most, text) => {
    const rig = await openOutgoingRig({ most });
    rig.isAway();
    await rig.send(text);
    await rig.send(text);
    await expect(rig.send(text)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    rig.isBack();
    await rig.settled();
    expect(rig.taken).toHaveLength(2);
  });

  test("on the disk: nothing is promised, and nothing is sent later", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    renameSync(rig.dir, `${rig.dir}-gone`);
    await expect(rig.send("1")).rejects.toMatchObject({ code: "STATE_NOT_KEPT" });
    renameSync(`${rig.dir}-gone`, rig.dir);
    expect(rig.outgoing.figures().waiting).toBe(0);
    rig.isBack();
    expect(await rig.send("2")).toMatchObject({ outcome: "sent" });
    expect(texts(rig.taken)).toEqual(["2"]);
  });
});
