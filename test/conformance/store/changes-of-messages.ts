/** Edits, revokes, reactions and statuses: each told once, none going back. */
import { expect, test } from "vitest";
import type { Fact } from "../../../hub/core/facts.ts";
import type { MessageStatus } from "../../../hub/contract/message-status.ts";
import { aMessage, aMessageFact, T0_SECONDS } from "../../support/builders.ts";
import { names, type World, type Worlds } from "./world.ts";

const CHAT = "34600111222@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";
const ANA = "34600111222@s.whatsapp.net";
const EVA = "34600333444@s.whatsapp.net";

const status = (word: MessageStatus, change: Partial<Fact & { kind: "status" }> = {}): Fact => ({
  kind: "status",
  chatId: CHAT,
  ids: ["A"],
  status: word,
  at: T0_SECONDS,
  participant: null,
  ...change,
});
const reaction = (emoji: string, change: Partial<Fact & { kind: "reaction" }> = {}): Fact => ({
  kind: "reaction",
  target: { chatId: CHAT, id: "A" },
  from: ANA,
  fromMe: false,
  emoji,
  atMs: T0_SECONDS * 1000,
  live: true,
  ...change,
});

/** A world whose own message "A" is on its way. */
async function withOwnMessage(
  world: Worlds,
  change: Parameters<typeof aMessageFact>[0] = {},
): Promise<World> {
  const made = await world();
  await made.record(aMessageFact({ id: "A", fromMe: true, status: "pending", client: "crm", ...change }));
  return made;
}

