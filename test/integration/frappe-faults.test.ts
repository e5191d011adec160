/** A document over which a site's own code fails: it is given up alone, and only while the site takes others. */
import { describe, expect, test } from "vitest";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { createFailedItems } from "../../bridge/failed-items.ts";
import type { SyncQueue } from "../../bridge/sync/sync-queue.ts";
import { fill, later, syncWorld, type SyncWorld } from "../support/sync-rig.ts";
import { aContact, aMessage, ANA, aSessionRecord, GROUP, NOW } from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";
import type { SiteRequest } from "../support/frappe-site.ts";
import { SiteError } from "../support/frappe-site-errors.ts";
import { minutes } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";

closeFrappeRigs();

const CONTACT = "WhatsApp Contact";
const MESSAGE = "WhatsApp Message";
const CONVERSATION = "WhatsApp Conversation";
const stumbles = new SiteError(500, "AttributeError", "'NoneType' object has no attribute 'lower'");
const batch = <T>(items: T[], position: number | null = null) => ({ sessionId: "s1", position, items });
const contact = (n: number, change: object = {}) => aContact({ id: personId(n), ...change });
const contacts = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => contact(from + n));

const isWrite = ({ method, path }: SiteRequest): boolean =>
  method === "PUT" || (method === "POST" && (path.includes("/resource/") || path.endsWith("insert_many")));

/** The site's code fails over every document of the type in which this text stands. */
function failsOver({ site }: FrappeRig, doctype: string, word: string): void {
  site.troubles((request) =>
    isWrite(request) &&
    `${request.path} ${request.body}`.includes(doctype) &&
    `${request.path} ${request.body}`.includes(word)
      ? { kind: "error", error: stumbles }
      : null,
  );
}

function failsOverEach({ site }: FrappeRig, doctype: string, ids: string[]): void {
  const words = ids.map((id) => `"contact_id":"${id}"`);
  site.troubles((request) => {
    const sent = `${request.path} ${request.body}`;
    const isBad = sent.includes(doctype) && words.some((word) => sent.includes(word));
    return isWrite(request) && isBad ? { kind: "error", error: stumbles } : null;
  });
}

/** A job and the tries that it may have. */
async function settled(world: SyncWorld, queue: SyncQueue): Promise<void> {
  for (let n = 0; n < 3; n += 1) {
    await queue.idle();
    await later(world, 120_000);
  }
  await queue.idle();
}

const outcomes = (results: { outcome: string }[]): string[] => results.map(({ outcome }) => outcome);

