/** A big Frappe site without the indexes of `bridge:prepare`: what asks by a person's number reads all messages, and never ends. */
import { expect, test } from "vitest";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { aContact, aMessage, ANA, EVA, GROUP, HIDDEN } from "../conformance/crm/records.ts";
import { minutes } from "../support/fixed-clock.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";
import type { SiteRequest } from "../support/frappe-site.ts";

closeFrappeRigs();

const batch = <T>(items: T[], position = 1) => ({ sessionId: "s1", position, items });
const inGroup = (messageId: string, participant: string) =>
  aMessage({ messageId, chatId: GROUP, participant, from: participant });
const held = ({ site }: FrappeRig, messageId: string, field: string): unknown =>
  site.rows("WhatsApp Message").find((row) => row["message_id"] === messageId)?.[field] ?? null;

/** Of one chat it would take no time: the site has that index of its own. */
const readsAll = ({ path, query, body }: SiteRequest): boolean => {
  const asked = `${path} ${query} ${body}`;
  return (
    asked.includes("WhatsApp Message") &&
    /\["(?:from|to)_number","(?:in|=)"/.test(asked) &&
    !asked.includes('["conversation","="')
  );
};

/** What was there before the bridge, which is told of it anew. */
async function oldSite() {
  const rig = await openFrappeRig({}, { timeoutMs: 300 });
  await rig.adapter.upsertMessages(batch([inGroup("A", ANA), inGroup("B", HIDDEN)]));
  await rig.adapter.upsertMessages(batch([aMessage({ messageId: "C", chatId: HIDDEN, from: HIDDEN })]));
  const adapter = rig.reopen();
  rig.site.requests();
  rig.site.troubles((request) => (readsAll(request) ? { kind: "silent" } : null));
  return { ...rig, adapter };
}

test("contacts and the messages of new people are taken all the same, and that is said once, with what helps", async () => {
  const rig = await oldSite();
  expect(await rig.adapter.upsertContacts(batch([aContact()], 2))).toMatchObject([{ outcome: "created" }]);
  const fromEva = aMessage({ messageId: "E", chatId: EVA, from: EVA });
  expect(await rig.adapter.upsertMessages(batch([fromEva], 3))).toMatchObject([{ outcome: "created" }]);
  expect(rig.site.requests().filter(readsAll)).toHaveLength(1);
  expect(rig.logged("frappe.question_too_slow")).toEqual([
    expect.objectContaining({
      doctype: "WhatsApp Message",
      advice: expect.stringMatching(/bridge:prepare.*bench migrate/) as unknown,
    }),
  ]);
});

test("a message is linked to its author's contact once the site has the indexes", async () => {
  const rig = await oldSite();
  await rig.adapter.upsertContacts(batch([aContact()], 2));
  rig.site.troubles();
  await rig.adapter.upsertContacts(batch([aContact()], 3));
  expect(held(rig, "A", "contact")).toBe(null);
  rig.clock.advance(minutes(11));
  await rig.adapter.upsertContacts(batch([aContact()], 4));
  expect(held(rig, "A", "contact")).toBe(ANA);
});

test("a merge moves contact, chat and the messages of the chat", async () => {
  const rig = await oldSite();
  const merge = { sessionId: "s1", from: HIDDEN, into: ANA, position: 5 };
  expect(await rig.adapter.mergeContact(merge)).toMatchObject({ outcome: "updated" });
  expect(rig.site.rows("WhatsApp Conversation").map((row) => row["chat_id"])).toEqual([GROUP, ANA]);
  expect([held(rig, "C", "from_number"), held(rig, "C", "contact")]).toEqual(["+34600111222", ANA]);
});

test("a site that does not answer anything else either is not gone on without", async () => {
  const rig = await oldSite();
  let isAway = false;
  rig.site.troubles((request) => {
    isAway ||= readsAll(request);
    return isAway ? { kind: "silent" } : null;
  });
  await expect(rig.adapter.upsertContacts(batch([aContact()], 2))).rejects.toThrow(CrmUnavailable);
  rig.site.troubles();
  await rig.adapter.upsertContacts(batch([aContact()], 2));
  expect(held(rig, "A", "contact")).toBe(ANA);
});

test("a site that asks for patience is no slow one: the merge is not done without its groups", async () => {
  const rig = await oldSite();
  rig.site.troubles();
  const merge = { sessionId: "s1", from: HIDDEN, into: ANA, position: 5 };
  rig.site.troublesNext(readsAll, { kind: "status", status: 503, headers: { "retry-after": "5" } });
  await expect(rig.adapter.mergeContact(merge)).rejects.toThrow(CrmUnavailable);
  expect(rig.logged("frappe.question_too_slow")).toEqual([]);
  expect(await rig.adapter.mergeContact(merge)).toMatchObject({ outcome: "updated" });
  expect(held(rig, "B", "from_number")).toBe("+34600111222");
});

test("a merge that a slow site took without its groups is done with them when it is told again", async () => {
  const rig = await oldSite();
  const merge = { sessionId: "s1", from: HIDDEN, into: ANA, position: 5 };
  await rig.adapter.mergeContact(merge);
  expect(held(rig, "B", "from_number")).not.toBe("+34600111222");
  rig.site.troubles();
  rig.clock.advance(minutes(11));
  await rig.adapter.mergeContact(merge);
  expect(held(rig, "B", "from_number")).toBe("+34600111222");
});
