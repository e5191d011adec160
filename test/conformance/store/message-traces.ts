/** The way of one message, and messages that were missing and came after all. */
import { expect, test } from "vitest";
import { UNDECRYPTABLE } from "../../../hub/core/message.ts";
import { aMedia, aMessageFact, anIntakeEntry, T0, T0_SECONDS } from "../../support/builders.ts";
import { minutes } from "../../support/fixed-clock.ts";
import { names, type Worlds } from "./world.ts";

const ANA = "34600111222@s.whatsapp.net";
const ANA_LID = "111222@lid";

const missing = (change: Parameters<typeof aMessageFact>[0] = {}) =>
  aMessageFact({ id: "A", chatId: ANA, content: "🔒", unknownKind: UNDECRYPTABLE, ...change });

export function messageTraces(world: Worlds): void {
  test("a trace has when it came, its events in order, and what each endpoint answered", async () => {
    const { store, record, clock, endpoint, due, settle } = await world();
    const crm = await endpoint();
    const entry = anIntakeEntry({ stanzaId: "A", chat: ANA, seenAt: T0 });
    await store.auth.commit("s1", { keys: [], intake: [entry] });
    clock.advance(500);
    await record(aMessageFact({ id: "A", chatId: ANA }), { closes: [entry.digest] });
    await record(aMessageFact({ id: "AA", chatId: ANA }));
    await settle(await due(crm), { state: "retrying", nextAttemptAt: clock.now() });
    await settle(await due(crm));
    await record({
      kind: "edit",
      target: { chatId: ANA, id: "A" },
      content: "other",
      at: T0_SECONDS + 5,
      raw: null,
    });
    const trace = await store.trace.of({ sessionId: "s1", chatId: ANA, id: "A" });
    expect(trace.receivedAt).toEqual(T0);
    expect(trace.events.map(({ event }) => event)).toEqual(["message.received", "message.edited"]);
    expect(trace.events[0]?.deliveries).toMatchObject([
      {
        endpointId: crm.id,
        state: "delivered",
        attempts: [{ n: 1 }, { n: 2, status: 200, responseHead: "{}" }],
      },
    ]);
    expect(trace.events[1]?.deliveries).toMatchObject([{ state: "pending", attempts: [] }]);
  });

  test("a trace is whole when the chat changed its address meanwhile; of history there is none", async () => {
    const { store, record } = await world();
    await record(aMessageFact({ id: "A", chatId: ANA_LID }));
    await record({ kind: "lid", lid: ANA_LID, phone: ANA });
    await record(aMessageFact({ id: "B", chatId: ANA }, { live: false }));
    const { events } = await store.trace.of({ sessionId: "s1", chatId: ANA, id: "A" });
    expect(events.map(({ event }) => event)).toEqual(["message.received"]);
    expect(await store.trace.of({ sessionId: "s1", chatId: ANA, id: "B" })).toEqual({
      receivedAt: null,
      events: [],
    });
  });

  test("what a stand-in stood for takes its place: same row, same time, told as an update, its file known", async () => {
    const { store, record, events, clock } = await world();
    await record([missing(), aMessageFact({ id: "B", chatId: ANA })]);
    clock.advance(minutes(5));
    const media = aMedia();
    const whole = { id: "A", chatId: ANA, timestamp: T0_SECONDS + 300, type: "image", media } as const;
    await record(aMessageFact({ ...whole, content: "look", caption: "look", raw: "cHJvdG8=" }));
    const list = await store.inbox.messages({ sessionId: "s1", order: "asc", limit: 9, page: 1 });
    expect(list.items.map(({ id }) => id)).toEqual(["A", "B"]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({
      ...{ content: "look", type: "image", timestamp: T0_SECONDS, unknownKind: null, raw: "cHJvdG8=" },
      media: { mediaId: media.mediaId },
    });
    expect(await store.media.get(media.mediaId)).toMatchObject({ state: "remote" });
    expect(await store.inbox.chat("s1", ANA)).toMatchObject({ messageCount: 2, unreadCount: 2 });
    const told = await events();
    expect(names(told)).toEqual(["message.received", "message.received", "message.updated"]);
    expect(told[2]?.data).toMatchObject({ messageId: "A", message: { content: "look", type: "image" } });

    await record([aMessageFact({ ...whole, content: "again" }), missing()]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ content: "look" });
    expect(await events()).toHaveLength(3);
  });

  test("what came meanwhile stays: an edit, a reaction, that it was read; what was revoked stays revoked", async () => {
    const { store, record, events } = await world();
    const about = { chatId: ANA, id: "A" };
    await record({ kind: "edit", target: about, content: "edited", at: T0_SECONDS + 9, raw: null });
    await record([
      missing(),
      {
        ...{ kind: "reaction", target: about, from: ANA, fromMe: false, emoji: "👍", live: true },
        atMs: T0_SECONDS * 1000,
      },
    ]);
    await record(aMessageFact({ ...about, content: "first" }));
    expect(await store.inbox.message("s1", "A")).toMatchObject({
      ...{ content: "edited", editedAt: T0_SECONDS + 9, unknownKind: null },
      reactions: [{ emoji: "👍" }],
    });
    await record([missing({ id: "B" })]);
    await record({
      kind: "revoke",
      target: { chatId: ANA, id: "B" },
      by: ANA,
      at: T0_SECONDS,
      forEveryone: true,
    });
    await record(aMessageFact({ id: "B", chatId: ANA, content: "secret" }));
    expect(await store.inbox.message("s1", "B")).toMatchObject({ content: "🔒", status: "deleted" });
    expect(names(await events()).filter((name) => name === "message.updated")).toHaveLength(1);
  });

  test("the past of chats: where it begins, whether there is more, and when the import is complete", async () => {
    const { store, record } = await world();
    const eva = "34600333444@s.whatsapp.net";
    await record([
      aMessageFact({ id: "A2", chatId: ANA, timestamp: 200 }, { live: false }),
      aMessageFact({ id: "A1", chatId: ANA, timestamp: 100 }, { live: false }),
      aMessageFact({ id: "E0", chatId: eva, timestamp: 40, fromMe: true, status: "failed" }, { live: false }),
      aMessageFact({ id: "E1", chatId: eva, timestamp: 50 }, { live: false }),
      { kind: "chat", jid: "34600555666@s.whatsapp.net", change: { hasOlder: true }, live: false },
    ]);
    const begin = async (query: { chatId?: string; laterThan?: number } = {}) =>
      (await store.inbox.beginnings({ sessionId: "s1", limit: 5, ...query })).map(({ id }) => id);
    expect(await begin()).toEqual(["A1", "E1"]);
    expect(await begin({ chatId: "34600111222@c.us" })).toEqual(["A1"]);
    expect(await begin({ laterThan: 60 })).toEqual(["A1"]);
    await record({ kind: "chat", jid: ANA, change: { hasOlder: false }, live: false });
    expect(await begin()).toEqual(["E1"]);
    expect(await store.inbox.coverage("s1")).toEqual({
      ...{ oldest: 40, newest: 200, chats: 3, messages: 4, complete: false, chatsWithOlder: 1 },
    });
    await record({
      kind: "history",
      syncType: "recent",
      progress: 100,
      import: true,
      done: true,
      piece: null,
    });
    expect(await store.inbox.coverage("s1")).toMatchObject({ complete: true });
  });
}
