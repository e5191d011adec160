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
