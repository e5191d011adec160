/** A CRM of six calls, and a CRM that fails over one record: neither holds up what comes after. */
import { describe, expect, test } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { CrmMisconfigured, CrmUnavailable } from "../../bridge/errors.ts";
import {
  aChat,
  aClient,
  aContact,
  aMessage,
  ANA,
  aSessionRecord,
  HIDDEN,
  NOW,
} from "../conformance/crm/records.ts";
import { batch, good, itemsOf, keyOf, openCrm, type Reply, type Taken } from "../support/answering-crm.ts";

describe("a call that a CRM may lack", () => {
  const edit = { kind: "edit", chatId: ANA, messageId: "A", content: "x", at: NOW } as const;
  const isExtra = ({ path }: Taken): boolean => path === "/changes/batch";

  test("is not taken for lacking while the CRM has lost its other paths as well", async () => {
    let isDeployed = false;
    const { adapter } = await openCrm((taken) => (isDeployed ? good(taken) : { status: 404 }));
    await expect(adapter.changeMessages(batch([edit]))).rejects.toThrow(CrmMisconfigured);
    isDeployed = true;
    expect(await adapter.changeMessages(batch([edit]))).toEqual([{ outcome: "created" }]);
  });

  test("and that worked before is broken, not lacking", async () => {
    let isBroken = false;
    const { adapter } = await openCrm((taken) =>
      isBroken && isExtra(taken) ? { status: 404 } : good(taken),
    );
    expect(await adapter.changeMessages(batch([edit]))).toEqual([{ outcome: "created" }]);
    isBroken = true;
    await expect(adapter.changeMessages(batch([edit]))).rejects.toThrow(CrmMisconfigured);
  });

  test("is not one of the six", async () => {
    for (const path of [
      "/sessions/s1",
      "/contacts/batch",
      "/chats/batch",
      "/messages/batch",
      "/statuses/batch",
    ]) {
      const { adapter } = await openCrm((taken) => (taken.path === path ? { status: 404 } : good(taken)));
      const status = {
        kind: "status",
        chatId: ANA,
        messageId: "A",
        status: "read",
        at: NOW,
        error: null,
      } as const;
      const all = async (): Promise<void> => {
        await adapter.upsertSession(aSessionRecord(), 1);
        await adapter.upsertContacts(batch([aContact()]));
        await adapter.upsertChats(batch([aChat()]));
        await adapter.upsertMessages(batch([aMessage()]));
        await adapter.changeMessages(batch([status]));
      };
      await expect(all()).rejects.toThrow(CrmMisconfigured);
    }
  });

  test("may be refused for a parameter, and an empty batch for being empty", async () => {
    const { adapter } = await openCrm((taken) => {
      const isOdd =
        taken.path.includes("chats=1") || (taken.method === "POST" && itemsOf(taken).length === 0);
      return isOdd ? { status: 422, body: { message: "The items field is required." } } : good(taken);
    });
    await adapter.check();
    expect(await adapter.chatDigests("s1")).toEqual([]);
  });
});

