/** Fields that people fill in: nothing that is synced touches them. */
import { expect, test } from "vitest";
import { aChat, aContact, aMessage, ANA, HIDDEN, NOW, withLast } from "./records.ts";
import type { CrmWorld, CrmWorlds } from "./world.ts";

const OWN = { assigned_to: "eva@example.com", notes: "Calls on Mondays", priority: "High" };

/** The one record of a type is edited by hand; false where the test cannot do that. */
async function edited({ look, personEdits }: CrmWorld, doctype: string, fields: Record<string, string>) {
  const [record] = (await look(doctype)) ?? [];
  if (record === undefined || personEdits === undefined) return false;
  expect(record["name"]).toEqual(expect.any(String));
  await personEdits(doctype, String(record["name"]), fields);
  return true;
}

export function personsOwn(world: CrmWorlds): void {
  test("a contact keeps what people wrote", async ({ skip }) => {
    const crm = await world();
    await crm.contacts([aContact()], 1);
    if (!(await edited(crm, "WhatsApp Contact", OWN))) return skip();
    expect(await crm.contacts([aContact()], 2)).toEqual(["unchanged"]);
    expect(await crm.contacts([aContact({ name: "Ana María" })], 3)).toEqual(["updated"]);
    await crm.shows("WhatsApp Contact", { contact_id: ANA }, { ...OWN, contact_name: "Ana María" });
  });

  test("a chat keeps what people wrote, and the status they gave it", async ({ skip }) => {
    const crm = await world();
    const own = { ...OWN, status: "Blocked" };
    await crm.chats([aChat()], 1);
    if (!(await edited(crm, "WhatsApp Conversation", own))) return skip();
    const message = aMessage({ content: "new", timestamp: NOW + 1 });
    await crm.messages([message], 2);
    await crm.chats([aChat({ unreadCount: 9, ...withLast(message) })], 3);
    await crm.shows(
      "WhatsApp Conversation",
      { chat_id: ANA },
      { ...own, unread_count: 9, last_message: "new" },
    );
  });

  test("a merge carries over what people wrote on either side", async ({ skip }) => {
    const crm = await world();
    await crm.chats([aChat({ chatId: HIDDEN })], 1);
    if (!(await edited(crm, "WhatsApp Conversation", OWN))) return skip();
    await crm.chats([aChat()], 2);
    await crm.adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 3 });
    await crm.shows("WhatsApp Conversation", {}, { chat_id: ANA, ...OWN });
  });
}
