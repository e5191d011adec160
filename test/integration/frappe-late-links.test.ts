/** Links of a Frappe site's messages to what comes after them, when the bridge that wrote them is not the one that goes on. */
import { expect, test } from "vitest";
import { aContact, aMessage, ANA, GROUP, HIDDEN, NOW } from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";
import type { SiteRequest } from "../support/frappe-site.ts";
import { SiteError } from "../support/frappe-site-errors.ts";

closeFrappeRigs();

const batch = <T>(items: T[], position = 1) => ({ sessionId: "s1", position, items });
const inGroup = (messageId: string, participant = ANA) =>
  aMessage({ messageId, chatId: GROUP, participant, from: participant });
const held = ({ site }: FrappeRig, messageId: string, field: string): unknown =>
  site.rows("WhatsApp Message").find((row) => row["message_id"] === messageId)?.[field] ?? null;

test("a message from before a restart is linked to its author's contact when that is made", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([inGroup("A")]));
  await rig.reopen().upsertContacts(batch([aContact()], 2));
  expect(held(rig, "A", "contact")).toBe(ANA);
});

test("a message that was missed is linked when it is read again", async () => {
  const rig = await openFrappeRig();
  const answer = aMessage({ messageId: "B", quotedMessageId: "A", timestamp: NOW + 1 });
  await rig.adapter.upsertMessages(batch([answer]));
  const next = rig.reopen();
  await next.upsertMessages(batch([aMessage({ messageId: "A" })], 2));
  expect(held(rig, "B", "quoted_message")).toBe(null);
  expect(await next.upsertMessages(batch([answer], 3))).toMatchObject([{ outcome: "updated" }]);
  expect(held(rig, "B", "quoted_message")).toBe(held(rig, "A", "name"));
});

test("what waited for a link and was deleted by a person holds nobody up", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([aMessage({ messageId: "B", quotedMessageId: "A" })]));
  await rig.adapter.upsertMessages(batch([inGroup("C")]));
  for (const messageId of ["B", "C"])
    rig.site.store.table("WhatsApp Message").delete(String(held(rig, messageId, "name")));
  expect(await rig.adapter.upsertMessages(batch([aMessage({ messageId: "A" })], 2))).toMatchObject([
    { outcome: "created" },
  ]);
  expect(await rig.adapter.upsertContacts(batch([aContact()], 3))).not.toMatchObject([
    { outcome: "rejected" },
  ]);
});

test("a merge that a contact told first, to a bridge that was restarted, still reaches the groups", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([inGroup("A", HIDDEN)]));
  const next = rig.reopen();
  await next.upsertContacts(batch([aContact({ lid: HIDDEN })], 2));
  const merge = { sessionId: "s1", from: HIDDEN, into: ANA, position: 3 };
  expect(await next.mergeContact(merge)).toMatchObject({ outcome: "updated" });
  expect(held(rig, "A", "contact")).toBe(ANA);
  expect(held(rig, "A", "from_number")).toBe("+34600111222");
  rig.site.requests();
  await next.mergeContact(merge);
  expect(rig.site.requests()).toEqual([]);
});

test("a link to a first session's messages costs a page of contacts no question more", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([aMessage({ messageId: "A" })]));
  rig.site.requests();
  const [eva] = await rig.adapter.upsertContacts(batch([aContact({ id: "34600333444@c.us" })], 2));
  expect(eva).toMatchObject({ outcome: "created" });
  const asked = rig.site.requests().filter(({ path }) => path.includes("WhatsApp Message"));
  expect(asked).toEqual([]);
});

/** The site goes away once a contact was inserted, before any message is linked to it. */
function failsAfterInsert({ site }: FrappeRig): void {
  let isMade = false;
  site.troubles(({ method, path }) => {
    if (isMade) return { kind: "status", status: 503 };
    isMade = method === "POST" && path.endsWith("WhatsApp Contact");
    return null;
  });
}

test("a link that failed after its contact was made is made when the contact is told again", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([inGroup("A")]));
  failsAfterInsert(rig);
  await expect(rig.adapter.upsertContacts(batch([aContact()], 2))).rejects.toThrow();
  rig.site.troubles();
  expect([rig.site.rows("WhatsApp Contact").length, held(rig, "A", "contact")]).toEqual([1, null]);
  await rig.adapter.upsertContacts(batch([aContact()], 2));
  expect(held(rig, "A", "contact")).toBe(ANA);
});