describe("a contact over which the site fails", () => {
  test.each([1, 30, 50, 51, 120])(
    "as number %i of a page is refused alone, with what the site said",
    async (bad) => {
      const rig = await openFrappeRig();
      failsOver(rig, CONTACT, `"contact_id":"${personId(bad)}"`);
      const results = await rig.adapter.upsertContacts(batch(contacts(1, 120)));
      expect(outcomes(results).filter((one) => one === "created")).toHaveLength(119);
      expect(results[bad - 1]).toEqual({
        outcome: "rejected",
        error: expect.stringContaining("AttributeError: ") as string,
      });
      expect(rig.site.rows(CONTACT)).toHaveLength(119);
    },
  );

  test.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [6, 2],
  ])("is refused also where a page begins with %i of them, at delivery %i", async (bad, deliveries) => {
    const rig = await openFrappeRig();
    failsOverEach(
      rig,
      CONTACT,
      Array.from({ length: bad }, (_, n) => personId(n + 1)),
    );
    const tell = () => rig.adapter.upsertContacts(batch(contacts(1, 50)));
    for (let n = 1; n < deliveries; n += 1) await expect(tell()).rejects.toThrow(CrmUnavailable);
    const results = outcomes(await tell());
    expect(results).toEqual(Array.from({ length: 50 }, (_, n) => (n < bad ? "rejected" : "created")));
    expect(rig.site.rows(CONTACT)).toHaveLength(50 - bad);
  });

  test("costs a later page two requests, and is taken once the site is mended", async () => {
    const rig = await openFrappeRig();
    failsOver(rig, CONTACT, `"contact_id":"${personId(7)}"`);
    await rig.adapter.upsertContacts(batch(contacts(1, 60)));
    rig.site.requests();
    const again = await rig.adapter.upsertContacts(batch(contacts(1, 60)));
    expect(outcomes(again).filter((one) => one === "rejected")).toHaveLength(1);
    expect(rig.site.requests().length).toBeLessThanOrEqual(4);
    rig.site.troubles();
    expect((await rig.adapter.upsertContacts(batch([contact(7)])))[0]).toMatchObject({ outcome: "created" });
  });

  test("that comes alone is refused after three tries, once the site has taken another", async () => {
    const rig = await openFrappeRig();
    failsOver(rig, CONTACT, `"contact_id":"${personId(7)}"`);
    const tell = () => rig.adapter.upsertContacts(batch([contact(7)]));
    for (let n = 0; n < 4; n += 1) await expect(tell()).rejects.toThrow(CrmUnavailable);
    await rig.adapter.upsertContacts(batch([contact(8)]));
    expect(await tell()).toMatchObject([{ outcome: "rejected" }]);
  });

  test("that comes alone is not refused for what the site failed over for a moment, twice", async () => {
    const rig = await openFrappeRig();
    const tell = (n: number) => rig.adapter.upsertContacts(batch([contact(n)]));
    failsOver(rig, CONTACT, `"contact_id":"${personId(7)}"`);
    await expect(tell(7)).rejects.toThrow(CrmUnavailable);
    await tell(8);
    await expect(tell(7)).rejects.toThrow(CrmUnavailable);
    rig.site.troubles();
    expect(await tell(7)).toMatchObject([{ outcome: "created" }]);
  });

  test("that comes alone to a site that takes other records is refused after five minutes, and is the only one", async () => {
    const rig = await openFrappeRig();
    await rig.adapter.upsertSession(aSessionRecord(), null);
    failsOver(rig, CONTACT, "");
    const tell = (n: number) => rig.adapter.upsertContacts(batch([contact(n)]));
    for (let n = 0; n < 4; n += 1) await expect(tell(7)).rejects.toThrow(CrmUnavailable);
    await rig.adapter.upsertMessages(batch([aMessage({ chatId: GROUP, isGroup: true, messageId: "A" })]));
    await expect(tell(7)).rejects.toThrow(CrmUnavailable);
    rig.clock.advance(minutes(5));
    expect(await tell(7)).toMatchObject([{ outcome: "rejected" }]);
    for (let n = 0; n < 6; n += 1) {
      await expect(tell(8)).rejects.toThrow(CrmUnavailable);
      await rig.adapter.upsertMessages(
        batch([aMessage({ chatId: GROUP, isGroup: true, messageId: `B${n}` })]),
      );
      rig.clock.advance(minutes(5));
    }
  });

  test.each([
    [[7], 20],
    [[10, 20, 30, 40], 50],
  ])("is refused alone also when it was there before and only changes: %j of %i", async (bad, count) => {
    const rig = await openFrappeRig();
    await rig.adapter.upsertContacts(batch(contacts(1, count), 1));
    rig.site.troubles((request) => {
      if (request.path.endsWith("bulk_update")) {
        // The site's own method goes on with the others, and names those that failed.
        for (let n = 1; n <= count; n += 1)
          if (!bad.includes(n)) rig.site.store.save(CONTACT, personId(n), { contact_name: "Other" });
        const failed_docs = bad.map((n) => ({ doc: { docname: personId(n) }, exc: "AttributeError" }));
        return { kind: "status", status: 200, body: JSON.stringify({ message: { failed_docs } }) };
      }
      return request.method === "PUT" ? { kind: "error", error: stumbles } : null;
    });
    const changed = contacts(1, count).map((one) => ({ ...one, name: "Other" }));
    const results = outcomes(await rig.adapter.upsertContacts(batch(changed, 2)));
    expect(results).toEqual(changed.map((_, n) => (bad.includes(n + 1) ? "rejected" : "updated")));
  });

  test("keeps none of its person's messages out", async () => {
    const rig = await openFrappeRig();
    failsOver(rig, CONTACT, `"contact_id":"${personId(7)}"`);
    await rig.adapter.upsertContacts(batch(contacts(1, 20)));
    const said = aMessage({ chatId: personId(7), from: personId(7), messageId: "A" });
    expect(await rig.adapter.upsertMessages(batch([said]))).toMatchObject([{ outcome: "created" }]);
  });

  test("costs the sync that record: the job completes with one error", async () => {
    const rig = await openFrappeRig();
    const world = syncWorld({ crm: rig.adapter });
    fill(world.hub, { contacts: 120, chats: 3, messages: 4 });
    failsOver(rig, CONTACT, `"contact_id":"${personId(77)}"`);
    const { queue } = world.begin();
    await queue.start();
    await queue.request("s1", "connected");
    await settled(world, queue);
    expect(queue.jobs()).toMatchObject([{ status: "completed", contacts: { created: 119, errors: 1 } }]);
    expect(createFailedItems({ state: world.state, clock: world.time.clock }).list()).toMatchObject([
      { kind: "contact", key: personId(77), error: expect.stringContaining("AttributeError") as string },
    ]);
    expect(rig.site.rows(MESSAGE)).toHaveLength(12);
  });
});