export function changesOfMessages(world: Worlds): void {
  test("a status rises, is told once, and never goes back", async () => {
    const { store, record, events } = await withOwnMessage(world);
    await record([
      status("sent"),
      status("delivered", { at: T0_SECONDS + 3 }),
      status("delivered"),
      status("sent"),
    ]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ status: "delivered" });
    await record([
      status("read", { at: T0_SECONDS + 9 }),
      status("pending"),
      status("failed"),
      status("read"),
    ]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ status: "read" });

    const told = (await events()).slice(1);
    expect(names(told)).toEqual(["message.sent", "message.delivered", "message.read"]);
    expect(told[1]?.data).toEqual({
      sessionId: "s1",
      session_db_id: 1,
      messageId: "A",
      status: "delivered",
      chatId: "34600111222@c.us",
      ack: 2,
      deliveredAt: T0_SECONDS + 3,
    });
    expect(told[2]?.data).toMatchObject({ status: "read", ack: 3, readAt: T0_SECONDS + 9 });
  });

  test("a voice note that was played is read with ack 4, told once, and stays so", async () => {
    const { store, record, events } = await withOwnMessage(world, { type: "audio", status: "sent" });
    await record([
      status("read"),
      status("read", { isPlayed: true, at: T0_SECONDS + 5 }),
      status("read"),
      status("read", { isPlayed: true }),
    ]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ status: "read", isPlayed: true });
    const told = (await events()).slice(1);
    expect(told.map(({ event, data }) => [event, data.status, data.ack])).toEqual([
      ["message.read", "read", 3],
      ["message.read", "read", 4],
    ]);
    expect(told[1]?.data).toMatchObject({ readAt: T0_SECONDS + 5 });
  });

  test("a played receipt without one before it says both at once", async () => {
    const { store, record, events } = await withOwnMessage(world, { type: "audio", status: "sent" });
    await record([status("read", { isPlayed: true }), status("delivered")]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ status: "read", isPlayed: true });
    expect((await events()).slice(1).map(({ event, data }) => [event, data.ack])).toEqual([
      ["message.read", 4],
    ]);
  });

  test("a failure carries its code, and a receipt that proves the contrary lifts it", async () => {
    const { store, record, events } = await withOwnMessage(world);
    await record(status("failed", { code: "463", error: "no new chats for now" }));
    expect(await store.inbox.message("s1", "A")).toMatchObject({ status: "failed" });
    expect((await events()).at(-1)).toMatchObject({
      event: "message.failed",
      data: { code: "463", error: "no new chats for now", ack: -1, status: "failed" },
    });
    await record(status("delivered"));
    expect(await store.inbox.message("s1", "A")).toMatchObject({ status: "delivered" });
  });

  test("one receipt may name many messages, and only our own rise", async () => {
    const { store, record, events } = await world();
    await record([
      aMessageFact({ id: "A", fromMe: true, status: "sent" }),
      aMessageFact({ id: "B", fromMe: true, status: "sent" }),
      aMessageFact({ id: "C", status: "delivered" }),
    ]);
    await record(status("read", { ids: ["A", "B", "C"] }));
    expect(names(await events()).slice(3)).toEqual(["message.read", "message.read"]);
    expect(await store.inbox.message("s1", "C")).toMatchObject({ status: "delivered" });
  });

  test("in a group the first member counts, and is named", async () => {
    const { record, events } = await withOwnMessage(world, { chatId: GROUP });
    await record([
      status("delivered", { chatId: GROUP, participant: ANA }),
      status("delivered", { chatId: GROUP, participant: EVA }),
      status("read", { chatId: GROUP, participant: EVA }),
      status("read", { chatId: GROUP, participant: ANA }),
    ]);
    expect((await events()).slice(1).map(({ event, data }) => [event, data.participant])).toEqual([
      ["message.delivered", "34600111222@c.us"],
      ["message.read", "34600333444@c.us"],
    ]);
  });

  test("what was typed on the phone is not told as sent", async () => {
    const { record, events } = await withOwnMessage(world, { client: null });
    await record([status("sent"), status("delivered")]);
    expect(names(await events())).toEqual(["message.received", "message.delivered"]);
  });

  test("a reaction is set, changed and removed; the latest counts, whatever comes last", async () => {
    const { store, record, events } = await withOwnMessage(world);
    await record(reaction("👍", { atMs: 1000 }));
    await record(reaction("👍", { atMs: 2000 }));
    await record(reaction("❤️", { atMs: 3000 }));
    await record(reaction("😮", { from: EVA, atMs: 4000 }));
    await record(reaction("👎", { atMs: 2500 }));
    expect(await store.inbox.message("s1", "A")).toMatchObject({
      reactions: [
        { from: ANA, fromMe: false, emoji: "❤️", timestamp: 3 },
        { from: EVA, fromMe: false, emoji: "😮", timestamp: 4 },
      ],
    });
    await record(reaction("", { atMs: 5000 }));
    await record(reaction("", { atMs: 6000 }));
    await record(reaction("❤️", { atMs: 3000 }));
    expect((await store.inbox.message("s1", "A"))?.reactions.map(({ from }) => from)).toEqual([EVA]);
    expect((await events()).slice(1).map(({ data }) => [data.emoji, data.removed])).toEqual([
      ["👍", false],
      ["❤️", false],
      ["😮", false],
      ["", true],
    ]);
  });

  test("reactions of history are told of messages that were known before it, and only news", async () => {
    const { store, record, events } = await withOwnMessage(world);
    const ofHistory = [
      reaction("👍", { live: false }),
      { kind: "message", message: aMessage({ chatId: CHAT, id: "B" }), live: false },
      reaction("👍", { live: false, target: { chatId: CHAT, id: "B" } }),
    ] satisfies Fact[];
    await record(ofHistory);
    await record(ofHistory);
    expect((await store.inbox.message("s1", "A"))?.reactions).toHaveLength(1);
    expect((await store.inbox.message("s1", "B"))?.reactions).toHaveLength(1);
    expect((await events()).map(({ event, data }) => [event, data.messageId])).toEqual([
      ["message.received", undefined],
      ["message.reaction", "A"],
    ]);
  });

  test("a reaction of history that was there before its message is told after it", async () => {
    const { record, events } = await world();
    await record(reaction("👍", { live: false }));
    await record(aMessageFact({ id: "A" }));
    expect(names(await events())).toEqual(["message.received", "message.reaction"]);
  });

  test("an edit changes text and caption, is told once, and an older one changes nothing", async () => {
    const { store, record, events } = await world();
    await record(
      aMessageFact({ id: "A", content: "one", caption: "one", raw: Buffer.from("old").toString("base64") }),
    );
    const edit = (content: string, at: number, raw: string | null = null): Fact => ({
      kind: "edit",
      target: { chatId: CHAT, id: "A", fromMe: false },
      content,
      at,
      raw,
    });
    const raw = Buffer.from("new").toString("base64");
    await record([edit("two", 20, raw), edit("two", 20), edit("older", 10)]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({
      content: "two",
      caption: "two",
      editedAt: 20,
      raw,
    });
    const told = await events();
    expect(names(told)).toEqual(["message.received", "message.edited"]);
    expect(told[1]?.data).toMatchObject({
      messageId: "A",
      content: "two",
      editedAt: 20,
      message: { content: "two" },
    });
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({ lastMessage: { content: "two" } });
  });

  test("a revoke is final and told once", async () => {
    const { store, record, events } = await world();
    await record(aMessageFact({ id: "A" }));
    const revoke: Fact = {
      kind: "revoke",
      target: { chatId: CHAT, id: "A" },
      by: ANA,
      at: 50,
      forEveryone: true,
    };
    await record([revoke, revoke]);
    await record({ kind: "edit", target: { chatId: CHAT, id: "A" }, content: "after", at: 60, raw: null });
    expect(await store.inbox.message("s1", "A")).toMatchObject({
      status: "deleted",
      deletedAt: 50,
      content: "hola",
    });
    const told = await events();
    expect(names(told)).toEqual(["message.received", "message.deleted"]);
    expect(told[1]?.data).toMatchObject({
      messageId: "A",
      deletedBy: "34600111222@c.us",
      deletedAt: 50,
      forEveryone: true,
    });
  });

  test("nobody edits or revokes what somebody else wrote", async () => {
    const { store, record } = await world();
    await record(aMessageFact({ id: "A", chatId: GROUP, participant: ANA }));
    const target = { chatId: GROUP, id: "A", fromMe: false, participant: EVA };
    await record([
      { kind: "edit", target, content: "forged", at: 9, raw: null },
      { kind: "revoke", target, by: EVA, at: 9, forEveryone: true },
      { kind: "edit", target: { chatId: CHAT, id: "A" }, content: "forged", at: 9, raw: null },
    ]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ content: "hola", status: "delivered" });
  });

  test("of two messages with one id, each event says whose it is about", async () => {
    const { record, events } = await world();
    await record([
      aMessageFact({ id: "A", chatId: GROUP, participant: ANA }),
      aMessageFact({ id: "A", chatId: GROUP, participant: EVA, timestamp: T0_SECONDS + 5 }),
      aMessageFact({ id: "A", chatId: GROUP, fromMe: true, timestamp: T0_SECONDS + 9 }),
    ]);
    const target = { chatId: GROUP, id: "A", fromMe: false, participant: ANA };
    const ofUs = { chatId: GROUP, id: "A", fromMe: true };
    await record([
      reaction("👍", { target, from: EVA }),
      reaction("👍", { target: ofUs, from: EVA }),
      { kind: "edit", target, content: "two", at: 20, raw: null },
      { kind: "revoke", target, by: ANA, at: 50, forEveryone: true },
      { kind: "revoke", target: ofUs, by: ANA, at: 50, forEveryone: true },
    ]);
    const told = (await events()).slice(3);
    const ofAna = { fromMe: false, participant: "34600111222@c.us" };
    expect(told.map(({ event, data }) => [event, data.target ?? data.message])).toEqual([
      ["message.reaction", ofAna],
      ["message.reaction", { fromMe: true }],
      ["message.edited", expect.objectContaining(ofAna)],
      ["message.deleted", ofAna],
      ["message.deleted", { fromMe: true }],
    ]);
  });

  test("changes of a chat share its lane with its messages, in their order", async () => {
    const { store, record, endpoint, due, settle } = await world();
    const crm = await endpoint();
    await record([
      aMessageFact({ id: "A", fromMe: true, status: "sent" }),
      status("delivered"),
      reaction("👍"),
      { kind: "revoke", target: { chatId: CHAT, id: "A" }, by: ANA, at: 50, forEveryone: true },
    ]);
    const seen: string[] = [];
    for (let round = 0; round < 10; round++) {
      const heads = await due(crm);
      expect(heads.length).toBeLessThanOrEqual(1);
      seen.push(...heads.map(({ event }) => event));
      await settle(heads);
    }
    expect(seen).toEqual(["message.received", "message.delivered", "message.reaction", "message.deleted"]);
    expect(await store.outbox.count({ state: "delivered" })).toBe(4);
  });
}
