/** One person, one conversation: what was kept under a hidden id goes under the phone when it becomes known. */
import { expect, test } from "vitest";
import type { Fact } from "../../../hub/core/facts.ts";
import { aMedia, aMessageFact, T0, T0_SECONDS } from "../../support/builders.ts";
import { names, type Worlds } from "./world.ts";

const LID = "98765@lid";
const PHONE = "34600111222@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";
const learnt: Fact = { kind: "lid", lid: LID, phone: PHONE };

export function phonesOfHiddenIds(world: Worlds): void {
  test("the conversation keeps its number and continues under the phone", async () => {
    const { store, record, events } = await world();
    await record([
      aMessageFact({ id: "A", chatId: LID }),
      { kind: "contact", jid: LID, change: { pushName: "Ana" }, live: false },
    ]);
    const before = await store.inbox.chat("s1", LID);
    await record(learnt);

    const after = await store.inbox.chat("s1", PHONE);
    expect(after).toMatchObject({
      chatId: PHONE,
      conversationId: before?.conversationId,
      messageCount: 1,
      name: "Ana",
    });
    expect(await store.inbox.chat("s1", LID)).toEqual(after);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ chatId: PHONE });
    expect(await store.inbox.contact("s1", LID)).toMatchObject({ jid: PHONE, lid: LID, pushName: "Ana" });
    expect((await events()).at(-1)).toMatchObject({
      event: "contact.merged",
      data: { from: LID, into: "34600111222@c.us", conversationId: before?.conversationId },
    });
    expect(await store.inbox.addresses("s1", LID)).toEqual({ phone: PHONE, lid: LID });
    expect(await store.inbox.addresses("s1", PHONE)).toEqual({ phone: PHONE, lid: LID });
  });

  test("two conversations become the phone's, with every message once", async () => {
    const { store, record } = await world();
    await record([
      aMessageFact({ id: "A", timestamp: T0_SECONDS - 10 }),
      aMessageFact({ id: "B", chatId: LID, timestamp: T0_SECONDS, content: "newest" }),
      aMessageFact({ id: "A", chatId: LID, timestamp: T0_SECONDS - 10 }),
      { kind: "contact", jid: PHONE, change: { name: "Ana" }, live: false },
      { kind: "contact", jid: LID, change: { pushName: "anita", name: "other" }, live: false },
    ]);
    const phoneChat = await store.inbox.chat("s1", PHONE);
    await record(learnt);
    expect(await store.inbox.chat("s1", PHONE)).toMatchObject({
      conversationId: phoneChat?.conversationId,
      messageCount: 2,
      unreadCount: 2,
      lastMessage: { content: "newest" },
      lastMessageAt: T0_SECONDS,
      firstMessageTime: T0_SECONDS - 10,
    });
    expect(await store.inbox.chats({ sessionId: "s1", limit: 9, page: 1 })).toMatchObject({ total: 1 });
    expect(await store.inbox.contacts({ sessionId: "s1", limit: 9, page: 1 })).toMatchObject({
      total: 1,
      items: [{ jid: PHONE, name: "Ana", pushName: "anita" }],
    });
    expect(await store.inbox.stats("s1", { dayStart: 0 })).toMatchObject({ total: 2, unread: 2, chats: 1 });
    expect((await store.inbox.totals("s1")).unread).toBe(2);
  });

  test("a message that was there twice takes the file of its copy along", async () => {
    const { store, record } = await world();
    const file = (name: string) => ({ media: aMedia({ mediaId: `med_${name}`, token: `t_${name}` }) });
    const inGroup = { id: "G", chatId: GROUP };
    await record([
      aMessageFact({ id: "A", ...file("kept") }),
      aMessageFact({ id: "A", chatId: LID, ...file("copy") }),
      aMessageFact({ ...inGroup, participant: PHONE, ...file("author") }),
      aMessageFact({ ...inGroup, participant: LID, ...file("hidden") }),
    ]);
    await record(learnt);
    for (const name of ["kept", "author"]) {
      expect(await store.media.byToken(`t_${name}`, T0)).toMatchObject({ mediaId: `med_${name}` });
      expect((await store.media.messageOf(`med_${name}`))?.media).toMatchObject({ mediaId: `med_${name}` });
    }
    // Its number is given to the next message, whose file is nobody else's.
    await record(aMessageFact({ id: "B", chatId: "34600333444@s.whatsapp.net", ...file("next") }));
    for (const name of ["copy", "hidden"]) {
      expect(await store.media.byToken(`t_${name}`, T0)).toBeNull();
      expect(await store.media.messageOf(`med_${name}`)).toBeNull();
    }
    expect(await store.media.left("", 9)).toEqual(["med_copy", "med_hidden"]);
  });

  // Regression: the number of the dropped copy is given again, and the group showed what was said elsewhere.
  test("a group whose last message was a copy shows the one that is kept, and nobody else's words", async () => {
    const { store, record } = await world();
    const inGroup = { id: "G", chatId: GROUP, content: "to the group" };
    await record(aMessageFact({ ...inGroup, participant: PHONE }));
    await record(aMessageFact({ ...inGroup, participant: LID }));
    await record(learnt);
    await record(aMessageFact({ id: "B", chatId: "34600333444@s.whatsapp.net", content: "private words" }));
    expect(await store.inbox.chat("s1", GROUP)).toMatchObject({
      messageCount: 1,
      lastMessage: { content: "to the group" },
    });
  });

  test("known before anything was said, it is used at once and merges nothing", async () => {
    const { store, record, events } = await world();
    await record([learnt, learnt]);
    await record(aMessageFact({ id: "A", chatId: LID }));
    await record(aMessageFact({ id: "A", chatId: PHONE }));
    expect(await store.inbox.message("s1", "A")).toMatchObject({ chatId: PHONE });
    expect(names(await events())).toEqual(["message.received"]);
    expect(await store.inbox.chat("s1", PHONE)).toMatchObject({ messageCount: 1 });
  });

  test("authors, reactions, receipts and what came early follow", async () => {
    const { store, record } = await world();
    await record([
      aMessageFact({ id: "A", chatId: GROUP, participant: LID }),
      {
        kind: "reaction",
        target: { chatId: GROUP, id: "A" },
        from: LID,
        fromMe: false,
        emoji: "👍",
        atMs: 1000,
        live: true,
      },
      { kind: "edit", target: { chatId: LID, id: "B" }, content: "edited", at: 9, raw: null },
    ]);
    await record(learnt);
    expect(await store.inbox.message("s1", "A")).toMatchObject({
      participant: PHONE,
      reactions: [{ from: PHONE }],
    });
    await record([
      aMessageFact({ id: "A", chatId: GROUP, participant: PHONE }),
      {
        kind: "reaction",
        target: { chatId: GROUP, id: "A" },
        from: PHONE,
        fromMe: false,
        emoji: "",
        atMs: 2000,
        live: true,
      },
      aMessageFact({ id: "B", chatId: PHONE }),
    ]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({ reactions: [] });
    expect(await store.inbox.message("s1", "B")).toMatchObject({ content: "edited" });
    expect(await store.inbox.chat("s1", GROUP)).toMatchObject({ messageCount: 1 });
  });

  const inGroup = aMessageFact({ id: "A", chatId: GROUP, participant: PHONE });
  const reacted: Fact = {
    kind: "reaction",
    target: { chatId: GROUP, id: "A" },
    from: LID,
    fromMe: false,
    emoji: "👍",
    atMs: 1000,
    live: true,
  };

  test.each<[string, Fact[]]>([
    ["wrote in a group", [aMessageFact({ id: "A", chatId: GROUP, participant: LID })]],
    [
      "wrote what came under both addresses",
      [aMessageFact({ id: "A", chatId: GROUP, participant: LID }), inGroup],
    ],
    ["reacted", [inGroup, reacted]],
    ["reacted before the message came", [reacted, inGroup]],
  ])("who is known by the hidden id alone is told once, and once only: %s", async (_what, facts) => {
    const { record, events } = await world();
    await record(facts);
    await record(learnt);
    await record(learnt);
    expect((await events()).filter(({ event }) => event === "contact.merged")).toMatchObject([
      { data: { from: LID, into: "34600111222@c.us", conversationId: null } },
    ]);
  });

  test("contact and chat show the hidden id as soon as it is learnt, and count as changed", async () => {
    const { store, clock, record } = await world();
    await record([
      aMessageFact({ id: "A" }),
      { kind: "contact", jid: PHONE, change: { name: "Ana" }, live: false },
    ]);
    clock.advance(60_000);
    await record(learnt);
    const changed = { sessionId: "s1", limit: 9, page: 1, updatedAfter: clock.now().getTime() - 1000 };
    expect((await store.inbox.contacts(changed)).items).toMatchObject([{ jid: PHONE, lid: LID }]);
    expect((await store.inbox.chats(changed)).items).toMatchObject([{ chatId: PHONE, lid: LID }]);
  });

  test("a receipt from a hidden id nobody knows still finds our own message", async () => {
    const { store, record } = await world();
    await record(aMessageFact({ id: "A", fromMe: true, status: "sent" }));
    await record({ kind: "status", chatId: "555@lid", ids: ["A"], status: "read", at: 1, participant: null });
    expect(await store.inbox.message("s1", "A")).toMatchObject({ status: "read" });
  });

  test("our own number is never taken for a contact's", async () => {
    const { store, record } = await world();
    await record([
      { kind: "lid", lid: LID, phone: "34600999888@s.whatsapp.net" },
      { kind: "lid", lid: "999888@lid", phone: PHONE },
    ]);
    expect(await store.inbox.addresses("s1", LID)).toEqual({ phone: null, lid: LID });
    await record({ kind: "lid", lid: "999888@lid", phone: "34600999888@s.whatsapp.net" });
    expect(await store.inbox.addresses("s1", "999888@lid")).toMatchObject({
      phone: "34600999888@s.whatsapp.net",
    });
  });

  test("a contact told with both addresses teaches them", async () => {
    const { store, record } = await world();
    await record({ kind: "contact", jid: PHONE, lid: LID, change: { name: "Ana" }, live: false });
    expect(await store.inbox.contact("s1", PHONE)).toMatchObject({ lid: LID });
    expect(await store.inbox.knows("s1", LID)).toBe(true);
    expect(await store.inbox.knows("s1", PHONE)).toBe(true);
    expect(await store.inbox.knows("s1", "777@lid")).toBe(false);
    expect(await store.inbox.knows("s1", GROUP)).toBe(false);
  });

  test("what waits for a receiver goes on as one lane, in order", async () => {
    const { record, endpoint, due, settle } = await world();
    const crm = await endpoint({ events: ["message.received"] });
    await record([
      aMessageFact({ id: "1", chatId: PHONE }),
      aMessageFact({ id: "2", chatId: LID }),
      aMessageFact({ id: "3", chatId: PHONE }),
    ]);
    await record(learnt);
    await record(aMessageFact({ id: "4", chatId: LID }));
    const seqs: number[] = [];
    for (let heads = await due(crm); heads.length > 0; heads = await due(crm)) {
      expect(heads).toHaveLength(1);
      seqs.push(...heads.map(({ seq }) => seq));
      await settle(heads);
    }
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(seqs).toHaveLength(4);
  });

  test("a head that is on its way holds the joined lane until it is back", async () => {
    const { record, endpoint, due, settle } = await world();
    const crm = await endpoint({ events: ["message.received"] });
    await record(aMessageFact({ id: "1", chatId: LID }));
    const onItsWay = await due(crm);
    await record([aMessageFact({ id: "2", chatId: LID }), aMessageFact({ id: "3", chatId: PHONE })]);
    await record(learnt);
    expect(await due(crm)).toEqual([]);
    await settle(onItsWay);
    expect((await due(crm)).map(({ seq }) => seq)).toEqual([2]);
  });

  test.each([
    ["first of the one, then of the other", 0],
    ["first of the other", 1],
  ])("two heads on their way hold the joined lane until both are back: %s", async (_order, first) => {
    const { record, endpoint, due, settle } = await world();
    const crm = await endpoint({ events: ["message.received"] });
    await record([
      ...[aMessageFact({ id: "1", chatId: LID }), aMessageFact({ id: "2", chatId: LID })],
      aMessageFact({ id: "3", chatId: PHONE }),
    ]);
    const onTheirWay = await due(crm);
    expect(onTheirWay).toHaveLength(2);
    await record(learnt);
    expect(await due(crm)).toEqual([]);
    await settle(onTheirWay.splice(first, 1));
    expect(await due(crm)).toEqual([]);
    await settle(onTheirWay);
    expect((await due(crm)).map(({ seq }) => seq)).toEqual([2]);
  });
}