describe("a site whose code fails over all new documents of a type, or over all changes of them", () => {
  const fresh = (n: number, chatId = ANA) =>
    aMessage({ chatId, from: chatId, messageId: `NEW${n}`, timestamp: NOW + n });
  const broken = async (isBroken: (sent: SiteRequest) => boolean) => {
    const rig = await openFrappeRig();
    await rig.adapter.upsertSession(aSessionRecord(), null);
    await rig.adapter.upsertMessages(batch([aMessage({ messageId: "OLD", fromMe: true })]));
    rig.site.troubles((sent) =>
      isWrite(sent) && isBroken(sent) ? { kind: "error", error: stumbles } : null,
    );
    const tell = (n: number, chatId?: string) => rig.adapter.upsertMessages(batch([fresh(n, chatId)]));
    const status = (to: "delivered" | "read") =>
      rig.adapter.changeMessages(
        batch([{ kind: "status", chatId: ANA, messageId: "OLD", status: to, at: NOW + 9, error: null }]),
      );
    return { rig, tell, status };
  };
  const isOf = ({ path, body }: SiteRequest, doctype: string): boolean =>
    path.includes(`/resource/${doctype}`) ||
    (path.endsWith("insert_many") && body.includes(`"doctype":"${doctype}"`));

  test("refuses no new message, though it takes changes of old ones", async () => {
    const { rig, tell, status } = await broken((sent) => sent.method === "POST" && isOf(sent, MESSAGE));
    for (const to of ["delivered", "read"] as const) {
      await expect(tell(1)).rejects.toThrow(CrmUnavailable);
      expect(await status(to)).toMatchObject([{ outcome: "updated" }]);
      for (let n = 0; n < 4; n += 1) await expect(tell(1)).rejects.toThrow(CrmUnavailable);
    }
    rig.site.troubles();
    expect(await tell(1)).toMatchObject([{ outcome: "created" }]);
  });

  test("refuses no message of a new chat, though it takes those of known chats", async () => {
    const { rig, tell } = await broken((sent) => sent.method === "POST" && isOf(sent, CONVERSATION));
    const other = personId(5);
    for (const n of [2, 3]) {
      await expect(tell(1, other)).rejects.toThrow(CrmUnavailable);
      expect(await tell(n)).toMatchObject([{ outcome: "created" }]);
      for (let m = 0; m < 4; m += 1) await expect(tell(1, other)).rejects.toThrow(CrmUnavailable);
    }
    rig.site.troubles();
    expect(await tell(1, other)).toMatchObject([{ outcome: "created" }]);
  });

  test("refuses no change, though it takes new messages", async () => {
    const { rig, tell, status } = await broken((sent) => sent.method === "PUT" && isOf(sent, MESSAGE));
    for (const n of [1, 2]) {
      await expect(status("read")).rejects.toThrow(CrmUnavailable);
      expect(await tell(n)).toMatchObject([{ outcome: "created" }]);
      for (let m = 0; m < 4; m += 1) await expect(status("read")).rejects.toThrow(CrmUnavailable);
    }
    rig.site.troubles();
    expect(await status("read")).toMatchObject([{ outcome: "updated" }]);
  });
});

describe("a site that fails over everything", () => {
  test.each([
    ["it is sent", isWrite],
    ["it is asked", () => true],
  ])("%s is away, and refuses nothing", async (_what, matches) => {
    const rig = await openFrappeRig();
    const world = syncWorld({ crm: rig.adapter });
    fill(world.hub, { contacts: 60, chats: 2, messages: 2 });
    rig.site.troubles((request) => (matches(request) ? { kind: "error", error: stumbles } : null));
    const { queue } = world.begin();
    await queue.start();
    await queue.request("s1", "manual");
    await settled(world, queue);
    expect(queue.jobs()).toMatchObject([{ status: "failed", attempts: 3 }]);
    expect(createFailedItems({ state: world.state, clock: world.time.clock }).list()).toEqual([]);
    rig.site.troubles();
    await queue.request("s1", "manual");
    await settled(world, queue);
    expect(queue.jobs().at(-1)).toMatchObject({ status: "completed", contacts: { created: 60, errors: 0 } });
  });

  test("again and again, and takes others in between, is still away for a page of which it takes nothing", async () => {
    const rig = await openFrappeRig();
    const page = () => rig.adapter.upsertContacts(batch(contacts(1, 4)));
    for (let n = 10; n < 12; n += 1) {
      failsOver(rig, CONTACT, "");
      await expect(page()).rejects.toThrow(CrmUnavailable);
      rig.site.troubles();
      await rig.adapter.upsertContacts(batch([contact(n)]));
    }
    expect(outcomes(await page())).toEqual(["created", "created", "created", "created"]);
  });

  test("from the middle of a page on is away for what was left", async () => {
    const rig = await openFrappeRig();
    let written = 0;
    rig.site.troubles((request) => {
      if (!isWrite(request) || !request.body.includes("contact_id")) return null;
      if (request.path.endsWith("insert_many")) return { kind: "error", error: stumbles };
      written += 1;
      return written > 30 ? { kind: "error", error: stumbles } : null;
    });
    await rig.adapter.upsertSession(aSessionRecord(), null);
    const work = rig.adapter.upsertContacts(batch(contacts(1, 50)));
    await expect(work).rejects.toThrow(CrmUnavailable);
    rig.site.troubles();
    const after = await rig.adapter.upsertContacts(batch(contacts(1, 50)));
    expect(outcomes(after).filter((one) => one === "rejected")).toEqual([]);
  });
});
