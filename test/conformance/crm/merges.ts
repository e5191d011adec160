/** A hidden id gets its phone number: what was kept under it moves, and what was two becomes one. */
import { expect, test } from "vitest";
import type { Outcome } from "../../../bridge/adapter.ts";
import type { MessageChange } from "../../../bridge/records.ts";
import { aChat, aContact, aMessage, ANA, GROUP, HIDDEN, NOW, OWN_NUMBER } from "./records.ts";
import type { Abilities, CrmWorld, CrmWorlds } from "./world.ts";

export function merges(world: CrmWorlds, able: Abilities): void {
  const merge = async ({ adapter }: CrmWorld, position = 20): Promise<Outcome> =>
    (await adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position })).outcome;
  const hidden = (messageId: string, timestamp = NOW) =>
    aMessage({ messageId, chatId: HIDDEN, from: HIDDEN, timestamp, content: messageId });

  test("contact, chat and messages move to the phone number, once", async () => {
    const crm = await world();
    await crm.contacts([aContact({ id: HIDDEN, name: "Ana" })], 1);
    await crm.messages([hidden("A")], 2);
    expect(await merge(crm)).toBe("updated");
    expect(await merge(crm)).toBe("unchanged");
    expect(await crm.adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 1 });
    expect(await crm.adapter.chatDigests("s1")).toEqual([
      { chatId: ANA, messages: 1, oldest: NOW, newest: NOW },
    ]);
    await crm.shows("WhatsApp Contact", {}, { contact_id: ANA, phone_number: "+34600111222" });
    await crm.shows("WhatsApp Conversation", {}, { chat_id: ANA, last_message: "A" });
  });

  test("two chats of one person become one, with all their messages", async () => {
    const crm = await world();
    await crm.contacts([aContact({ id: HIDDEN, name: "Ana" }), aContact()], 1);
    await crm.messages([hidden("A", NOW - 2), hidden("C", NOW)], 2);
    await crm.messages([aMessage({ messageId: "B", timestamp: NOW - 1, content: "B" })], 3);
    expect(await merge(crm)).toBe("updated");
    expect(await crm.adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 3 });
    expect(await crm.adapter.chatDigests("s1")).toEqual([
      { chatId: ANA, messages: 3, oldest: NOW - 2, newest: NOW },
    ]);
    await crm.shows("WhatsApp Conversation", {}, { chat_id: ANA, last_message: "C" });
    expect(await crm.changes([{ kind: "deletion", chatId: ANA, messageId: "A", at: NOW }], 21)).toEqual([
      "updated",
    ]);
  });

  test("a message that both chats hold is there once, at its highest status", async () => {
    const crm = await world();
    const own = { messageId: "A", fromMe: true, timestamp: NOW } as const;
    await crm.messages([aMessage({ ...own, chatId: HIDDEN, to: HIDDEN, status: "read" })], 2);
    await crm.messages([aMessage({ ...own, status: "sent" })], 2);
    await merge(crm);
    expect(await crm.adapter.totals("s1")).toMatchObject({ chats: 1, messages: 1 });
    await crm.shows("WhatsApp Message", { message_id: "A" }, { status: "Read" });
  });

  test.runIf(able.everyonesReaction)(
    "a message that both chats hold keeps the reactions of either",
    async () => {
      const crm = await world();
      const own = { messageId: "A", fromMe: true, timestamp: NOW, status: "sent" } as const;
      await crm.messages([aMessage({ ...own, chatId: HIDDEN, to: HIDDEN })], 2);
      await crm.messages([aMessage(own)], 2);
      const react = (chatId: string, from: string, emoji: string, at: number): MessageChange => ({
        kind: "reaction",
        chatId,
        messageId: "A",
        from,
        emoji,
        at,
      });
      await crm.changes([react(ANA, OWN_NUMBER, "😂", NOW + 1)], 3);
      await crm.changes([react(HIDDEN, HIDDEN, "👍", NOW + 2)], 4);
      await merge(crm);
      const shown = (reaction: string) =>
        crm.shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 1, reaction });
      await shown("👍");
      await crm.changes([react(ANA, ANA, "", NOW + 3)], 21);
      await shown("😂");
    },
  );

  test("a message that both chats hold keeps the moments of either", async () => {
    const crm = await world();
    const own = { messageId: "A", fromMe: true, timestamp: NOW, status: "sent" } as const;
    await crm.messages([aMessage(own)], 2);
    await crm.messages([aMessage({ ...own, chatId: HIDDEN, to: HIDDEN })], 2);
    const told = { kind: "status", messageId: "A", error: null } as const;
    await crm.changes([{ ...told, chatId: HIDDEN, status: "delivered", at: NOW + 5 }], 3);
    const moment = async (): Promise<unknown> =>
      (await crm.look("WhatsApp Message", { message_id: "A" }))
        ?.map((row) => row["delivered_at"])
        .find((at) => typeof at === "string");
    const before = await moment();
    await merge(crm);
    expect(await moment()).toEqual(before);
  });

  test("what is read from the hub after a merge is unchanged", async () => {
    const crm = await world();
    await crm.contacts([aContact({ id: HIDDEN, name: "Ana" })], 1);
    await crm.messages([hidden("A")], 2);
    await merge(crm);
    expect(await crm.messages([aMessage({ messageId: "A", content: "A" })], 25)).toEqual(["unchanged"]);
    expect(await crm.adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 1 });
  });

  test("a merge of somebody unknown makes nothing", async () => {
    const crm = await world();
    expect(["unchanged", "missing"]).toContain(await merge(crm));
    expect(await crm.adapter.totals("s1")).toEqual({ contacts: 0, chats: 0, messages: 0 });
  });

  test("another session's hidden id is somebody else", async () => {
    const crm = await world();
    await crm.messages([hidden("A")], 2);
    await crm.messages([{ ...hidden("B"), sessionId: "s2" }], 2, "s2");
    await merge(crm);
    expect((await crm.adapter.chatDigests("s2")).map(({ chatId }) => chatId)).toEqual([HIDDEN]);
  });

  test.runIf(able.remembersMerges)("what still names the hidden id lands at the person", async () => {
    const crm = await world();
    await crm.messages([hidden("A")], 2);
    await merge(crm);
    expect(await crm.messages([hidden("B", NOW + 1)], 3)).toEqual(["created"]);
    expect(await crm.messages([hidden("A")], 2)).toEqual(["unchanged"]);
    await crm.chats([aChat({ chatId: HIDDEN })], 4);
    await crm.contacts([aContact({ id: HIDDEN })], 4);
    expect(await crm.changes([{ kind: "deletion", chatId: HIDDEN, messageId: "A", at: NOW }], 5)).toEqual([
      "updated",
    ]);
    expect(await crm.adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 2 });
  });

  test.runIf(able.remembersMerges)(
    "a contact that names its hidden id is merged without being told",
    async () => {
      const crm = await world();
      await crm.contacts([aContact({ id: HIDDEN, name: "Ana" })], 1);
      await crm.messages([hidden("A")], 2);
      expect(await crm.contacts([aContact({ lid: HIDDEN })], 5)).toEqual(["updated"]);
      expect(await crm.contacts([aContact({ lid: HIDDEN })], 5)).toEqual(["unchanged"]);
      expect(await crm.adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 1 });
      expect(await merge(crm)).toBe("unchanged");
    },
  );

  test.runIf(able.remembersMerges)("a member of a group is not doubled by getting a number", async () => {
    const crm = await world();
    const said = (participant: string) =>
      aMessage({ messageId: "A", chatId: GROUP, participant, from: participant });
    await crm.messages([said(HIDDEN)], 2);
    await merge(crm);
    expect(await crm.messages([said(ANA)], 21)).toEqual(["unchanged"]);
    expect(await crm.messages([said(HIDDEN)], 2)).toEqual(["unchanged"]);
    expect(await crm.adapter.totals("s1")).toMatchObject({ messages: 1 });
  });
}
