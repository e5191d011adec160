/** Positions: what is told late never overwrites what was told after it. */
import { expect, test } from "vitest";
import type { MessageChange } from "../../../bridge/records.ts";
import { aChat, aContact, aMessage, ANA, aSessionRecord, NOW, withLast } from "./records.ts";
import type { Abilities, CrmWorlds } from "./world.ts";

export function order(world: CrmWorlds, able: Abilities): void {
  test("the same state at a later position is unchanged, and at the same position too", async () => {
    const { contacts, chats, messages } = await world();
    const message = aMessage();
    await contacts([aContact()], 5);
    await chats([aChat()], 5);
    await messages([message], 5);
    for (const position of [5, 6, 6]) {
      expect(await contacts([aContact()], position)).toEqual(["unchanged"]);
      expect(await chats([aChat()], position)).toEqual(["unchanged"]);
      expect(await messages([message], position)).toEqual(["unchanged"]);
    }
  });

  test("an equal position may overwrite: a list and an event may share it", async () => {
    const { contacts, shows } = await world();
    await contacts([aContact()], 5);
    expect(await contacts([aContact({ name: "Ana María" })], 5)).toEqual(["updated"]);
    await shows("WhatsApp Contact", { contact_id: ANA }, { contact_name: "Ana María" });
  });

  test.runIf(able.keepsPositions)(
    "an older contact, chat or session never overwrites a newer one",
    async () => {
      const { adapter, contacts, chats, shows } = await world();
      await adapter.upsertSession(aSessionRecord({ status: "connected" }), 9);
      await contacts([aContact({ name: "New" })], 9);
      await chats([aChat({ unreadCount: 7 })], 9);

      const old = aSessionRecord({ status: "disconnected", isConnected: false });
      expect(await adapter.upsertSession(old, 8)).toMatchObject({ outcome: "unchanged" });
      expect(await contacts([aContact({ name: "Old" })], 8)).toEqual(["unchanged"]);
      expect(await chats([aChat({ unreadCount: 1 })], 8)).toEqual(["unchanged"]);
      await shows("WhatsApp Session", { session_id: "s1" }, { status: "Connected" });
      await shows("WhatsApp Contact", { contact_id: ANA }, { contact_name: "New" });
      await shows("WhatsApp Conversation", { chat_id: ANA }, { unread_count: 7 });
    },
  );

  test.runIf(able.keepsPositions)("a state between two that were equal is still old news", async () => {
    const { contacts, shows } = await world();
    await contacts([aContact({ name: "Ana" })], 5);
    await contacts([aContact({ name: "Ana" })], 9);
    expect(await contacts([aContact({ name: "Anita" })], 7)).toEqual(["unchanged"]);
    await shows("WhatsApp Contact", { contact_id: ANA }, { contact_name: "Ana" });
  });

  test.runIf(able.keepsPositions)("positions may be as big as numbers are exact", async () => {
    const { contacts, messages, changes } = await world();
    const base = Number.MAX_SAFE_INTEGER - 10;
    const message = aMessage({ messageId: "A", fromMe: true });
    await contacts([aContact()], base);
    await messages([message], base);
    expect(await contacts([aContact()], base)).toEqual(["unchanged"]);
    expect(await contacts([aContact({ name: "Old" })], base - 1)).toEqual(["unchanged"]);
    expect(await contacts([aContact({ name: "New" })], base + 1)).toEqual(["updated"]);
    const read = {
      kind: "status",
      chatId: ANA,
      messageId: "A",
      status: "read",
      at: NOW,
      error: null,
    } as const;
    expect(await changes([read], base)).toEqual(["unchanged"]);
    expect(await changes([read], base + 1)).toEqual(["updated"]);
  });

  test("a bare contact is filled by whatever is told of it, however old", async () => {
    const { messages, contacts, shows } = await world();
    await messages([aMessage()], 9);
    expect(await contacts([aContact({ about: "At work" })], 3)).toEqual(["updated"]);
    await shows("WhatsApp Contact", { contact_id: ANA }, { about: "At work" });
  });

  test.runIf(able.keepsPositions)("a change that a newer copy already shows is unchanged", async () => {
    const { messages, changes, shows } = await world();
    await messages([aMessage({ messageId: "A", fromMe: true, status: "sent", content: "edited" })], 10);
    const told: MessageChange[] = [
      { kind: "edit", chatId: ANA, messageId: "A", content: "older words", at: NOW + 1 },
      { kind: "status", chatId: ANA, messageId: "A", status: "failed", at: NOW, error: "late" },
      { kind: "reaction", chatId: ANA, messageId: "A", from: ANA, emoji: "👍", at: NOW },
    ];
    expect(await changes(told, 9)).toEqual(["unchanged", "unchanged", "unchanged"]);
    expect(await changes(told, 10)).toEqual(["unchanged", "unchanged", "unchanged"]);
    await shows(
      "WhatsApp Message",
      { message_id: "A" },
      { content: "edited", status: "Sent", has_reaction: 0 },
    );
  });

  test("a list read before an edit does not bring the old words back", async () => {
    const { messages, changes, shows } = await world();
    const original = aMessage({ messageId: "A", content: "first" });
    await messages([original], 1);
    await changes([{ kind: "edit", chatId: ANA, messageId: "A", content: "second", at: NOW + 5 }], 7);
    expect(await messages([original], 6)).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { content: "second" });
    const edited = { ...original, content: "second", body: "second", editedAt: NOW + 5 };
    expect(await messages([edited], 8)).toEqual(["unchanged"]);
  });

  test.runIf(able.keepsPositions)(
    "of two edits within one second the one told later stays, whatever was read or told in between",
    async () => {
      const { messages, changes, shows } = await world();
      const original = aMessage({ messageId: "A", content: "first" });
      const edit = (content: string): MessageChange => ({
        kind: "edit",
        chatId: ANA,
        messageId: "A",
        content,
        at: NOW + 5,
      });
      const showsWords = async (content: string): Promise<void> => {
        await shows("WhatsApp Message", { message_id: "A" }, { content });
        await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: content });
      };
      await messages([original], 1);
      await changes([edit("third")], 8);
      // A page that was read between the two edits, and the first of them, come late.
      const between = { ...original, content: "second", body: "second", editedAt: NOW + 5 };
      expect(await messages([between], 6)).toEqual(["unchanged"]);
      expect(await changes([edit("second")], 7)).toEqual(["unchanged"]);
      await showsWords("third");

      expect(await changes([edit("fourth")], 9)).toEqual(["updated"]);
      await showsWords("fourth");
      // Told again at a later place: what was told before that is old news now.
      await changes([edit("fourth")], 11);
      expect(await changes([edit("fifth")], 10)).toEqual(["unchanged"]);
      const read = { ...between, content: "sixth", body: "sixth" };
      expect(await messages([read], 12)).toEqual(["updated"]);
      await showsWords("sixth");
    },
  );

  test.runIf(able.keepsPositions)("a list read before a reaction does not take it away", async () => {
    const { messages, changes, shows } = await world();
    const message = aMessage({ messageId: "A" });
    const react = (emoji: string, at: number): MessageChange => ({
      kind: "reaction",
      chatId: ANA,
      messageId: "A",
      from: ANA,
      emoji,
      at,
    });
    await messages([message], 1);
    await changes([react("👍", NOW + 5)], 7);
    expect(await messages([message], 6)).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { reaction: "👍" });

    await changes([react("", NOW + 6)], 9);
    const reacted = { ...message, reactions: [{ from: ANA, emoji: "👍", timestamp: NOW + 5 }] };
    expect(await messages([reacted], 8)).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 0 });
  });

  test.runIf(able.keepsPositions)(
    "an event applied again takes back nothing that was told since",
    async () => {
      const { messages, changes, shows } = await world();
      const asItCame = aMessage({ messageId: "A", fromMe: true, status: "pending", content: "first" });
      const about = { chatId: ANA, messageId: "A" } as const;
      await messages([asItCame], 5);
      await changes([{ ...about, kind: "edit", content: "second", at: NOW + 1 }], 6);
      await changes([{ ...about, kind: "reaction", from: ANA, emoji: "👍", at: NOW + 2 }], 7);
      await changes([{ ...about, kind: "status", status: "read", at: NOW + 3, error: null }], 8);
      expect(await messages([asItCame], 5)).toEqual(["unchanged"]);
      await shows(
        "WhatsApp Message",
        { message_id: "A" },
        { content: "second", reaction: "👍", status: "Read" },
      );
    },
  );

  test("statuses that overtake one another end where they would have in order", async () => {
    const { messages, changes, shows } = await world();
    await messages([aMessage({ messageId: "A", fromMe: true, status: "pending" })], 2);
    const status = (word: "sent" | "delivered" | "read"): MessageChange => ({
      kind: "status",
      chatId: ANA,
      messageId: "A",
      status: word,
      at: NOW,
      error: null,
    });
    await changes([status("read")], 5);
    await changes([status("sent")], 3);
    await changes([status("delivered")], 4);
    await shows("WhatsApp Message", { message_id: "A" }, { status: "Read" });
  });

  test.runIf(able.keepsPositions)(
    "of a failure and a later proof of sending the later one counts",
    async () => {
      const { messages, changes, shows } = await world();
      const failed: MessageChange = {
        kind: "status",
        chatId: ANA,
        messageId: "A",
        status: "failed",
        at: NOW,
        error: "no answer",
      };
      const sent: MessageChange = { ...failed, status: "sent", error: null };
      await messages([aMessage({ messageId: "A", fromMe: true, status: "pending" })], 1);
      expect(await changes([sent], 6)).toEqual(["updated"]);
      expect(await changes([failed], 5)).toEqual(["unchanged"]);
      expect(await changes([failed], 8)).toEqual(["updated"]);
      expect(await changes([sent], 9)).toEqual(["updated"]);
      await shows("WhatsApp Message", { message_id: "A" }, { status: "Sent" });
    },
  );

  test("a chat that was read before its newest message keeps that message", async () => {
    const { messages, chats, shows } = await world();
    const older = aMessage({ messageId: "older", content: "older", timestamp: NOW - 60 });
    await messages([older], 3);
    await messages([aMessage({ messageId: "newer", content: "newer", timestamp: NOW })], 8);
    await chats([aChat(withLast(older))], 5);
    await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: "newer" });
  });

  test.runIf(able.keepsPositions)(
    "of two messages in one second the one told later is the last",
    async () => {
      const { messages, shows } = await world();
      await messages([aMessage({ messageId: "B", content: "second" })], 6);
      await messages([aMessage({ messageId: "A", content: "first" })], 5);
      await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: "second" });
    },
  );
}
