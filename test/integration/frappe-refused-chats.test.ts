/** A conversation that the site lets nobody save: what is said in it is kept all the same. */
import { expect, test } from "vitest";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { aChat, aMessage, ANA, NOW, withLast } from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";
import { refuse, type SiteError } from "../support/frappe-site-errors.ts";

closeFrappeRigs();

const CONVERSATION = "WhatsApp Conversation";
const batch = <T>(items: T[], position: number) => ({ sessionId: "s1", position, items });

/** A site where the conversation's own fields stop every save, as one does that somebody made mandatory. */
async function withChat(error: SiteError): Promise<FrappeRig> {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([aMessage({ messageId: "A", content: "A" })], 1));
  rig.site.troubles(({ method, path }) =>
    method === "PUT" && path.includes(CONVERSATION) ? { kind: "error", error } : null,
  );
  return rig;
}

test.each([
  ["a field that somebody made mandatory", refuse.mandatory(CONVERSATION, ["zone"])],
  ["a link to what is gone", refuse.noLink("Assigned To", "eva@example.com")],
])("%s costs a message nothing, nor its edit", async (_what, error) => {
  const { site, adapter, logged } = await withChat(error);
  const said = aMessage({ messageId: "B", timestamp: NOW + 1, content: "B" });
  expect(await adapter.upsertMessages(batch([said], 2))).toMatchObject([{ outcome: "created" }]);
  const edit = { kind: "edit", chatId: ANA, messageId: "A", content: "A!", at: NOW + 2 } as const;
  expect(await adapter.changeMessages(batch([edit], 3))).toMatchObject([{ outcome: "updated" }]);
  expect(site.rows("WhatsApp Message").map((row) => row["content"])).toEqual(["A!", "B"]);
  const [chat] = site.rows(CONVERSATION);
  expect(logged("frappe.chat_not_updated")).toHaveLength(2);
  expect(logged("frappe.chat_not_updated")[0]).toMatchObject({ document: chat?.name });

  site.troubles();
  await adapter.upsertMessages(batch([said], 4));
  expect(site.rows(CONVERSATION)).toMatchObject([{ last_remote_message_id: "B" }]);
});

test("a conversation that a person deletes in the same moment comes back with the next try", async () => {
  const { site, adapter } = await withChat(refuse.notFound(CONVERSATION, "WACONV-0001"));
  const said = aMessage({ messageId: "B", timestamp: NOW + 1, content: "B" });
  await expect(adapter.upsertMessages(batch([said], 2))).rejects.toThrow(CrmUnavailable);
  site.troubles();
  await adapter.upsertMessages(batch([said], 2));
  expect(site.rows(CONVERSATION)).toMatchObject([{ last_remote_message_id: "B" }]);
});

test("a reaction longer than its column costs neither its message nor itself", async () => {
  const { site, adapter } = await openFrappeRig();
  const emoji = `${"x".repeat(139)}👍👍`;
  const reacted = aMessage({ messageId: "A", reactions: [{ from: ANA, emoji, timestamp: NOW }] });
  expect(await adapter.upsertMessages(batch([reacted], 1))).toMatchObject([{ outcome: "created" }]);
  expect(await adapter.upsertMessages(batch([reacted], 2))).toMatchObject([{ outcome: "unchanged" }]);
  expect(site.rows("WhatsApp Message")).toMatchObject([{ has_reaction: 1, reaction: "x".repeat(139) }]);
});

test("a last message whose id is longer than its column costs no chat its record", async () => {
  const { site, adapter } = await openFrappeRig();
  const last = aMessage({ messageId: "L".repeat(141), content: "last" });
  const chat = aChat({ unreadCount: 3, ...withLast(last) });
  expect(await adapter.upsertChats(batch([chat], 1))).toMatchObject([{ outcome: "created" }]);
  expect(await adapter.upsertChats(batch([chat], 2))).toMatchObject([{ outcome: "unchanged" }]);
  expect(site.rows(CONVERSATION)).toMatchObject([{ unread_count: 3, last_message: "last" }]);
});
