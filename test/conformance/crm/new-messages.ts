/** Messages written whole: once each, with their chat and contact. */
import { expect, test } from "vitest";
import { aContact, aMessage, anImage, ANA, aChat, EVA, GROUP, NOW, withLast } from "./records.ts";
import type { Abilities, CrmWorlds } from "./world.ts";

/** No CRM can keep an id of this length as an id. */
const POISON = "x".repeat(1000);

export function newMessages(world: CrmWorlds, able: Abilities): void {
  test("a message makes its chat and contact, once", async () => {
    const { messages, adapter, shows } = await world();
    const message = aMessage({ messageId: "A" });
    expect(await messages([message])).toEqual(["created"]);
    expect(await messages([message])).toEqual(["unchanged"]);
    expect(await adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 1 });
    await shows(
      "WhatsApp Message",
      { message_id: "A" },
      { content: "hola", direction: "Incoming", from_me: 0, message_type: "text", status: "Delivered" },
    );
    await shows(
      "WhatsApp Conversation",
      { chat_id: ANA },
      { last_message: "hola", last_message_from_me: 0, last_remote_message_id: "A" },
    );
  });

  test("everything written twice is there once and counts as unchanged", async () => {
    const { contacts, chats, messages, adapter } = await world();
    const said = [
      aMessage({ timestamp: NOW - 2 }),
      aMessage({ timestamp: NOW - 1, fromMe: true }),
      aMessage({ timestamp: NOW, ...anImage() }),
    ];
    const last = said[2];
    const written = async () => [
      await contacts([aContact(), aContact({ id: EVA, name: "Eva" })]),
      await chats([aChat({ totalMessages: 3, ...(last === undefined ? {} : withLast(last)) })]),
      await messages(said),
    ];
    expect((await written()).flat()).toEqual(Array(6).fill("created"));
    const totals = await adapter.totals("s1");
    expect((await written()).flat()).toEqual(Array(6).fill("unchanged"));
    expect(await adapter.totals("s1")).toEqual(totals);
    expect(totals).toEqual({ contacts: 2, chats: 1, messages: 3 });
  });

  test("a record that can never be written is refused alone", async () => {
    const { messages, adapter } = await world();
    const batch = [
      aMessage({ messageId: "A" }),
      aMessage({ messageId: POISON }),
      aMessage({ messageId: "B" }),
      aMessage({ messageId: "A" }),
    ];
    expect(await messages(batch)).toEqual(["created", "rejected", "created", "unchanged"]);
    expect(await adapter.totals("s1")).toMatchObject({ chats: 1, messages: 2 });
  });

  test("the last message of a chat is the newest, in whichever order they come", async () => {
    const { messages, shows } = await world();
    await messages([aMessage({ messageId: "new", content: "new", timestamp: NOW })]);
    await messages([aMessage({ messageId: "old", content: "old", timestamp: NOW - 60 })]);
    await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: "new" });
    await messages([aMessage({ messageId: "newest", content: "newest", timestamp: NOW + 1, fromMe: true })]);
    await shows(
      "WhatsApp Conversation",
      { chat_id: ANA },
      { last_message: "newest", last_message_from_me: 1 },
    );
  });

  test("writing an older message again does not make it the last", async () => {
    const { messages, shows } = await world();
    const older = aMessage({ content: "older" });
    const newer = aMessage({ content: "newer" });
    await messages([older, newer]);
    await messages([older]);
    await shows("WhatsApp Conversation", { chat_id: ANA }, { last_message: "newer" });
  });

  test("media come with their message and follow their changes", async () => {
    const { messages, look, shows } = await world();
    const message = aMessage({ messageId: "A", ...anImage() });
    await messages([message]);
    await shows("WhatsApp Message", { message_id: "A" }, { has_media: 1, message_type: "image" });
    const url = "https://hub.example/m/another";
    expect(await messages([{ ...message, ...anImage({ url }) }])).toEqual(["updated"]);
    expect(await messages([{ ...message, ...anImage({ url }) }])).toEqual(["unchanged"]);
    const files = await look("WhatsApp Message Media");
    if (files !== null)
      expect(files).toEqual([expect.objectContaining({ url, filename: "i.jpg", media_type: "image" })]);
  });

  test("a message that stood for one nobody could read yet becomes that one in all of its fields", async () => {
    const { messages, look, shows } = await world();
    await messages([aMessage({ messageId: "Z", timestamp: NOW - 1 })], 1);
    await messages(
      [aMessage({ messageId: "A", content: "…", unknownKind: "undecryptable", ...anImage() })],
      2,
    );
    const whole = aMessage({
      messageId: "A",
      content: "whole",
      type: "location",
      location: { latitude: 1, longitude: 2, name: "x", address: null },
      isForwarded: true,
      isStarred: true,
      quotedMessageId: "Z",
    });
    expect(await messages([whole], 3)).toEqual(["updated"]);
    expect(await messages([whole], 4)).toEqual(["unchanged"]);
    await shows(
      "WhatsApp Message",
      { message_id: "A" },
      { content: "whole", message_type: "location", is_forwarded: 1, is_starred: 1, has_media: 0 },
    );
    const [message] = (await look("WhatsApp Message", { message_id: "A" })) ?? [];
    if (message !== undefined && "is_reply" in message) expect(message["is_reply"]).toBe(1);
    const files = await look("WhatsApp Message Media");
    if (files !== null) expect(files).toEqual([]);
  });

  test("an event does not know the id of a file, and takes away none", async () => {
    const { messages, look } = await world();
    const message = aMessage({ messageId: "A", ...anImage({ mediaId: "" }) });
    await messages([message], 1);
    await messages([{ ...message, ...anImage({ mediaId: "med_1" }) }], 2);
    await messages([{ ...message, ...anImage({ mediaId: "" }) }], 3);
    const files = await look("WhatsApp Message Media");
    if (files !== null) expect(files).toEqual([expect.objectContaining({ remote_media_id: "med_1" })]);
  });

  test("messages of a group belong to the group and name their author", async () => {
    const { contacts, messages, adapter, shows } = await world();
    await contacts([aContact({ id: EVA, name: "Eva" })]);
    await messages([
      aMessage({ messageId: "A", chatId: GROUP, participant: ANA }),
      aMessage({ messageId: "B", chatId: GROUP, participant: EVA, content: "hey" }),
    ]);
    expect(await adapter.totals("s1")).toMatchObject({ chats: 1, messages: 2 });
    await shows("WhatsApp Conversation", { chat_id: GROUP }, { is_group: 1, last_message: "hey" });
    await shows("WhatsApp Message", { message_id: "B" }, { from_number: "+34600333444" });
  });

  test("one message id in two sessions is two messages", async () => {
    const { messages, adapter } = await world();
    const message = aMessage({ messageId: "A" });
    expect(await messages([message])).toEqual(["created"]);
    expect(await messages([{ ...message, sessionId: "s2" }], null, "s2")).toEqual(["created"]);
    expect(await messages([message])).toEqual(["unchanged"]);
    expect(await messages([{ ...message, sessionId: "s2" }], null, "s2")).toEqual(["unchanged"]);
    expect(await adapter.totals("s1")).toMatchObject({ chats: 1, messages: 1 });
    expect(await adapter.totals("s2")).toMatchObject({ chats: 1, messages: 1 });
  });

  test.runIf(able.wholeMessageKey)("one message id in two chats is two messages", async () => {
    const { messages, adapter } = await world();
    const both = [aMessage({ messageId: "A" }), aMessage({ messageId: "A", chatId: EVA })];
    expect(await messages(both)).toEqual(["created", "created"]);
    expect(await messages(both)).toEqual(["unchanged", "unchanged"]);
    expect(await adapter.totals("s1")).toMatchObject({ chats: 2, messages: 2 });
  });

  test.runIf(able.wholeMessageKey)("both sides of a chat may use the same message id", async () => {
    const { messages, adapter } = await world();
    const both = [aMessage({ messageId: "A" }), aMessage({ messageId: "A", fromMe: true })];
    expect(await messages(both)).toEqual(["created", "created"]);
    expect(await messages(both)).toEqual(["unchanged", "unchanged"]);
    expect(await adapter.totals("s1")).toMatchObject({ chats: 1, messages: 2 });
  });

  test.runIf(able.wholeMessageKey)("two members of a group may use the same message id", async () => {
    const { messages, adapter } = await world();
    const both = [ANA, EVA].map((participant) =>
      aMessage({ messageId: "A", chatId: GROUP, participant, from: participant }),
    );
    expect(await messages(both)).toEqual(["created", "created"]);
    expect(await messages(both)).toEqual(["unchanged", "unchanged"]);
    expect(await adapter.totals("s1")).toMatchObject({ chats: 1, messages: 2 });
  });

  test("an answer is linked to what it answers, when that is there", async () => {
    const { messages, look } = await world();
    await messages([aMessage({ messageId: "A" })]);
    await messages([
      aMessage({ messageId: "B", quotedMessageId: "A" }),
      aMessage({ messageId: "C", quotedMessageId: "unknown" }),
    ]);
    const [asked] = (await look("WhatsApp Message", { message_id: "A" })) ?? [];
    const [answer] = (await look("WhatsApp Message", { message_id: "B" })) ?? [];
    const [lost] = (await look("WhatsApp Message", { message_id: "C" })) ?? [];
    expect(answer?.["quoted_message"]).toBe(asked?.["name"]);
    expect(lost?.["quoted_message"] ?? null).toBe(null);
  });

  test("every kind of message is written, with what it is made of", async () => {
    const { messages } = await world();
    const kinds = [
      aMessage({
        type: "location",
        content: "Office",
        location: { latitude: 40.4, longitude: -3.7, name: "Office", address: null },
      }),
      aMessage({ type: "contact", content: "Eva", contacts: [{ name: "Eva", vcard: "BEGIN:VCARD" }] }),
      aMessage({
        type: "poll",
        content: "When?",
        poll: { name: "When?", values: ["Mon", "Tue"], selectableCount: 1 },
      }),
      aMessage({ ...anImage(), type: "sticker", content: "" }),
      aMessage({ type: "audio", content: "", ...anImage({ filename: "v.ogg", ptt: true }) }),
      aMessage({ type: "document", content: "", caption: "the invoice", ...anImage() }),
    ];
    expect(await messages(kinds)).toEqual(kinds.map(() => "created"));
    expect(await messages(kinds)).toEqual(kinds.map(() => "unchanged"));
  });
}
