/** Pages: complete, in order, without gap or repeat while rows arrive; cursors belong to their list. */
import { expect, test } from "vitest";
import type { Chat, Contact } from "../../../hub/core/chat.ts";
import type { Message } from "../../../hub/core/message.ts";
import type { Page } from "../../../hub/core/page.ts";
import type { Fact } from "../../../hub/core/facts.ts";
import { aMessageFact, aNewSession, T0, T0_SECONDS } from "../../support/builders.ts";
import { minutes } from "../../support/fixed-clock.ts";
import type { World, Worlds } from "./world.ts";

const person = (n: number): string => `346001${String(n).padStart(5, "0")}@s.whatsapp.net`;
const GROUP = "120363000000000001@g.us";

/** Every page by cursor; `between` runs after each. */
async function walk<T>(
  page: (cursor: string | undefined) => Promise<Page<T>>,
  between: () => Promise<unknown> = () => Promise.resolve(),
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const got = await page(cursor);
    items.push(...got.items);
    cursor = got.nextCursor ?? undefined;
    if (cursor !== undefined) expect(cursor.length).toBeLessThanOrEqual(200);
    await between();
  } while (cursor !== undefined);
  return items;
}

async function withTenChats(world: Worlds): Promise<World> {
  const made = await world();
  await made.record(
    Array.from({ length: 10 }, (_, n) =>
      aMessageFact({
        id: `M${n}`,
        chatId: person(n),
        timestamp: T0_SECONDS - Math.floor(n / 2),
        content: `text ${n}`,
      }),
    ),
  );
  return made;
}

const ids = (items: (Message | Chat | Contact)[]): string[] =>
  items.map((item) => ("id" in item ? item.id : "conversationId" in item ? item.chatId : item.jid));

