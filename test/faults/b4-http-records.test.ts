/** A CRM of six calls, and a CRM that fails over one record: neither holds up what comes after. */
import { describe, expect, test } from "vitest";
import { CrmMisconfigured, CrmUnavailable } from "../../bridge/errors.ts";
import { aChat, aContact, aMessage, ANA, aSessionRecord, HIDDEN, NOW } from "../conformance/crm/records.ts";
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
