/** What a hidden id leaves behind when it gets its number: in groups, in reactions, in numbers and counts. */
import { expect, test } from "vitest";
import type { MessageChange } from "../../../bridge/records.ts";
import { aChat, aContact, aMessage, ANA, anImage, EVA, GROUP, HIDDEN, NOW } from "./records.ts";
import type { Abilities, CrmWorld, CrmWorlds } from "./world.ts";

export function mergedPeople(world: CrmWorlds, able: Abilities): void {
  const merge = async ({ adapter }: CrmWorld, position = 20, into = ANA) =>
    (await adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into, position })).outcome;
  const inGroup = (participant: string, change: Parameters<typeof aMessage>[0] = {}) =>
    aMessage({ messageId: "A", chatId: GROUP, participant, from: participant, ...change });
  const react = (from: string, emoji: string, at: number): MessageChange => ({
    kind: "reaction",
    chatId: EVA,
    messageId: "A",
    from,
    emoji,
    at,
  });

  test.runIf(able.everyonesReaction && able.remembersMerges)(
    "a reaction that its person took back under the number goes with the merge that is told later",
    async () => {
      const crm = await world();
      await crm.contacts([aContact({ id: HIDDEN, name: "Ana" })], 1);
      await crm.messages([aMessage({ messageId: "A", chatId: EVA, from: EVA })], 2);
      await crm.changes([react(HIDDEN, "👍", NOW + 1)], 3);
      expect(await crm.changes([react(ANA, "", NOW + 5)], 5)).toEqual(["unchanged"]);
      await crm.shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 1 });
      await merge(crm);
      await crm.shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 0 });
    },
  );

  test.runIf(able.everyonesReaction && able.remembersMerges)(
    "of two reactions of one person the later one stays, and taking it back takes back both",
    async () => {
      const crm = await world();
      await crm.contacts([aContact({ id: HIDDEN, name: "Ana" })], 1);
      await crm.messages([aMessage({ messageId: "A", chatId: EVA, from: EVA })], 2);
      await crm.changes([react(ANA, "❤️", NOW + 5)], 5);
      await crm.changes([react(HIDDEN, "👍", NOW + 1)], 3);
      await merge(crm);
      await crm.shows("WhatsApp Message", { message_id: "A" }, { reaction: "❤️" });
      expect(await crm.changes([react(ANA, "", NOW + 9)], 21)).toEqual(["updated"]);
      await crm.shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 0 });
    },
  );

  test.runIf(able.remembersMerges)(
    "a message of a group that was kept under both ids of its author is there once",
    async () => {
      const crm = await world();
      await crm.contacts([aContact({ id: HIDDEN, name: "Ana" })], 1);
      await crm.messages([inGroup(HIDDEN, { content: "…", ...anImage() })], 2);
      await crm.messages([inGroup(ANA, { content: "whole", type: "text" })], 4);
      await merge(crm);
      expect(await crm.adapter.totals("s1")).toMatchObject({ messages: 1 });
      await crm.shows(
        "WhatsApp Message",
        { message_id: "A" },
        { content: "whole", from_number: "+34600111222" },
      );
      expect(await crm.messages([inGroup(ANA, { content: "whole" })], 21)).toEqual(["unchanged"]);
      // One message is what the hub counts, and no file of the other one is left.
      await crm.chats([aChat({ chatId: GROUP, name: "Friends", totalMessages: 1 })], 22);
      await crm.shows("WhatsApp Conversation", { chat_id: GROUP }, { total_messages: 1 });
      const files = await crm.look("WhatsApp Message Media");
      if (files !== null) expect(files).toEqual([]);
    },
  );

  test.runIf(able.remembersMerges)(
    "the copy that stays of a group's message keeps what was told of either",
    async () => {
      const crm = await world();
      await crm.messages([inGroup(HIDDEN, { content: "old" })], 2);
      await crm.changes([{ kind: "edit", chatId: GROUP, messageId: "A", content: "new", at: NOW + 5 }], 3);
      await crm.messages([inGroup(ANA, { content: "old" })], 1);
      await merge(crm);
      await crm.shows("WhatsApp Message", { message_id: "A" }, { content: "new" });
    },
  );

  test("messages carry the number of their person, not the hidden id", async () => {
    const crm = await world();
    await crm.contacts([aContact({ id: HIDDEN, name: "Ana" })], 1);
    await crm.messages(
      [
        aMessage({ messageId: "A", chatId: HIDDEN, from: HIDDEN }),
        aMessage({ messageId: "B", chatId: HIDDEN, to: HIDDEN, fromMe: true }),
        ...(able.remembersMerges ? [inGroup(HIDDEN, { messageId: "C" })] : []),
      ],
      2,
    );
    await merge(crm);
    await crm.shows("WhatsApp Message", { message_id: "A" }, { from_number: "+34600111222" });
    const [own] = (await crm.look("WhatsApp Message", { message_id: "B" })) ?? [];
    if (own !== undefined && "to_number" in own) expect(own["to_number"]).toBe("+34600111222");
    if (able.remembersMerges)
      await crm.shows("WhatsApp Message", { message_id: "C" }, { from_number: "+34600111222" });
  });

  test.runIf(able.remembersMerges)(
    "a hidden id belongs to one person: whoever had it before has it no more",
    async () => {
      const crm = await world();
      await crm.contacts([aContact({ id: HIDDEN, name: "Ana" })], 1);
      await merge(crm, 2);
      await crm.contacts([aContact({ id: EVA, name: "Eva", lid: HIDDEN })], 5);
      const held = async (id: string) => {
        const [contact] = (await crm.look("WhatsApp Contact", { contact_id: id })) ?? [];
        return contact !== undefined && "lid" in contact ? contact["lid"] : undefined;
      };
      if ((await held(EVA)) !== undefined) {
        expect(await held(EVA)).toBe(HIDDEN);
        expect(await held(ANA)).toBe(null);
      }
      await crm.messages([aMessage({ messageId: "A", chatId: HIDDEN, from: HIDDEN })], 6);
      expect((await crm.adapter.chatDigests("s1")).map(({ chatId }) => chatId)).toEqual([EVA]);
      // That a contact is told without one may mean that nobody knows it.
      await crm.contacts([aContact({ id: EVA, name: "Eva", about: "At work", lid: null })], 7);
      if ((await held(EVA)) !== undefined) expect(await held(EVA)).toBe(HIDDEN);
    },
  );

  if (able.ordersMerges)
    test("what is told too late takes a hidden id from nobody: neither a contact nor a merge", async () => {
      const crm = await world();
      const [older, newer] = [ANA, EVA];
      const keepsIt = async () => {
        const [contact] = (await crm.look("WhatsApp Contact", { contact_id: newer })) ?? [];
        if (contact !== undefined && "lid" in contact) expect(contact["lid"]).toBe(HIDDEN);
        const [other] = (await crm.look("WhatsApp Contact", { contact_id: older })) ?? [];
        if (other !== undefined && "lid" in other) expect(other["lid"]).toBe(null);
      };
      await crm.contacts([aContact({ id: HIDDEN, name: "Eva" })], 10);
      await merge(crm, 20, newer);
      await crm.contacts([aContact({ id: older, lid: HIDDEN })], 15);
      await keepsIt();
      await merge(crm, 16, older);
      await keepsIt();
      await crm.contacts([aContact({ id: older, name: "Ana María", lid: HIDDEN })], 17);
      await keepsIt();
      await crm.messages([aMessage({ messageId: "A", chatId: HIDDEN, from: HIDDEN })], 21);
      expect((await crm.adapter.chatDigests("s1")).map(({ chatId }) => chatId)).toEqual([newer]);
      // Told again it is known for longer.
      await merge(crm, 30, newer);
      await merge(crm, 25, older);
      await keepsIt();
      await merge(crm, 31, older);
      await crm.messages([aMessage({ messageId: "B", chatId: HIDDEN, from: HIDDEN })], 32);
      expect((await crm.adapter.chatDigests("s1")).map(({ chatId }) => chatId).sort()).toEqual(
        [newer, older].sort(),
      );
    });
}
