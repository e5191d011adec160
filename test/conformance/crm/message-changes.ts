/** Statuses, edits and deletions: what a message becomes, and what it never becomes again. */
import { describe, expect, test } from "vitest";
import type { MessageStatus } from "../../../hub/contract/index.ts";
import type { MessageChange } from "../../../bridge/records.ts";
import { aMessage, ANA, EVA, GROUP, NOW } from "./records.ts";
import type { Abilities, CrmWorld, CrmWorlds } from "./world.ts";

const status = (word: MessageStatus, error: string | null = null): MessageChange => ({
  kind: "status",
  chatId: ANA,
  messageId: "A",
  status: word,
  at: NOW,
  error,
});
const edit = (content: string, at: number): MessageChange => ({
  kind: "edit",
  chatId: ANA,
  messageId: "A",
  content,
  at,
});
const deletion: MessageChange = { kind: "deletion", chatId: ANA, messageId: "A", at: NOW };

async function withOwnMessage(world: CrmWorlds, word: MessageStatus = "pending"): Promise<CrmWorld> {
  const made = await world();
  await made.messages([aMessage({ messageId: "A", fromMe: true, status: word })]);
  return made;
}

export function messageChanges(world: CrmWorlds, able: Abilities): void {
  test("a status rises, and never goes back", async () => {
    const { changes, shows } = await withOwnMessage(world);
    expect(await changes([status("sent"), status("delivered"), status("read")])).toEqual([
      "updated",
      "updated",
      "updated",
    ]);
    expect(await changes([status("delivered"), status("sent"), status("pending"), status("read")])).toEqual([
      "unchanged",
      "unchanged",
      "unchanged",
      "unchanged",
    ]);
    expect(await changes([status("failed")])).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { status: "Read" });
  });

  test("a message fails while it is pending or sent, and a receipt proves the contrary", async () => {
    for (const word of ["pending", "sent"] as const) {
      const { changes, shows } = await withOwnMessage(world, word);
      expect(await changes([status("failed", "no such number")])).toEqual(["updated"]);
      expect(await changes([status("failed", "no such number")])).toEqual(["unchanged"]);
      await shows("WhatsApp Message", { message_id: "A" }, { status: "Failed" });
      expect(await changes([status("delivered")])).toEqual(["updated"]);
      expect(await changes([status("failed", "no such number")])).toEqual(["unchanged"]);
      await shows("WhatsApp Message", { message_id: "A" }, { status: "Delivered" });
    }
  });

  test("a message written again with a lower status keeps the higher one", async () => {
    const { changes, messages, shows } = await withOwnMessage(world);
    await changes([status("read")]);
    expect(await messages([aMessage({ messageId: "A", fromMe: true, status: "sent" })])).toEqual([
      "unchanged",
    ]);
    await shows("WhatsApp Message", { message_id: "A" }, { status: "Read" });
  });

  test("a message written again with a higher status takes it", async () => {
    const { messages, shows } = await withOwnMessage(world);
    expect(await messages([aMessage({ messageId: "A", fromMe: true, status: "read" })])).toEqual(["updated"]);
    await shows("WhatsApp Message", { message_id: "A" }, { status: "Read" });
  });

  test("an outgoing message knows when it was sent", async () => {
    const { look } = await withOwnMessage(world);
    const [message] = (await look("WhatsApp Message", { message_id: "A" })) ?? [{ sent_at: "unseen" }];
    expect(message?.["sent_at"]).toEqual(expect.any(String));
  });

  test("an edit changes the words, here and in the chat; the later edit wins", async () => {
    const { changes, shows } = await withOwnMessage(world);
    expect(await changes([edit("second", NOW + 20)])).toEqual(["updated"]);
    expect(await changes([edit("second", NOW + 20)])).toEqual(["unchanged"]);
    expect(await changes([edit("first", NOW + 10)])).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { content: "second" });
    await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: "second" });
    expect(await changes([edit("third", NOW + 30)])).toEqual(["updated"]);
    await shows("WhatsApp Message", { message_id: "A" }, { content: "third" });
  });

  test("an edit of an older message leaves the chat's last message alone", async () => {
    const { messages, changes, shows } = await withOwnMessage(world);
    await messages([aMessage({ messageId: "B", content: "last", timestamp: NOW + 1 })]);
    await changes([edit("edited", NOW + 2)]);
    await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: "last" });
  });

  test("a deletion is final: no status, edit or older copy undoes it", async () => {
    const { changes, messages, adapter, shows } = await withOwnMessage(world);
    expect(await changes([deletion])).toEqual(["updated"]);
    expect(await changes([deletion, status("read"), edit("back", NOW + 60)])).toEqual([
      "unchanged",
      "unchanged",
      "unchanged",
    ]);
    await messages([aMessage({ messageId: "A", fromMe: true, status: "read" })]);
    await shows("WhatsApp Message", { message_id: "A" }, { status: "Deleted" });
    expect(await adapter.totals("s1")).toMatchObject({ messages: 1 });
  });

  test("a deletion that overtakes an edit ends with the words of that edit, here and in the chat", async () => {
    const { messages, changes, shows } = await world();
    await messages([aMessage({ messageId: "A", content: "old" })], 1);
    expect(await changes([{ ...deletion, at: NOW + 10 }], 6)).toEqual(["updated"]);
    expect(await changes([edit("new", NOW + 5)], 5)).toEqual(["updated"]);
    expect(await changes([edit("after the end", NOW + 20)], 7)).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { content: "new", status: "Deleted" });
    await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: "new" });
  });

  test("a deletion that was told without its edit takes the words that are read afterwards", async () => {
    const { messages, changes, shows } = await world();
    await messages([aMessage({ messageId: "A", content: "old" })], 1);
    await changes([{ ...deletion, at: NOW + 10 }], 6);
    const whole = {
      messageId: "A",
      content: "new",
      editedAt: NOW + 5,
      status: "deleted",
      deletedAt: NOW + 10,
    } as const;
    expect(await messages([aMessage(whole)], 8)).toEqual(["updated"]);
    expect(await messages([aMessage(whole)], 8)).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { content: "new", status: "Deleted" });
  });

  test("a failure is forgotten when the message itself comes with proof of the contrary", async () => {
    const { changes, messages, look } = await withOwnMessage(world);
    await changes([status("failed", "no such number")], 2);
    expect(await messages([aMessage({ messageId: "A", fromMe: true, status: "delivered" })], 4)).toEqual([
      "updated",
    ]);
    const [message] = (await look("WhatsApp Message", { message_id: "A" })) ?? [];
    expect(message?.["error_message"] ?? message?.["error"] ?? null).toBe(null);
  });

  if (able.momentOfEachStatus)
    test("when a message was delivered and read is kept, even where its record told first that it was", async () => {
      const { changes, messages, shows } = await world();
      const own = { messageId: "A", fromMe: true } as const;
      await messages([aMessage({ ...own, status: "pending" })], 1);
      await messages([aMessage({ ...own, status: "read" })], 6);
      expect(await changes([status("delivered")], 4)).toEqual(["updated"]);
      expect(await changes([status("delivered")], 4)).toEqual(["unchanged"]);
      expect(await changes([status("read")], 7)).toEqual(["updated"]);
      await shows(
        "WhatsApp Message",
        { message_id: "A" },
        {
          status: "Read",
          delivered_at: expect.any(String) as string,
          read_at: expect.any(String) as string,
        },
      );
    });

  test("a message that comes deleted is deleted", async () => {
    const { messages, changes, shows } = await world();
    await messages([aMessage({ messageId: "A", status: "deleted", deletedAt: NOW })]);
    await shows("WhatsApp Message", { message_id: "A" }, { status: "Deleted" });
    expect(await changes([deletion])).toEqual(["unchanged"]);
  });

  test("a change of a message that is not there is missing, and makes nothing", async () => {
    const { changes, messages, adapter } = await world();
    const all: MessageChange[] = [
      status("read"),
      edit("x", NOW),
      deletion,
      { kind: "reaction", chatId: ANA, messageId: "A", from: ANA, emoji: "👍", at: NOW },
    ];
    expect(await changes(all)).toEqual(["missing", "missing", "missing", "missing"]);
    expect(await adapter.totals("s1")).toEqual({ contacts: 0, chats: 0, messages: 0 });
    await messages([aMessage({ messageId: "B" })]);
    expect(await changes(all)).toEqual(["missing", "missing", "missing", "missing"]);
  });

  test("a change of one that is missing does not hold up the others", async () => {
    const { changes } = await withOwnMessage(world);
    expect(await changes([{ ...status("read"), messageId: "unknown" }, status("read")])).toEqual([
      "missing",
      "updated",
    ]);
  });

  test.runIf(able.wholeMessageKey)("a receipt of an id that both sides used is about our own", async () => {
    const { messages, changes, shows } = await world();
    await messages([
      aMessage({ messageId: "A", fromMe: true, status: "sent" }),
      aMessage({ messageId: "A", status: "delivered" }),
    ]);
    expect(await changes([status("read")])).toEqual(["updated"]);
    await shows("WhatsApp Message", { message_id: "A", from_me: 1 }, { status: "Read" });
    await shows("WhatsApp Message", { message_id: "A", from_me: 0 }, { status: "Delivered" });
  });

  test("a receipt of an id that only the other side used is about a message that is not there", async () => {
    const { messages, changes, shows } = await world();
    await messages([aMessage({ messageId: "A", status: "delivered" })]);
    expect(await changes([status("read")])).toEqual(["missing"]);
    await shows("WhatsApp Message", { message_id: "A" }, { status: "Delivered" });
  });

  describe.runIf(able.wholeMessageKey)("a change that names the author, where several used one id", () => {
    const ofAna = { messageId: "A", chatId: GROUP, fromMe: false, participant: ANA };
    const ofEva = { ...ofAna, participant: EVA };
    const ours = { ...ofAna, fromMe: true, participant: null };

    async function withThree(): Promise<CrmWorld> {
      const made = await world();
      await made.messages([
        aMessage({ ...ours, isGroup: true, content: "ours", status: "sent" }),
        aMessage({ ...ofAna, isGroup: true, content: "Ana's", timestamp: NOW + 1 }),
        aMessage({ ...ofEva, isGroup: true, content: "Eva's", timestamp: NOW + 2 }),
      ]);
      return made;
    }

    test("changes that one alone", async () => {
      const { changes, shows } = await withThree();
      const at = NOW + 60;
      expect(
        await changes([
          { kind: "edit", ...ofAna, content: "Ana's, edited", at },
          { kind: "deletion", ...ours, at },
        ]),
      ).toEqual(["updated", "updated"]);
      expect(await changes([{ kind: "reaction", ...ofAna, from: EVA, emoji: "👍", at }])).toEqual([
        "updated",
      ]);
      await shows("WhatsApp Message", { content: "ours" }, { status: "Deleted", has_reaction: 0 });
      await shows("WhatsApp Message", { content: "Ana's, edited" }, { status: "Delivered", has_reaction: 1 });
      await shows("WhatsApp Message", { content: "Eva's" }, { status: "Delivered", has_reaction: 0 });
      await shows("WhatsApp Conversation", { chat_id: GROUP }, { last_message: "Eva's" });
    });

    test("is missing where that one is not there, whoever else used the id", async () => {
      const { changes, messages } = await world();
      await messages([aMessage({ ...ofEva, isGroup: true })]);
      const at = NOW + 60;
      expect(
        await changes([
          { kind: "edit", ...ofAna, content: "forged", at },
          { kind: "deletion", ...ours, at },
        ]),
      ).toEqual(["missing", "missing"]);
    });
  });
}