describe("a record over which the CRM fails", () => {
  const many = (n: number) =>
    Array.from({ length: n }, (_, m) => aMessage({ messageId: `M${m}`, timestamp: NOW + m }));
  const has = (one: Taken, ...ids: string[]): boolean =>
    itemsOf(one).some((item) => ids.includes(String(item["messageId"])));
  const fails: Reply = { status: 500, body: { message: "value too long for type character varying(140)" } };

  test("is found by sending less, and is refused alone, with the CRM's words", async () => {
    const { adapter, taken } = await openCrm((one) => (has(one, "M7", "M63") ? fails : good(one)));
    const results = await adapter.upsertMessages(batch(many(100)));
    expect(results.filter(({ outcome }) => outcome === "created")).toHaveLength(98);
    for (const n of [7, 63])
      expect(results[n]).toEqual({
        outcome: "rejected",
        error: "POST /messages/batch: value too long for type character varying(140)",
      });
    expect(taken.length).toBeLessThan(40);
  });

  test("is refused also where the CRM has all the others already", async () => {
    const { adapter } = await openCrm((one) => {
      const unchanged = itemsOf(one).map((item) => ({ key: keyOf(item), outcome: "unchanged" }));
      const { body } = good(one) as { body: object };
      return has(one, "M7") ? fails : { status: 200, body: { ...body, results: unchanged } };
    });
    const results = await adapter.upsertMessages(batch(many(10)));
    expect(results[7]).toMatchObject({ outcome: "rejected" });
    expect(results.filter(({ outcome }) => outcome === "unchanged")).toHaveLength(9);
  });

  test.each([
    [3, 1],
    [4, 2],
    [6, 2],
  ])("is refused also where a batch begins with %i of them, at delivery %i", async (bad, deliveries) => {
    const ids = Array.from({ length: bad }, (_, n) => `M${n}`);
    const { adapter } = await openCrm((one) => (has(one, ...ids) ? fails : good(one)));
    const tell = () => adapter.upsertMessages(batch(many(100)));
    for (let n = 1; n < deliveries; n++) await expect(tell()).rejects.toThrow(CrmUnavailable);
    const outcomes = (await tell()).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(many(100).map((_, n) => (n < bad ? "rejected" : "created")));
  });

  test.each([
    [2, 3],
    [3, 3],
    [4, 4],
  ])("is refused also where %i such are all of a batch, at delivery %i", async (bad, deliveries) => {
    const { adapter } = await openCrm((one) => (has(one, "M0", "M1", "M2", "M3") ? fails : good(one)));
    const tell = () => adapter.upsertMessages(batch(many(bad)));
    for (let n = 1; n < deliveries; n++) {
      await expect(tell()).rejects.toThrow(CrmUnavailable);
      await adapter.upsertMessages(batch([aMessage({ messageId: `GOOD${n}` })]));
    }
    expect((await tell()).map(({ outcome }) => outcome)).toEqual(Array(bad).fill("rejected"));
  });

  test.each([1, 3, 4, 100])(
    "is none where the CRM failed over all %i of a batch for a moment, twice",
    async (n) => {
      let isAway = true;
      const { adapter } = await openCrm((one) =>
        isAway && one.path === "/messages/batch" ? fails : good(one),
      );
      const tell = () => adapter.upsertMessages(batch(many(n)));
      for (const id of ["GOOD1", "GOOD2"]) {
        isAway = true;
        await expect(tell()).rejects.toThrow(CrmUnavailable);
        isAway = false;
        await adapter.upsertMessages(batch([aMessage({ messageId: id })]));
      }
      expect((await tell()).filter(({ outcome }) => outcome === "created")).toHaveLength(n);
    },
  );

  test("that comes alone is refused at its third time, once the CRM has taken another one", async () => {
    const { adapter } = await openCrm((one) => (has(one, "BAD") ? fails : good(one)));
    const bad = () => adapter.upsertMessages(batch([aMessage({ messageId: "BAD" })]));
    for (let n = 0; n < 4; n++) await expect(bad()).rejects.toThrow(CrmUnavailable);
    await adapter.upsertMessages(batch([aMessage({ messageId: "GOOD" })]));
    expect(await bad()).toMatchObject([{ outcome: "rejected" }]);
  });

  test("may be a merge: it is given up as others are", async () => {
    const { adapter } = await openCrm((one) => (one.path === "/contacts/merge" ? fails : good(one)));
    const merge = () => adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 1 });
    for (let n = 0; n < 4; n++) await expect(merge()).rejects.toThrow(CrmUnavailable);
    await adapter.upsertMessages(batch(many(1)));
    expect(await merge()).toMatchObject({ outcome: "rejected" });
  });

  test("is nobody's fault where all of them fail: it is the CRM's, and few questions are asked", async () => {
    const { adapter, taken } = await openCrm((one) => (one.path === "/messages/batch" ? fails : good(one)));
    for (let n = 0; n < 5; n++)
      await expect(adapter.upsertMessages(batch(many(100)))).rejects.toThrow(CrmUnavailable);
    expect(taken.length).toBeLessThan(100);
  });

  test.each<[string, Reply]>([
    ["503", { status: 503 }],
    ["500 with a time to come back", { status: 500, headers: { "retry-after": "5" } }],
  ])("is not looked for on %s", async (_what, reply) => {
    const { adapter, taken } = await openCrm((one) => (has(one, "M1") ? reply : good(one)));
    for (let n = 0; n < 4; n++)
      await expect(adapter.upsertMessages(batch(many(4)))).rejects.toThrow(CrmUnavailable);
    expect(taken).toHaveLength(4);
  });

  test("is not looked for while the CRM does not answer at all, nor when it fails once", async () => {
    const down = await openCrm(() => fails);
    for (let n = 0; n < 4; n++)
      await expect(down.adapter.upsertMessages(batch(many(4)))).rejects.toThrow(CrmUnavailable);
    let failed = 0;
    const once = await openCrm((one) =>
      one.path === "/messages/batch" && failed++ === 0 ? fails : good(one),
    );
    expect(await once.adapter.upsertMessages(batch(many(4)))).toHaveLength(4);
    expect(once.taken.filter(({ path }) => path === "/messages/batch")).toHaveLength(2);
  });
});

