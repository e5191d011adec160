/** Which answers mean that the hub is away, and which are its own word: a proxy may speak in its place. */
import { describe, expect, test } from "vitest";
import { openOutgoingRig, refusal } from "../support/outgoing-rig.ts";
import { until } from "../support/until.ts";

const texts = (orders: { text: unknown }[]) => orders.map(({ text }) => text);
const [ANA, BEA] = ["34600111222", "34600333444"];

describe("a hub that is away", () => {
  test.each([502, 503, 504])("may be one behind a proxy that says %s", async (status) => {
    const rig = await openOutgoingRig();
    rig.answers(() => {
      throw refusal(status, "OVERLOADED");
    });
    expect(await rig.send("x")).toMatchObject({ outcome: "queued" });
  });

  test.each([200, 301, 400, 404, 405, 500, 521])(
    "may be one whose place a proxy's page with %s takes",
    async (status) => {
      const rig = await openOutgoingRig();
      rig.answers(() => {
        throw refusal(status, null);
      });
      expect(await rig.send("x")).toMatchObject({ outcome: "queued" });
      rig.isBack();
      await rig.settled();
      expect(texts(rig.taken)).toEqual(["x"]);
    },
  );

  test.each([
    [404, "SESSION_NOT_FOUND"],
    [500, "INTERNAL_ERROR"],
    [413, null],
    [403, null],
  ])("is not one that refuses, with %s %s", async (status, code) => {
    const rig = await openOutgoingRig();
    rig.answers(() => {
      throw refusal(status, code);
    });
    await expect(rig.send("x")).rejects.toMatchObject({ status });
    expect(rig.outgoing.figures().waiting).toBe(0);
  });

  test("loses nothing of what waits to such a page", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    for (const text of ["1", "2", "3"]) await rig.send(text);
    rig.answers(() => {
      throw refusal(301, null);
    });
    const before = rig.tries.length;
    await until("it was tried twice more", () => {
      rig.clock.advance(1_000);
      rig.outgoing.start();
      return rig.tries.length > before + 1;
    });
    expect(rig.outgoing.figures()).toMatchObject({ waiting: 3, failed: 0 });
    rig.isBack();
    await rig.settled();
    expect(texts(rig.taken)).toEqual(["1", "2", "3"]);
  });

  test("only for files, for want of room, takes all else meanwhile", async () => {
    const rig = await openOutgoingRig();
    rig.answers(({ to }) => {
      if (to === ANA) throw refusal(503, "OVERLOADED", 30);
    });
    expect(await rig.send("picture", { to: ANA, type: "image" })).toMatchObject({ outcome: "queued" });
    expect(await rig.send("text", { to: BEA })).toMatchObject({ outcome: "sent" });
    rig.clock.advance(31_000);
    rig.outgoing.start();
    await rig.outgoing.idle();
    expect(await rig.send("text", { to: BEA })).toMatchObject({ outcome: "sent" });
    rig.isBack();
    await rig.settled();
    expect(texts(rig.taken)).toEqual(["text", "text", "picture"]);
  });
});

describe("a hub that lets the bridge's key ask no more for a while", () => {
  const isSpent = () => {
    throw refusal(429, "RATE_LIMIT_EXCEEDED", 40);
  };

  test("gets what was ordered when the while is over, and is not asked before", async () => {
    const rig = await openOutgoingRig();
    rig.answers(isSpent);
    expect(await rig.send("1", { to: ANA })).toMatchObject({ outcome: "queued" });
    expect(await rig.send("2", { to: BEA, sessionId: "s2" })).toMatchObject({ outcome: "queued" });
    expect(await rig.send("3", { to: ANA })).toMatchObject({ outcome: "queued" });
    rig.clock.advance(39_000);
    rig.outgoing.start();
    await rig.outgoing.idle();
    expect(texts(rig.tries)).toEqual(["1"]);
    rig.isBack();
    rig.clock.advance(2_000);
    rig.outgoing.start();
    await until("all are sent", () => rig.taken.length === 3);
    expect(texts(rig.taken.filter(({ to }) => to === ANA))).toEqual(["1", "3"]);
    expect(await rig.send("4", { to: BEA })).toMatchObject({ outcome: "sent" });
  });

  test("is waited for by what waited before, whole", async () => {
    const rig = await openOutgoingRig();
    rig.isAway();
    for (const to of [ANA, BEA]) await rig.send("x", { to });
    rig.answers(isSpent);
    await until("it was tried once more", () => {
      rig.clock.advance(1_000);
      rig.outgoing.start();
      return rig.tries.length > 1;
    });
    await rig.outgoing.idle();
    const before = rig.tries.length;
    rig.clock.advance(30_000);
    rig.outgoing.start();
    await rig.outgoing.idle();
    expect(rig.tries).toHaveLength(before);
    rig.isBack();
    await rig.settled();
    expect(rig.taken.map(({ to }) => to).toSorted()).toEqual([ANA, BEA]);
  });

  test("still refuses whoever sends too much in one session", async () => {
    const rig = await openOutgoingRig();
    rig.answers(() => {
      throw refusal(429, "MESSAGE_RATE_LIMIT_EXCEEDED", 40);
    });
    await expect(rig.send("x")).rejects.toMatchObject({ code: "MESSAGE_RATE_LIMIT_EXCEEDED" });
    expect(rig.outgoing.figures().waiting).toBe(0);
  });
});
