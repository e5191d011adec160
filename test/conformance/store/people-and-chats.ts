/** Contacts, chats and groups: changed by what is given, told when it happened live. */
import { expect, test } from "vitest";
import type { Fact } from "../../../hub/core/facts.ts";
import { aMessageFact, aNewSession, bytes, anIntakeEntry, T0_SECONDS } from "../../support/builders.ts";
import { names, type Worlds } from "./world.ts";

const ANA = "34600111222@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";

const contact = (change: (Fact & { kind: "contact" })["change"], { live = true, jid = ANA } = {}): Fact => ({
  kind: "contact",
  jid,
  change,
  live,
});
const chat = (change: (Fact & { kind: "chat" })["change"], { live = true, jid = ANA } = {}): Fact => ({
  kind: "chat",
  jid,
  change,
  live,
});

export function peopleAndChats(world: Worlds): void {
  test("a contact changes by the members given, and only a live change is told", async () => {
    const { store, record, events } = await world();
    await record(contact({ name: "Ana", isMyContact: true }, { live: false }));
    await record(contact({ pushName: "anita" }));
    await record(contact({ pushName: "anita", name: undefined as never }));
    await record(contact({ name: null }));
    expect(await store.inbox.contact("s1", "34600111222@c.us")).toMatchObject({
      jid: ANA,
      lid: null,
      name: null,
      pushName: "anita",
      isMyContact: true,
      isBlocked: false,
    });
    const told = await events();
    expect(names(told)).toEqual(["contact.updated", "contact.updated"]);
    expect(told[0]?.data.contact).toMatchObject({
      id: "34600111222@c.us",
      phone: "+34600111222",
      name: "Ana",
    });
    expect(await store.inbox.contact("s1", "34600000000@s.whatsapp.net")).toBeNull();
  });

  test("a chat is named after its contact, else as WhatsApp named it, else as the person calls themselves", async () => {
    const { store, record } = await world();
    await record(aMessageFact());
    expect(await store.inbox.chat("s1", ANA)).toMatchObject({ name: null });
    await record(contact({ pushName: "anita" }));
    expect(await store.inbox.chat("s1", ANA)).toMatchObject({ name: "anita" });
    await record(chat({ name: "From history" }));
    expect(await store.inbox.chat("s1", ANA)).toMatchObject({ name: "From history" });
    await record(contact({ name: "Ana" }));
    expect(await store.inbox.chat("s1", ANA)).toMatchObject({ name: "Ana" });
  });

  test("archive and other changes of a chat are told apart, and once", async () => {
    const { store, record, events } = await world();
    await record(aMessageFact());
    await record([chat({ archived: true }), chat({ archived: true })]);
    await record(chat({ archived: false, pinned: true, muteExpiration: -1 }));
    await record(chat({ pinned: true }));
    const told = (await events()).slice(1);
    expect(told.map(({ event, data }) => [event, data.isArchived])).toEqual([
      ["chat.archived", true],
      ["chat.unarchived", false],
      ["chat.updated", undefined],
    ]);
    expect(told[2]?.data).toMatchObject({
      chatId: "34600111222@c.us",
      chat: { pinned: true, isMuted: true },
    });
    expect(await store.inbox.chat("s1", ANA)).toMatchObject({
      pinned: true,
      archived: false,
      muteExpiration: -1,
    });
  });

  test("history fills chats in silence and takes nothing back", async () => {
    const { store, record, events } = await world();
    await record([aMessageFact(), aMessageFact(), aMessageFact()]);
    await record(chat({ unreadCount: 1, lastMessageAt: T0_SECONDS - 100, archived: true }, { live: false }));
    expect(await store.inbox.chat("s1", ANA)).toMatchObject({
      unreadCount: 3,
      lastMessageAt: T0_SECONDS,
      archived: true,
    });
    const other = "34600333444@s.whatsapp.net";
    await record(chat({ unreadCount: 7, lastMessageAt: T0_SECONDS - 5 }, { live: false, jid: other }));
    expect(await store.inbox.chat("s1", other)).toMatchObject({
      unreadCount: 7,
      lastMessageAt: T0_SECONDS - 5,
      lastMessage: null,
      messageCount: 0,
    });
    expect(names(await events())).toEqual(["message.received", "message.received", "message.received"]);
  });

  test("a chat read elsewhere has nothing unread, told once; an unknown one is not made by it", async () => {
    const { store, record, events } = await world();
    await record([aMessageFact({ id: "A" }), aMessageFact({ id: "B", timestamp: T0_SECONDS + 1 })]);
    expect(await store.inbox.unreadOf("s1", ANA, 10)).toEqual([
      { chatId: ANA, id: "B", fromMe: false, participant: null },
      { chatId: ANA, id: "A", fromMe: false, participant: null },
    ]);
    expect(await store.inbox.unreadOf("s1", ANA, 1)).toHaveLength(1);
    const readElsewhere: Fact = { kind: "chat-read", jid: ANA };
    await record([readElsewhere, readElsewhere, { kind: "chat-read", jid: GROUP }]);
    expect(await store.inbox.unreadOf("s1", ANA, 10)).toEqual([]);
    expect(names(await events()).slice(2)).toEqual(["chat.updated"]);
    expect(await store.inbox.chat("s1", GROUP)).toBeNull();
  });

  test("the unread count of what arrived is told once a chat, when it is asked for", async () => {
    const { store, record, events, clock } = await world();
    const bob = "34600333444@s.whatsapp.net";
    const mine = aMessageFact({ fromMe: true, chatId: "34600555666@s.whatsapp.net" });
    await record([aMessageFact(), aMessageFact(), aMessageFact({ chatId: bob }), mine]);
    await record(aMessageFact({ chatId: "34600777888@s.whatsapp.net" }, { live: false }));
    expect(await store.inbox.tellChats(1, clock.now())).toBe(1);
    expect(await store.inbox.tellChats(5, clock.now())).toBe(1);
    expect(await store.inbox.tellChats(5, clock.now())).toBe(0);
    const told = (await events()).filter(({ event }) => event === "chat.updated");
    expect(told.map(({ data }) => [data.chatId, (data.chat as { unreadCount: number }).unreadCount])).toEqual(
      [
        ["34600111222@c.us", 2],
        ["34600333444@c.us", 1],
      ],
    );
  });

  test("a chat that is told of for another reason is not told of once more", async () => {
    const { store, record, events, clock } = await world();
    await record(aMessageFact());
    await record(chat({ pinned: true }));
    expect(await store.inbox.tellChats(5, clock.now())).toBe(0);
    expect((await events()).at(-1)).toMatchObject({
      event: "chat.updated",
      data: { chat: { pinned: true, unreadCount: 1 } },
    });
  });

  test("a chat that is called otherwise with its contact is told of once, and only then", async () => {
    const { store, record, events, clock } = await world();
    await record(aMessageFact({ fromMe: true }));
    const toldNames = async (): Promise<unknown[]> => {
      await store.inbox.tellChats(9, clock.now());
      const told = (await events()).filter(({ event }) => event === "chat.updated");
      return told.map(({ data }) => (data.chat as { name: string }).name);
    };
    await record([contact({ pushName: "anita" }), contact({ pushName: "ana" })]);
    expect(await toldNames()).toEqual(["ana"]);
    // Not shown: what stands in front of it.
    await record(contact({ name: "Ana" }));
    await record([contact({ pushName: "anita" }), contact({ pictureToken: "t" })]);
    expect(await toldNames()).toEqual(["ana", "Ana"]);
    await record(contact({ name: "Ana López" }, { live: false }));
    await record(contact({ name: "Eva" }, { jid: "34600333444@s.whatsapp.net" }));
    expect(await toldNames()).toHaveLength(2);
    const changed = await store.inbox.chats({
      sessionId: "s1",
      limit: 9,
      page: 1,
      updatedAfter: clock.now().getTime() - 1,
    });
    expect(changed.total).toBe(1);
  });

  test("what is set for a group is told once, with all that is known of it", async () => {
    const { store, record, events } = await world();
    const told = async () =>
      (await events()).filter(({ event }) => event === "group.updated").map(({ data }) => data.group);
    const group = (
      change: (Fact & { kind: "group" })["change"],
      subject: string | null = null,
      live = true,
    ): Fact => ({
      kind: "group",
      jid: GROUP,
      subject,
      ...(change === undefined ? {} : { change }),
      by: ANA,
      live,
    });
    await record(group({ owner: ANA, createdAt: 7, announce: false }, "Team", false));
    await record([group({ description: "Only for work" }), group({ description: "Only for work" })]);
    await record([group({ announce: true }), group({ announce: true, restrict: false })]);
    await record([group({ ephemeralSeconds: 86_400 }), group({}), group(undefined, "Team")]);
    const known = { id: GROUP, subject: "Team", owner: "34600111222@c.us", createdAt: 7 };
    const described = { ...known, description: "Only for work" };
    expect(await told()).toEqual([
      { ...described, announce: false },
      { ...described, announce: true },
      { ...described, announce: true, restrict: false },
      { ...described, announce: true, restrict: false, ephemeralSeconds: 86_400 },
    ]);
    expect(await store.inbox.contact("s1", GROUP)).toMatchObject({ about: "Only for work" });
    await record(group({ description: null }));
    expect((await told()).at(-1)).toMatchObject({ description: null });
  });

  test("when somebody was looked up is kept, and nobody is told", async () => {
    const { store, record, events, clock } = await world();
    await record(contact({ pushName: "Ana" }, { live: false }));
    const at = clock.now().getTime();
    await record([{ kind: "profile", jid: ANA, lookedUpAt: at }, contact({ about: "hi" }, { live: false })]);
    expect(await store.inbox.contact("s1", ANA)).toMatchObject({ lookedUpAt: at, about: "hi" });
    await record({ kind: "profile", jid: ANA, lookedUpAt: null });
    expect(await store.inbox.contact("s1", ANA)).toMatchObject({ lookedUpAt: null });
    await record({ kind: "profile", jid: GROUP, lookedUpAt: at });
    expect(await store.inbox.contact("s1", GROUP)).toBeNull();
    expect(await events()).toEqual([]);
  });

  test("a group's subject names its chat and its contact", async () => {
    const { store, record, events } = await world();
    const subject = (name: string, live: boolean): Fact => ({
      kind: "group",
      jid: GROUP,
      subject: name,
      by: ANA,
      live,
    });
    await record(subject("Team", false));
    await record([subject("Team", true), subject("The team", true)]);
    expect(await store.inbox.chat("s1", GROUP)).toMatchObject({ name: "The team" });
    expect(await store.inbox.contact("s1", GROUP)).toMatchObject({ name: "The team" });
    const told = await events();
    expect(names(told)).toEqual(["group.updated"]);
    expect(told[0]?.data).toMatchObject({
      groupId: GROUP,
      group: { subject: "The team" },
      by: "34600111222@c.us",
    });
  });

  test("members, calls and the end of an import are told, but not again for a stanza recorded before", async () => {
    const { store, record, events } = await world();
    const entry = anIntakeEntry();
    await store.auth.commit("s1", { keys: [], intake: [entry] });
    const facts: Fact[] = [
      aMessageFact({ timestamp: 500 }, { live: false }),
      { kind: "participants", jid: GROUP, action: "add", participants: [ANA], by: null },
      { kind: "call", callId: "c1", from: ANA, isVideo: false, isGroup: false, status: "offer", at: 9 },
      { kind: "call", callId: "c1", from: ANA, isVideo: false, isGroup: false, status: "timeout", at: 19 },
      { kind: "history", syncType: "recent", progress: 50, import: true, done: false, piece: null },
      { kind: "history", syncType: "full", progress: 100, import: true, done: true, piece: null },
    ];
    await record(facts, { closes: [entry.digest] });
    await record(facts, { closes: [entry.digest] });
    const told = await events();
    expect(names(told)).toEqual(["group.participants", "call.received", "history.synced"]);
    expect(told[0]?.data).toMatchObject({ action: "add", participants: ["34600111222@c.us"] });
    expect(told[2]?.data).toMatchObject({ oldest: 500, newest: 500, chats: 1, messages: 1, complete: true });
    await record(facts.slice(1, 2), { closes: [bytes("a stanza of its own")] });
    expect(names(await events())).toHaveLength(4);
  });

  test("figures count what is stored", async () => {
    const { store, record } = await world();
    await store.sessions.create(aNewSession({ sessionId: "s2" }));
    await record([
      aMessageFact({ timestamp: 100 }),
      aMessageFact({ timestamp: 200, chatId: GROUP, participant: ANA }),
      aMessageFact({ timestamp: 300, fromMe: true, status: "pending", id: "A" }),
      aMessageFact({ timestamp: 400, fromMe: true, status: "sent" }),
      { kind: "status", chatId: ANA, ids: ["A"], status: "read", at: 1, participant: null },
      contact({ name: "Ana", isBusiness: true, pictureToken: "t" }),
      { kind: "group", jid: GROUP, subject: "Team", by: null, live: true },
    ]);
    expect(await store.inbox.stats("s1", { dayStart: 200 })).toEqual({
      total: 4,
      sent: 2,
      received: 2,
      delivered: 0,
      read: 1,
      failed: 0,
      pending: 0,
      unread: 2,
      chats: 2,
      contacts: 2,
      today: { sent: 2, received: 1 },
    });
    expect(await store.inbox.totals("s1")).toEqual({ contacts: 2, chats: 2, messages: 4, unread: 2 });
    expect(await store.inbox.stats("s1", { since: 200, until: 300, dayStart: 1000 })).toMatchObject({
      total: 2,
      sent: 1,
      received: 1,
      read: 1,
    });
    expect(await store.inbox.contactStats("s1")).toEqual({
      total: 2,
      users: 1,
      groups: 1,
      business: 1,
      withName: 2,
      withPicture: 1,
    });
    expect(await store.inbox.stats("s2", { dayStart: 0 })).toMatchObject({ total: 0, chats: 0, contacts: 0 });
  });
}
