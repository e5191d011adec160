/** A message, its event, its deliveries and its intake row become true together, once. */
import { expect, test } from "vitest";
import {
  aMedia,
  aMessage,
  aMessageFact,
  anIntakeEntry,
  aNewSession,
  bytes,
  T0_SECONDS,
} from "../../support/builders.ts";
import { names, type Worlds } from "./world.ts";

const CHAT = "34600111222@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";

export function newMessages(world: Worlds): void {
  test("a live message is stored, told, owed to each endpoint that wants it, and its stanza closed", async () => {
    const { store, record, endpoint, events } = await world();
    const all = await endpoint();
    const other = await endpoint({ events: ["message.reaction"] });
    const foreign = await endpoint({ sessions: ["s2"] });
    const entry = anIntakeEntry();
    await store.auth.commit("s1", { keys: [], intake: [entry] });
    const message = aMessage({
      raw: Buffer.from("proto").toString("base64"),
      mentions: [CHAT],
      isForwarded: true,
    });

    const recorded = await record({ kind: "message", message, live: true }, { closes: [entry.digest] });
    expect(recorded).toEqual({ messages: [message], lastSeq: 1 });
    expect(await store.inbox.message("s1", message.id)).toEqual(message);
    expect(await store.intake.open("s1")).toEqual([]);
    const [event] = await events();
    expect(event).toMatchObject({ event: "message.received", seq: 1, sessionId: "s1" });
    expect(event?.data).toMatchObject({
      sessionId: "s1",
      session_db_id: 1,
      message: { id: message.id, from: "34600111222@c.us", to: "34600999888" },
    });
    expect(await store.outbox.count({ endpointId: all.id })).toBe(1);
    expect(await store.outbox.count({ endpointId: other.id })).toBe(0);
    expect(await store.outbox.count({ endpointId: foreign.id })).toBe(0);
  });

  test("the same message again changes nothing and closes its stanza", async () => {
    const { store, record, endpoint } = await world();
    await endpoint();
    const message = aMessage();
    await record({ kind: "message", message, live: true });
    const redelivered = anIntakeEntry();
    await store.auth.commit("s1", { keys: [], intake: [redelivered] });

    const again = await record(
      { kind: "message", message: { ...message, content: "other" }, live: true },
      { closes: [redelivered.digest] },
    );
    expect(again).toEqual({ messages: [], lastSeq: null });
    expect(await store.intake.open("s1")).toEqual([]);
    expect(await store.inbox.message("s1", message.id)).toMatchObject({ content: message.content });
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({ messageCount: 1, unreadCount: 1 });
    expect(await store.outbox.count({})).toBe(1);
  });

  test("history is stored without an event, and is not news when it comes live", async () => {
    const { store, record, endpoint, events } = await world();
    await endpoint();
    const message = aMessage();
    expect(await record({ kind: "message", message, live: false })).toEqual({
      messages: [message],
      lastSeq: null,
    });
    expect(await record({ kind: "message", message, live: true })).toEqual({ messages: [], lastSeq: null });
    expect(await events()).toEqual([]);
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({ messageCount: 1, unreadCount: 0 });
  });

  test("messages differ by chat, sender, direction and session", async () => {
    const { store, record } = await world();
    await store.sessions.create(aNewSession({ sessionId: "s2" }));
    const same = { id: "3A01" };
    const { messages } = await record([
      aMessageFact(same),
      aMessageFact({ ...same, fromMe: true }),
      aMessageFact({ ...same, chatId: "34600333444@s.whatsapp.net" }),
      aMessageFact({ ...same, chatId: GROUP, participant: CHAT }),
      aMessageFact({ ...same, chatId: GROUP, participant: "34600333444@s.whatsapp.net" }),
      aMessageFact({ ...same, chatId: GROUP, participant: "34600333444:3@s.whatsapp.net" }),
    ]);
    expect(messages).toHaveLength(5);
    expect((await record(aMessageFact(same), { sessionId: "s2" })).messages).toHaveLength(1);
  });

  test("raw addresses are stored in their canonical form", async () => {
    const { store, record } = await world();
    await record([
      aMessageFact({ id: "A", chatId: "34600111222:12@c.us", participant: "34600111222@c.us" }),
      aMessageFact({ id: "B", chatId: GROUP, fromMe: true, participant: "34600999888:1@s.whatsapp.net" }),
      aMessageFact({ id: "C", chatId: GROUP, participant: "34600111222:4@s.whatsapp.net" }),
    ]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ chatId: CHAT, participant: null });
    expect(await store.inbox.message("s1", "B")).toMatchObject({ chatId: GROUP, participant: null });
    expect(await store.inbox.message("s1", "C")).toMatchObject({ participant: CHAT });
  });

  test("a bare id finds the newest match, a chat narrows", async () => {
    const { store, record } = await world();
    await record([
      aMessageFact({ id: "A", timestamp: T0_SECONDS, content: "newer" }),
      aMessageFact({
        id: "A",
        timestamp: T0_SECONDS - 9,
        content: "older",
        chatId: "34600333444@s.whatsapp.net",
      }),
    ]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ content: "newer" });
    expect(await store.inbox.message("s1", "A", "34600333444@c.us")).toMatchObject({ content: "older" });
    expect(await store.inbox.message("s1", "A", GROUP)).toBeNull();
    expect(await store.inbox.message("s1", "B")).toBeNull();
  });

  test("a chat shows its newest message, counts all, and counts unread what came live from others", async () => {
    const { store, record } = await world();
    await record([
      aMessageFact({ content: "second", timestamp: T0_SECONDS }),
      aMessageFact({ content: "late", timestamp: T0_SECONDS - 60 }),
      aMessageFact({ content: "third", timestamp: T0_SECONDS, fromMe: true, status: "sent" }),
      aMessageFact({ content: "history", timestamp: T0_SECONDS - 90 }, { live: false }),
      aMessageFact({ content: "same second, from history", timestamp: T0_SECONDS }, { live: false }),
    ]);
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({
      unreadCount: 2,
      messageCount: 5,
      firstMessageTime: T0_SECONDS - 90,
      lastMessageAt: T0_SECONDS,
      lastMessage: { content: "third", fromMe: true, timestamp: T0_SECONDS },
    });
  });

  test("facts of one call are told in their order", async () => {
    const { record, events } = await world();
    await record([
      aMessageFact({ id: "A" }),
      {
        kind: "reaction",
        target: { chatId: CHAT, id: "A" },
        from: CHAT,
        fromMe: false,
        emoji: "👍",
        atMs: 1,
        live: true,
      },
      aMessageFact({ id: "B", chatId: GROUP, participant: CHAT }),
    ]);
    const told = await events();
    expect(names(told)).toEqual(["message.received", "message.reaction", "message.received"]);
    expect(told.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(new Set(told.map(({ id }) => id)).size).toBe(3);
  });

  test("an own send is not told as received to the client that sent it", async () => {
    const { store, record, endpoint } = await world();
    const sender = await endpoint({ client: "crm" });
    const other = await endpoint({ client: "other" });
    await record(aMessageFact({ fromMe: true, client: "crm" }));
    expect(await store.outbox.count({ endpointId: sender.id })).toBe(0);
    expect(await store.outbox.count({ endpointId: other.id })).toBe(1);
    await record(aMessageFact({ fromMe: true, client: null }));
    expect(await store.outbox.count({ endpointId: sender.id })).toBe(1);
  });

  test("either everything of a call is true or nothing", async () => {
    const { store, record, endpoint, events } = await world();
    await endpoint();
    const entry = anIntakeEntry();
    await store.auth.commit("s1", { keys: [], intake: [entry] });
    const broken = aMessageFact();
    // A sabotaged proxy: reading the second message fails in the middle of the transaction.
    Object.defineProperty(broken.message, "content", {
      get: () => {
        throw new Error("broken in the middle");
      },
    });
    await expect(record([aMessageFact({ id: "A" }), broken], { closes: [entry.digest] })).rejects.toThrow(
      "middle",
    );
    expect(await store.inbox.message("s1", "A")).toBeNull();
    expect(await events()).toEqual([]);
    expect(await store.outbox.count({})).toBe(0);
    expect(await store.intake.open("s1")).toHaveLength(1);
    await record(aMessageFact({ id: "B" }));
    expect(await store.events.range()).toEqual({ oldestSeq: 1, latestSeq: 1 });
  });

  test("media come with a file row and a short URL for a week", async () => {
    const { store, record, clock } = await world();
    const media = aMedia();
    const message = aMessage({ type: "image", media, content: "" });
    await record({ kind: "message", message, live: true });
    expect(await store.media.get(media.mediaId)).toMatchObject({
      sessionId: "s1",
      state: "remote",
      filename: "i.jpg",
    });
    expect(await store.media.messageOf(media.mediaId)).toEqual(message);
    expect(await store.media.byToken(media.token, clock.now())).toMatchObject({ mediaId: media.mediaId });

    const copy = { ...message, media: aMedia() };
    await record({ kind: "message", message: copy, live: true });
    expect(await store.media.get(copy.media.mediaId)).toBeNull();
  });

  test("text of any kind survives", async () => {
    const { store, record } = await world();
    const content = `ñ 🚀 "quoted" \\ \u0000 \u2028 ${"x".repeat(70_000)}`;
    await record(aMessageFact({ id: "A", content, pushName: "'; DROP TABLE message; --" }));
    expect(await store.inbox.message("s1", "A")).toMatchObject({
      content,
      pushName: "'; DROP TABLE message; --",
    });
    expect(bytes(content).length).toBeGreaterThan(70_000);
  });
}