export function lists(world: Worlds): void {
  test("messages come newest first, or oldest first, each once, while new ones arrive", async () => {
    const { store, record } = await withTenChats(world);
    const page = (order: "asc" | "desc") => (cursor: string | undefined) =>
      store.inbox.messages({ sessionId: "s1", order, limit: 3, page: 1, cursor });
    const newer = (): Promise<unknown> => record(aMessageFact({ timestamp: T0_SECONDS + 1 }));
    const seen = ids(await walk(page("desc"), newer));
    expect(seen).toEqual(["M1", "M0", "M3", "M2", "M5", "M4", "M7", "M6", "M9", "M8"]);
    const asc = ids(await walk(page("asc")));
    expect(asc.slice(0, 10)).toEqual([...seen].reverse());
  });

  test("pages by number show the same rows, and a cursor goes on from there", async () => {
    const { store } = await withTenChats(world);
    const second = await store.inbox.messages({ sessionId: "s1", order: "desc", limit: 4, page: 2 });
    expect(ids(second.items)).toEqual(["M5", "M4", "M7", "M6"]);
    expect(second.total).toBe(10);
    const third = await store.inbox.messages({
      sessionId: "s1",
      order: "desc",
      limit: 4,
      page: 1,
      cursor: second.nextCursor ?? "",
    });
    expect(ids(third.items)).toEqual(["M9", "M8"]);
    expect(third.nextCursor).toBeNull();
    expect((await store.inbox.messages({ sessionId: "s1", order: "desc", limit: 4, page: 9 })).items).toEqual(
      [],
    );
  });

  test("messages are filtered by chat, time, kind, direction, words and change", async () => {
    const { store, record, clock } = await world();
    await record([
      aMessageFact({ id: "A", timestamp: 100, content: "100% sure" }),
      aMessageFact({ id: "B", timestamp: 200, content: "1000 sure", type: "image" }),
      aMessageFact({ id: "C", timestamp: 300, content: "under_score", fromMe: true, status: "sent" }),
      aMessageFact({
        id: "D",
        timestamp: 400,
        content: "underXscore",
        chatId: GROUP,
        participant: person(1),
      }),
    ]);
    const found = async (filter: object): Promise<string[]> => {
      const query = { sessionId: "s1", order: "asc" as const, limit: 50, page: 1, ...filter };
      const { items, total } = await store.inbox.messages(query);
      expect(total).toBe(items.length);
      return ids(items);
    };
    expect(await found({})).toEqual(["A", "B", "C", "D"]);
    expect(await found({ chatId: GROUP })).toEqual(["D"]);
    expect(await found({ chatId: "34600111222@c.us" })).toEqual(["A", "B", "C"]);
    expect(await found({ chatId: person(9) })).toEqual([]);
    expect(await found({ since: 200, until: 300 })).toEqual(["B", "C"]);
    expect(await found({ type: "image" })).toEqual(["B"]);
    expect(await found({ fromMe: true })).toEqual(["C"]);
    expect(await found({ fromMe: false, chatId: "34600111222@c.us" })).toEqual(["A", "B"]);
    expect(await found({ search: "SURE" })).toEqual(["A", "B"]);
    expect(await found({ search: "sure", chatId: "34600111222@c.us", type: "image" })).toEqual(["B"]);

    clock.advance(minutes(1));
    const before = clock.now().getTime() - 1;
    await record({
      kind: "status",
      chatId: "34600111222@c.us",
      ids: ["C"],
      status: "read",
      at: 1,
      participant: null,
    });
    expect(await found({ updatedAfter: before })).toEqual(["C"]);
    expect(await found({ updatedAfter: before, chatId: "34600111222@c.us" })).toEqual(["C"]);
  });

  test("messages come by when they last changed, however they are told apart", async () => {
    const { store, record, clock } = await withTenChats(world);
    const before = clock.now().getTime();
    const changed = ["M7", "M3", "M9", "M1"];
    for (const id of changed) {
      clock.advance(1000);
      const target = { chatId: person(Number(id.slice(1))), id };
      await record({ kind: "edit", target, content: "other", at: T0_SECONDS, raw: null });
    }
    const found = (more: object) =>
      walk((cursor) =>
        store.inbox.messages({
          ...{ sessionId: "s1", order: "asc", orderBy: "updated", updatedAfter: before, limit: 3, page: 1 },
          ...more,
          cursor,
        }),
      );
    expect(ids(await found({}))).toEqual(changed);
    expect(ids(await found({ order: "desc" }))).toEqual(changed.toReversed());
    expect(ids(await found({ chatId: person(9) }))).toEqual(["M9"]);
    expect(ids(await found({ id: "M3" }))).toEqual(["M3"]);
    expect(ids(await found({ updatedAfter: undefined })).slice(-4)).toEqual(changed);
    const { total } = await store.inbox.messages({
      ...{ sessionId: "s1", order: "asc", orderBy: "updated", updatedAfter: before, limit: 1, page: 1 },
    });
    expect(total).toBe(4);
  });

  test("messages of a page come without the proto", async () => {
    const { store, record } = await world();
    await record(aMessageFact({ id: "A", raw: "cHJvdG8=" }));
    const { items } = await store.inbox.messages({ sessionId: "s1", order: "desc", limit: 5, page: 1 });
    expect(items).toEqual([expect.objectContaining({ id: "A", raw: null })]);
  });

  test("chats come by last message, newest first, and are filtered", async () => {
    const { store, record, clock } = await withTenChats(world);
    const page = (cursor: string | undefined): Promise<Page<Chat>> =>
      store.inbox.chats({ sessionId: "s1", limit: 3, page: 1, cursor });
    expect(ids(await walk(page))).toEqual([1, 0, 3, 2, 5, 4, 7, 6, 9, 8].map(person));

    clock.advance(minutes(1));
    await record([
      { kind: "chat", jid: person(4), change: { archived: true }, live: true },
      { kind: "chat-read", jid: person(5) },
      { kind: "contact", jid: person(6), change: { name: "Ana 100%" }, live: true },
      { kind: "group", jid: GROUP, subject: "Team", by: null, live: false },
    ]);
    const found = async (filter: object): Promise<string[]> => {
      const { items, total } = await store.inbox.chats({ sessionId: "s1", limit: 50, page: 1, ...filter });
      expect(total).toBe(items.length);
      return ids(items);
    };
    expect(await found({})).toHaveLength(11);
    expect(await found({ archived: true })).toEqual([person(4)]);
    expect(await found({ archived: false })).toHaveLength(10);
    expect(await found({ unread: false })).toEqual([person(5), GROUP]);
    expect(await found({ search: "ana 100%" })).toEqual([person(6)]);
    expect(await found({ search: "team" })).toEqual([GROUP]);
    expect(await found({ search: "+34600100003" })).toEqual([person(3)]);
    // One of them is called otherwise now.
    const changed = [person(5), person(4), person(6), GROUP];
    expect(await found({ updatedAfter: clock.now().getTime() - 1 })).toEqual(changed);
  });

  test("contacts come by name, those without one last, and are filtered", async () => {
    const { store, record, clock } = await world();
    const named = (n: number, name: string | null): Fact => ({
      kind: "contact",
      jid: person(n),
      change: { name },
      live: false,
    });
    await record([
      named(1, "eva"),
      named(2, null),
      named(3, "Ana"),
      named(4, "Ana"),
      named(5, `${"🐎".repeat(300)}"\\`),
      named(6, "Zoë"),
      { kind: "group", jid: GROUP, subject: "Board", by: null, live: false },
    ]);
    const page = (cursor: string | undefined): Promise<Page<Contact>> =>
      store.inbox.contacts({ sessionId: "s1", limit: 1, page: 1, cursor });
    expect(ids(await walk(page))).toEqual([
      person(3),
      person(4),
      GROUP,
      person(1),
      person(6),
      person(5),
      person(2),
    ]);
    const found = async (filter: object): Promise<string[]> => {
      const { items, total } = await store.inbox.contacts({ sessionId: "s1", limit: 50, page: 1, ...filter });
      expect(total).toBe(items.length);
      return ids(items);
    };
    expect(await found({ isGroup: true })).toEqual([GROUP]);
    expect(await found({ isGroup: false })).toHaveLength(6);
    expect(await found({ search: "AN" })).toEqual([person(3), person(4)]);
    clock.advance(1000);
    await record(named(1, "Eva"));
    expect(await found({ updatedAfter: T0.getTime() })).toEqual([person(1)]);
  });

  test("one session never sees another's", async () => {
    const { store, record } = await withTenChats(world);
    await store.sessions.create(aNewSession({ sessionId: "s2" }));
    await record(aMessageFact({ id: "other" }), { sessionId: "s2" });
    const query = { sessionId: "s2", limit: 50, page: 1 };
    expect(ids((await store.inbox.messages({ ...query, order: "desc" })).items)).toEqual(["other"]);
    expect(await store.inbox.chats(query)).toMatchObject({ total: 1 });
    expect(await store.inbox.message("s2", "M1")).toBeNull();
  });

  test("a cursor of another list, other filters, another order or of nobody is refused", async () => {
    const { store } = await withTenChats(world);
    const messages = { sessionId: "s1", order: "desc" as const, limit: 2, page: 1 };
    const cursor = (await store.inbox.messages(messages)).nextCursor ?? "";
    const refused = { code: "VALIDATION_ERROR", details: { fields: [{ path: "cursor" }] } };
    const forged = Buffer.from(JSON.stringify(["AAAAAAAA", 1, 1])).toString("base64url");
    const padded = Buffer.from(
      JSON.stringify([...(JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[]), 1]),
    ).toString("base64url");
    for (const query of [
      { ...messages, order: "asc" as const, cursor },
      { ...messages, fromMe: true, cursor },
      { ...messages, chatId: person(1), cursor },
      ...["", "x", "bnVsbA", "e30", forged, padded, "💥".repeat(40)].map((bad) => ({
        ...messages,
        cursor: bad,
      })),
    ])
      await expect(store.inbox.messages(query)).rejects.toMatchObject(refused);
    await expect(store.inbox.chats({ sessionId: "s1", limit: 2, page: 1, cursor })).rejects.toMatchObject(
      refused,
    );
    await store.inbox.messages({ ...messages, cursor, limit: 7 });
  });
}