describe("a CRM that refuses everything, as one does under a wrong name of its host", () => {
  const page: Reply = {
    status: 400,
    headers: { "content-type": "text/html" },
    body: "<h1>Bad Request (400)</h1>",
  };
  const contacts = Array.from({ length: 100 }, (_, n) => aContact({ id: `346001${1000 + n}@c.us` }));
  const calls: [string, (adapter: CrmAdapter) => Promise<unknown>][] = [
    ["a batch", (adapter) => adapter.upsertContacts(batch(contacts))],
    ["a record that comes alone", (adapter) => adapter.upsertMessages(batch([aMessage()]))],
    ["a session", (adapter) => adapter.upsertSession(aSessionRecord(), 1)],
    ["a merge", (adapter) => adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 1 })],
    ["a client", async (adapter) => adapter.clients?.create(aClient())],
    [
      "a question about a client",
      async (adapter) => adapter.clients?.find({ externalId: "1", nationalId: "2" }),
    ],
  ];

  test.each(calls)("has nothing given up: %s waits until it is well", async (_what, call) => {
    let isWell = true;
    const { adapter, taken } = await openCrm((one) => (isWell ? good(one) : page));
    await adapter.check();
    isWell = false;
    const before = taken.length;
    await expect(call(adapter)).rejects.toThrow(CrmMisconfigured);
    expect(taken.length - before).toBe(2);
    isWell = true;
    expect(JSON.stringify(await call(adapter))).not.toContain("rejected");
  });

  test("and begins to in the middle of a batch that it would have refused one record of", async () => {
    let asked = 0;
    const { adapter } = await openCrm((one) => {
      const isOfRecord = itemsOf(one).some((item) => item["id"] === contacts[7]?.id);
      if (one.method === "POST") asked += 1;
      return asked > 3 || isOfRecord ? page : good(one);
    });
    await expect(adapter.upsertContacts(batch(contacts))).rejects.toThrow(CrmMisconfigured);
  });
});

describe("a record that the CRM refuses while it does not say how much it holds", () => {
  test.each<[string, Reply]>([
    ["as it fails", { status: 500 }],
    ["as it is busy", { status: 503, headers: { "retry-after": "7" } }],
    ["in time", "silent"],
    ["in JSON", { status: 200, body: "<h1>Back soon</h1>" }],
  ])("%s waits for a CRM that is away, and no setting is blamed", async (_how, reply) => {
    let isBusy = true;
    const { adapter } = await openCrm(
      (one) => {
        if (one.path.startsWith("/stats")) return isBusy ? reply : good(one);
        return { status: 422, body: { message: "phone is too long" } };
      },
      { timeoutMs: 300 },
    );
    const tell = (): Promise<unknown> => adapter.upsertContacts(batch([aContact()]));
    await expect(tell()).rejects.toThrow(CrmUnavailable);
    await expect(adapter.clients?.create(aClient())).rejects.toThrow(CrmUnavailable);
    await expect(adapter.upsertSession(aSessionRecord(), 1)).rejects.toThrow(CrmUnavailable);
    const retryAfterSeconds = typeof reply === "object" && reply.headers !== undefined ? 7 : null;
    await expect(tell()).rejects.toMatchObject({ retryAfterSeconds });
    isBusy = false;
    expect(await tell()).toMatchObject([{ outcome: "rejected" }]);
  });
});

describe("a CRM that fills in all members of its answers", () => {
  test.each([
    ["made", { outcome: "created", id: 7, error: null }, { outcome: "created", id: "7" }],
    [
      "refused",
      { outcome: "rejected", id: null, error: "too long" },
      { outcome: "rejected", error: "too long" },
    ],
  ])("has a client %s", async (_what, body, result) => {
    const { adapter } = await openCrm(() => ({ status: 200, body }));
    expect(await adapter.clients?.create(aClient())).toEqual(result);
    expect(await adapter.clients?.update("7", aClient())).toEqual(result);
  });

  test("has a client without an external id, however it says so", async () => {
    const one = { id: 5, matchedBy: "nationalId" };
    for (const external of [{}, { externalId: null }, { externalId: "" }]) {
      const { adapter } = await openCrm(() => ({
        status: 200,
        body: { clients: [{ ...one, ...external }] },
      }));
      expect(await adapter.clients?.find({ externalId: "x", nationalId: "1" })).toEqual([
        { id: "5", matchedBy: "nationalId", externalId: null },
      ]);
    }
  });
});
