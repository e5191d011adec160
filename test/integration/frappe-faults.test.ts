/** A document over which a site's own code fails: it is given up alone, and only while the site takes others. */
import { describe, expect, test } from "vitest";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { createFailedItems } from "../../bridge/failed-items.ts";
import type { SyncQueue } from "../../bridge/sync/sync-queue.ts";
import { fill, later, syncWorld, type SyncWorld } from "../support/sync-rig.ts";
import { aContact, aMessage, aSessionRecord, GROUP } from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";
import type { SiteRequest } from "../support/frappe-site.ts";
import { SiteError } from "../support/frappe-site-errors.ts";
import { minutes } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";

closeFrappeRigs();

const CONTACT = "WhatsApp Contact";
const MESSAGE = "WhatsApp Message";
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

  test("is refused alone also when it was there before and only changes", async () => {
    const rig = await openFrappeRig();
    await rig.adapter.upsertContacts(batch(contacts(1, 20), 1));
    rig.site.troubles((request) => {
      if (request.path.endsWith("bulk_update")) {
        // The site's own method goes on with the others, and names those that failed.
        for (let n = 1; n <= 20; n += 1)
          if (n !== 7) rig.site.store.save(CONTACT, personId(n), { contact_name: "Other" });
        const failed_docs = [{ doc: { docname: personId(7) }, exc: "AttributeError" }];
        return { kind: "status", status: 200, body: JSON.stringify({ message: { failed_docs } }) };
      }
      return request.method === "PUT" ? { kind: "error", error: stumbles } : null;
    });
    const changed = contacts(1, 20).map((one) => ({ ...one, name: "Other" }));
    const results = await rig.adapter.upsertContacts(batch(changed, 2));
    expect(results[6]).toMatchObject({ outcome: "rejected" });
    expect(outcomes(results).filter((one) => one === "updated")).toHaveLength(19);
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