test("a link that a kill kept from being made is asked for once after it", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([inGroup("A")]));
  failsAfterInsert(rig);
  await expect(rig.adapter.upsertContacts(batch([aContact()], 2))).rejects.toThrow();
  rig.site.troubles();
  const next = rig.reopen();
  await next.upsertContacts(batch([aContact()], 2));
  expect(held(rig, "A", "contact")).toBe(ANA);
  rig.site.requests();
  await next.upsertContacts(batch([aContact()], 3));
  expect(rig.site.requests().filter(({ path }) => path.includes("WhatsApp Message"))).toEqual([]);
});

test("an author of more messages than are remembered has them all linked", async () => {
  const rig = await openFrappeRig();
  for (let part = 0; part < 6; part += 1)
    await rig.adapter.upsertMessages(batch(Array.from({ length: 50 }, (_, n) => inGroup(`A${part}-${n}`))));
  await rig.adapter.upsertContacts(batch([aContact()], 2));
  expect(rig.site.rows("WhatsApp Message").map((row) => row["contact"])).toEqual(Array(300).fill(ANA));
});

test("a link that the site refuses is made when the contact is told again", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([inGroup("A"), inGroup("B")]));
  const name = String(held(rig, "B", "name"));
  const isRefused = ({ method, path, body }: SiteRequest): boolean =>
    method !== "GET" && (path.endsWith(name) || (path.endsWith("bulk_update") && body.includes(name)));
  const error = new SiteError(417, "ValidationError", "Closed");
  rig.site.troubles((request) => (isRefused(request) ? { kind: "error", error } : null));
  await rig.adapter.upsertContacts(batch([aContact()], 2));
  expect([held(rig, "A", "contact"), held(rig, "B", "contact")]).toEqual([ANA, null]);
  rig.site.troubles();
  await rig.adapter.upsertContacts(batch([aContact()], 3));
  expect(held(rig, "B", "contact")).toBe(ANA);
});

test("a link that the site refused after a restart of the bridge is made when the contact is told again", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([inGroup("A")]));
  const next = rig.reopen();
  const isRefused = ({ method, path }: SiteRequest): boolean =>
    method === "PUT" && path.includes("WhatsApp Message/");
  const error = new SiteError(417, "ValidationError", "Closed");
  rig.site.troublesNext(isRefused, { kind: "error", error });
  await next.upsertContacts(batch([aContact()], 2));
  expect(held(rig, "A", "contact")).toBe(null);
  await next.upsertContacts(batch([aContact()], 3));
  expect(held(rig, "A", "contact")).toBe(ANA);
});

test("an answer under the number is linked to what was said under the hidden id once both are one", async () => {
  const rig = await openFrappeRig();
  const hidden = { chatId: HIDDEN, from: HIDDEN } as const;
  await rig.adapter.upsertMessages(batch([aMessage({ ...hidden, messageId: "A" })]));
  const answers = [
    aMessage({ messageId: "B", quotedMessageId: "A", timestamp: NOW + 1 }),
    aMessage({ ...hidden, messageId: "C", quotedMessageId: "D", timestamp: NOW + 2 }),
  ];
  await rig.adapter.upsertMessages(batch(answers, 2));
  await rig.adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 3 });
  expect(held(rig, "B", "quoted_message")).toBe(held(rig, "A", "name"));
  await rig.adapter.upsertMessages(batch([aMessage({ messageId: "D" })], 4));
  expect(held(rig, "C", "quoted_message")).toBe(held(rig, "D", "name"));
});

test("a message of a group whose author got their number before they had a contact is linked to it later", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([inGroup("A", HIDDEN)]));
  await rig.adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 2 });
  await rig.adapter.upsertMessages(batch([aMessage({ messageId: "B" })], 3));
  expect(held(rig, "A", "contact")).toBe(ANA);
});

test("somebody who only wrote in groups is merged also where a contact alone tells whose hidden id it is", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([inGroup("A", HIDDEN)]));
  await rig.adapter.upsertContacts(batch([aContact({ lid: HIDDEN })], 2));
  expect([held(rig, "A", "from_number"), held(rig, "A", "contact")]).toEqual(["+34600111222", ANA]);
});
