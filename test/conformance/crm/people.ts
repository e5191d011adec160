/** Contacts and chats: created, updated, linked; whatever is written twice is there once. */
import { expect, test } from "vitest";
import { aChat, aContact, aMessage, ANA, EVA, GROUP, withLast } from "./records.ts";
import type { CrmWorlds } from "./world.ts";

export function people(world: CrmWorlds): void {
  test("a contact is created, updated, and left alone when nothing changed", async () => {
    const { contacts, shows } = await world();
    expect(await contacts([aContact()])).toEqual(["created"]);
    expect(await contacts([aContact()])).toEqual(["unchanged"]);
    expect(await contacts([aContact({ name: "Ana María", isBlocked: true })])).toEqual(["updated"]);
    expect(await contacts([aContact({ name: "Ana María", isBlocked: true })])).toEqual(["unchanged"]);
    await shows(
      "WhatsApp Contact",
      { contact_id: ANA },
      { contact_name: "Ana María", is_blocked: 1, phone_number: "+34600111222" },
    );
  });

  test("a contact whose name was taken away loses it", async () => {
    const { contacts } = await world();
    await contacts([aContact({ about: "At work" })]);
    expect(await contacts([aContact({ about: null })])).toEqual(["updated"]);
    expect(await contacts([aContact({ about: null })])).toEqual(["unchanged"]);
  });

  test("a batch answers for each contact, in its order", async () => {
    const { contacts, adapter } = await world();
    await contacts([aContact({ id: EVA, name: "Eva" })]);
    const batch = [
      aContact(),
      aContact({ id: EVA, name: "Eva" }),
      aContact({ id: "34600555666@c.us", name: null, notify: null, pushname: null }),
    ];
    expect(await contacts(batch)).toEqual(["created", "unchanged", "created"]);
    expect(await contacts(batch)).toEqual(["unchanged", "unchanged", "unchanged"]);
    expect(await adapter.totals("s1")).toEqual({ contacts: 3, chats: 0, messages: 0 });
  });

  test("one contact twice in a batch is one contact", async () => {
    const { contacts, adapter } = await world();
    const [first, second] = await contacts([aContact(), aContact({ name: "Ana María" })]);
    expect(first).toBe("created");
    expect(["updated", "unchanged"]).toContain(second);
    expect(await adapter.totals("s1")).toMatchObject({ contacts: 1 });
  });

  test("an empty batch is nothing", async () => {
    const { contacts, chats, messages, changes } = await world();
    expect(await contacts([])).toEqual([]);
    expect(await chats([])).toEqual([]);
    expect(await messages([])).toEqual([]);
    expect(await changes([])).toEqual([]);
  });

  test("a chat is created, updated, and left alone when nothing changed", async () => {
    const { contacts, chats, shows } = await world();
    await contacts([aContact()]);
    expect(await chats([aChat()])).toEqual(["created"]);
    expect(await chats([aChat()])).toEqual(["unchanged"]);
    expect(await chats([aChat({ unreadCount: 0, archived: true })])).toEqual(["updated"]);
    expect(await chats([aChat({ unreadCount: 0, archived: true })])).toEqual(["unchanged"]);
    await shows("WhatsApp Conversation", { chat_id: ANA }, { unread_count: 0, is_archived: 1, is_group: 0 });
  });

  test("a chat of a person is linked to the contact", async () => {
    const { contacts, chats, look } = await world();
    await contacts([aContact()]);
    await chats([aChat()]);
    const [contact] = (await look("WhatsApp Contact", { contact_id: ANA })) ?? [];
    const [chat] = (await look("WhatsApp Conversation", { chat_id: ANA })) ?? [];
    expect(chat?.["contact"]).toBe(contact?.["name"]);
  });

  test("a chat of somebody unknown makes a bare contact, which the contact itself then fills", async () => {
    const { contacts, chats, adapter, shows } = await world();
    expect(await chats([aChat()])).toEqual(["created"]);
    expect(await adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 0 });
    const [outcome] = await contacts([aContact({ about: "At work" })]);
    expect(outcome).toBe("updated");
    expect(await adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 0 });
    await shows("WhatsApp Contact", { contact_id: ANA }, { about: "At work" });
    expect(await chats([aChat()])).toEqual(["unchanged"]);
  });

  test("a group is a chat and makes no contact", async () => {
    const { chats, adapter, shows } = await world();
    await chats([aChat({ chatId: GROUP, name: "Friends" })]);
    expect(await adapter.totals("s1")).toEqual({ contacts: 0, chats: 1, messages: 0 });
    await shows("WhatsApp Conversation", { chat_id: GROUP }, { is_group: 1, contact_name: "Friends" });
  });

  test("a chat keeps its last message against an older one, and takes a newer one", async () => {
    const { chats, shows } = await world();
    const at = (timestamp: number, content: string) =>
      withLast(aMessage({ messageId: content, content, timestamp }));
    await chats([aChat(at(2_000_000_000, "new"))]);
    await chats([aChat(at(1_900_000_000, "old"))]);
    await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: "new" });
    await chats([aChat(at(2_000_000_001, "newest"))]);
    await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: "newest" });
  });

  test("a chat with a mute, a pin and no end of it is written like any other", async () => {
    const { chats } = await world();
    const odd = [
      aChat({ isMuted: true, muteExpiration: -1 }),
      aChat({ chatId: EVA, isMuted: true, muteExpiration: 1_900_000_000_000, pinned: true }),
    ];
    expect(await chats(odd)).toEqual(["created", "created"]);
    expect(await chats(odd)).toEqual(["unchanged", "unchanged"]);
  });
}
