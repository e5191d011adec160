/** Texts as people really write them, and as nobody should. */
import { expect, test } from "vitest";
import { aChat, aContact, aMessage, ANA, anImage, aSessionRecord, EVA, NOW, withLast } from "./records.ts";
import type { CrmWorlds } from "./world.ts";

const LONG = "Ña ".repeat(100);
const BROKEN = "half an emoji \ud83d";

export function oddTexts(world: CrmWorlds): void {
  test("names of more than 140 characters are cut, not refused", async () => {
    const { contacts, chats, messages } = await world();
    const emoji = `${"x".repeat(139)}👍👍`;
    const written = async () => [
      ...(await contacts([aContact({ name: LONG, pushname: emoji, verifiedName: LONG, about: LONG })])),
      ...(await chats([aChat({ name: LONG, contactName: emoji })])),
      ...(await messages([aMessage({ messageId: "A", pushName: LONG })])),
    ];
    expect(await written()).toEqual(["created", "created", "created"]);
    expect(await written()).toEqual(["unchanged", "unchanged", "unchanged"]);
  });

  test("a file whose name, kind or size is beyond all columns costs no message", async () => {
    const { messages, shows } = await world();
    const file = anImage({
      filename: `${LONG}.pdf`,
      mimetype: `application/${"x".repeat(200)}`,
      filesize: 3_000_000_000,
      url: `https://hub.example/${"m".repeat(200)}`,
    });
    const message = aMessage({ messageId: "A", ...file, type: "document" });
    expect(await messages([message])).toEqual(["created"]);
    expect(await messages([message])).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { has_media: 1 });
  });

  test("a session whose name is nothing but blanks or tags is a session", async () => {
    const { adapter, shows } = await world();
    for (const [sessionId, sessionName] of [
      ["s1", "  "],
      ["s2", "<Sales>"],
    ] as const)
      expect(await adapter.upsertSession(aSessionRecord({ sessionId, sessionName }), 1)).toMatchObject({
        outcome: "created",
      });
    await shows("WhatsApp Session", { session_id: "s2" }, { status: "Connected" });
  });

  test("emoji, right-to-left text and quotes come back as they were", async () => {
    const { messages, shows } = await world();
    const content = `👨‍👩‍👧‍👦 "it's" \\ ; -- مرحبا 你好 \u202etxt`;
    expect(await messages([aMessage({ messageId: "A", content })])).toEqual(["created"]);
    expect(await messages([aMessage({ messageId: "A", content })])).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { content });
  });

  test("a NUL or half an emoji is no reason to refuse a message, nor to write it again", async () => {
    const { contacts, chats, messages, changes } = await world();
    const message = aMessage({ messageId: "A", content: `a\0b ${BROKEN}` });
    const written = async () => [
      ...(await contacts([aContact({ name: "An\0a", about: BROKEN })])),
      ...(await messages([message])),
      ...(await chats([aChat({ name: "An\0a", contactName: BROKEN, ...withLast(message) })])),
    ];
    expect(await written()).not.toContain("rejected");
    expect(await written()).toEqual(["unchanged", "unchanged", "unchanged"]);
    const edit = {
      kind: "edit",
      chatId: ANA,
      messageId: "A",
      content: `c\0 ${BROKEN}`,
      at: NOW + 1,
    } as const;
    expect(await changes([edit])).toEqual(["updated"]);
    expect(await changes([edit])).toEqual(["unchanged"]);
  });

  test("a moment that no calendar has costs no record", async () => {
    const { adapter, chats, messages, changes, shows } = await world();
    for (const moment of [9_000_000_000_000_000, Number.MAX_SAFE_INTEGER, -5]) {
      const muted = aChat({
        isMuted: true,
        muteExpiration: moment,
        firstMessageTime: moment,
        unreadCount: moment < 0 ? 1 : 2,
      });
      expect((await chats([muted, aChat({ chatId: EVA })])).map((outcome) => outcome !== "rejected")).toEqual(
        [true, true],
      );
      expect(await chats([muted])).toEqual(["unchanged"]);
      await shows("WhatsApp Conversation", { chat_id: ANA }, { is_muted: 1 });
      const messageId = `A${moment}`;
      const own = aMessage({ messageId, chatId: EVA, fromMe: true, editedAt: moment });
      const odd = { ...own, timestamp: moment };
      expect(await messages([odd])).toEqual(["created"]);
      expect(await messages([odd])).toEqual(["unchanged"]);
      const about = { chatId: EVA, messageId, at: moment } as const;
      expect(await changes([{ ...about, kind: "status", status: "read", error: null }])).toEqual(["updated"]);
      expect(await changes([{ ...about, kind: "deletion" }])).toEqual(["updated"]);
    }
    expect(await adapter.totals("s1")).toMatchObject({ chats: 2, messages: 3 });
  });

  test("65,000 characters are one message", async () => {
    const { messages, shows } = await world();
    const content = "ñ👍x".repeat(16_250);
    expect(content).toHaveLength(65_000);
    const message = aMessage({ messageId: "A", content });
    expect(await messages([message])).toEqual(["created"]);
    expect(await messages([message])).toEqual(["unchanged"]);
    await shows("WhatsApp Message", { message_id: "A" }, { content });
  });

  test("a message without a word is a message", async () => {
    const { messages } = await world();
    const empty = aMessage({ messageId: "A", content: "" });
    expect(await messages([empty])).toEqual(["created"]);
    expect(await messages([empty])).toEqual(["unchanged"]);
  });

  test("an edit may be long and full of emoji", async () => {
    const { messages, changes, shows } = await world();
    await messages([aMessage({ messageId: "A" })]);
    const content = "👍".repeat(5000);
    await changes([{ kind: "edit", chatId: ANA, messageId: "A", content, at: NOW + 1 }]);
    await shows("WhatsApp Message", { message_id: "A" }, { content });
  });
}
