/** Reactions: one per person, changed and taken back. */
import { expect, test } from "vitest";
import type { MessageChange } from "../../../bridge/records.ts";
import { aMessage, ANA, EVA, GROUP, HIDDEN, NOW } from "./records.ts";
import type { Abilities, CrmWorlds } from "./world.ts";

const reaction = (emoji: string, at: number, from = ANA): MessageChange => ({
  kind: "reaction",
  chatId: ANA,
  messageId: "A",
  from,
  emoji,
  at,
});

export function reactions(world: CrmWorlds, able: Abilities): void {
  test("a reaction is set, changed and taken back", async () => {
    const { messages, changes, shows } = await world();
    await messages([aMessage({ messageId: "A" })]);
    const step = async (change: MessageChange) => (await changes([change])).at(0);

    expect(await step(reaction("👍", NOW + 1))).toBe("updated");
    expect(await step(reaction("👍", NOW + 1))).toBe("unchanged");
    await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 1, reaction: "👍" });

    expect(await step(reaction("❤️", NOW + 2))).toBe("updated");
    await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 1, reaction: "❤️" });

    expect(await step(reaction("", NOW + 3))).toBe("updated");
    expect(await step(reaction("", NOW + 3))).toBe("unchanged");
    await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 0 });
  });

  test("taking back a reaction that was never there changes nothing", async () => {
    const { messages, changes } = await world();
    await messages([aMessage({ messageId: "A" })]);
    expect(await changes([reaction("", NOW)])).toEqual(["unchanged"]);
  });

  test.runIf(able.keepsPositions)(
    "of reactions that overtake one another the last one told stays",
    async () => {
      const { messages, changes, shows } = await world();
      await messages([aMessage({ messageId: "A" })], 1);
      // Taken back before it is known to have been set.
      expect(await changes([reaction("", NOW + 2)], 3)).toEqual(["unchanged"]);
      expect(await changes([reaction("👍", NOW + 1)], 2)).toEqual(["unchanged"]);
      await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 0 });
      // The same one again, later: what was told between the two is old news.
      await changes([reaction("❤️", NOW + 3)], 4);
      expect(await changes([reaction("❤️", NOW + 5)], 6)).toEqual(["unchanged"]);
      expect(await changes([reaction("", NOW + 4)], 5)).toEqual(["unchanged"]);
      await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 1, reaction: "❤️" });
    },
  );

  test("a message that comes with its reactions has them", async () => {
    const { messages, shows } = await world();
    const reacted = aMessage({ messageId: "A", reactions: [{ from: ANA, emoji: "👍", timestamp: NOW }] });
    expect(await messages([reacted])).toEqual(["created"]);
    expect(await messages([reacted])).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 1, reaction: "👍" });
  });

  test("a message read again with the reaction that was told is unchanged", async () => {
    const { messages, changes } = await world();
    await messages([aMessage({ messageId: "A" })], 1);
    await changes([reaction("👍", NOW + 1)], 2);
    const reacted = aMessage({ messageId: "A", reactions: [{ from: ANA, emoji: "👍", timestamp: NOW + 1 }] });
    expect(await messages([reacted], 3)).toEqual(["unchanged"]);
  });

  test.runIf(able.everyonesReaction)("in a group everyone has a reaction of their own", async () => {
    const { messages, changes, shows } = await world();
    await messages([aMessage({ messageId: "A", chatId: GROUP, participant: ANA })]);
    const inGroup = (emoji: string, at: number, from: string): MessageChange => ({
      ...reaction(emoji, at, from),
      chatId: GROUP,
    });
    await changes([inGroup("👍", NOW + 1, ANA), inGroup("😂", NOW + 2, EVA)]);
    await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 1, reaction: "😂" });
    await changes([inGroup("", NOW + 3, EVA)]);
    await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 1, reaction: "👍" });
    await changes([inGroup("", NOW + 4, ANA)]);
    await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 0 });
  });

  test.runIf(able.remembersMerges && able.everyonesReaction)(
    "a reaction set under a hidden id is taken back under the number, and the other way round",
    async () => {
      const { adapter, messages, changes, shows } = await world();
      await messages([aMessage({ messageId: "A", chatId: GROUP, participant: EVA })], 1);
      const inGroup = (emoji: string, at: number, from: string): MessageChange => ({
        ...reaction(emoji, at, from),
        chatId: GROUP,
      });
      await changes([inGroup("👍", NOW + 1, HIDDEN)], 2);
      await messages([aMessage({ chatId: HIDDEN, from: HIDDEN })], 3);
      await adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 4 });
      expect(await changes([inGroup("", NOW + 2, ANA)], 5)).toEqual(["updated"]);
      await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 0 });
      expect(await changes([inGroup("😂", NOW + 3, ANA)], 6)).toEqual(["updated"]);
      expect(await changes([inGroup("", NOW + 4, HIDDEN)], 7)).toEqual(["updated"]);
      await shows("WhatsApp Message", { message_id: "A" }, { has_reaction: 0 });
    },
  );
}
