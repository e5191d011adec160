/** Messages that are kept long enough go with all that is theirs; what others still need stays. */
import { describe, expect, test } from "vitest";
import type { MessageAge } from "../../../hub/core/store.ts";
import { aMedia, aMessage, aMessageFact, aNewSession, T0, T0_SECONDS } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { World, Worlds } from "./world.ts";

const CHAT = "34600111222@s.whatsapp.net";
const OTHER = "34600111333@s.whatsapp.net";
const DAY_S = 86_400;
const days = (count: number): number => hours(24 * count);

/** Everything older than thirty days. */
async function removeAll({ store, clock }: World, { limit = 100, sessionId = "s1" } = {}): Promise<number> {
  const now = clock.now().getTime();
  let total = 0;
  let after: MessageAge | null = null;
  do {
    const { removed, place } = await store.inbox.removeOld({
      ...{
        sessionId,
        before: new Date(now - days(30)),
        settledBefore: new Date(now - days(7)),
        after,
        limit,
      },
    });
    total += removed;
    after = place;
  } while (after !== null);
  return total;
}

const found = async ({ store }: World, search: string): Promise<number> =>
  (await store.inbox.messages({ sessionId: "s1", search, order: "desc", limit: 9, page: 1 })).total;

export function oldMessages(world: Worlds): void {
  test("go at the limit and not before, in batches, with their words and counts; younger ones stay", async () => {
    const made = await world();
    const { store, clock, record } = made;
    for (let n = 0; n < 7; n++)
      await record(aMessageFact({ content: "vieja", raw: "cHJvdG8=", timestamp: T0_SECONDS + n * DAY_S }));
    expect(await found(made, "vieja")).toBe(7);
    clock.advance(days(30));
    expect(await removeAll(made)).toBe(0);
    clock.advance(days(5));
    expect(await removeAll(made, { limit: 2 })).toBe(5);
    expect(await removeAll(made)).toBe(0);
    expect(await found(made, "vieja")).toBe(2);
    const { total, items } = await store.inbox.messages({ sessionId: "s1", order: "asc", limit: 9, page: 1 });
    expect([total, items.map(({ timestamp }) => timestamp)]).toEqual([
      2,
      [T0_SECONDS + 5 * DAY_S, T0_SECONDS + 6 * DAY_S],
    ]);
    expect(await store.inbox.stats("s1", { dayStart: 0 })).toMatchObject({ total: 2, received: 2, chats: 1 });
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({ messageCount: 2, removedMessages: 5 });
  });

  test("leave their chat with its last moment; a new message is never taken for the one that went", async () => {
    const made = await world();
    const { store, clock, record } = made;
    await record(aMessageFact({ chatId: OTHER, timestamp: T0_SECONDS - 1 }));
    await record(aMessageFact({ content: "adiós" }));
    await record({ kind: "contact", jid: CHAT, change: { name: "Ana" }, live: false });
    clock.advance(days(31));
    expect(await removeAll(made)).toBe(2);
    const gone = { messageCount: 0, removedMessages: 1, lastMessage: null, firstMessageTime: T0_SECONDS };
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({ ...gone, lastMessageAt: T0_SECONDS });
    const now = T0_SECONDS + 31 * DAY_S;
    await record(aMessageFact({ chatId: OTHER, content: "de nuevo", timestamp: now }));
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject(gone);
    expect(await store.inbox.chat("s1", OTHER)).toMatchObject({
      ...{ messageCount: 1, lastMessage: { content: "de nuevo" }, lastMessageAt: now },
    });
    expect(await store.inbox.contact("s1", CHAT)).toMatchObject({ name: "Ana" });
  });

  test("a chat that loses its newest message but not all shows the one before it", async () => {
    const made = await world();
    const { store, clock, record } = made;
    const send = aMessage({ id: "WAITS", fromMe: true, content: "espera", timestamp: T0_SECONDS - 9 });
    await store.sends.accept({ message: send, order: "{}", expiresAt: T0, now: T0 });
    await record(aMessageFact());
    clock.advance(days(31));
    expect(await removeAll(made)).toBe(1);
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({
      ...{ messageCount: 1, lastMessage: { content: "espera" }, lastMessageAt: T0_SECONDS },
    });
  });

  test("only of the session that was asked for", async () => {
    const made = await world();
    const { store, clock, record } = made;
    await record(aMessageFact({ id: "A" }));
    await store.sessions.create(aNewSession({ sessionId: "s2", phoneNumber: "34600999777", lid: null }));
    await record(aMessageFact({ sessionId: "s2", id: "B" }), { sessionId: "s2" });
    clock.advance(days(31));
    expect(await removeAll(made, { sessionId: "s2" })).toBe(1);
    expect(await store.inbox.message("s1", "A")).not.toBeNull();
    expect(await store.inbox.message("s2", "B")).toBeNull();
  });

  test("files go with them: row and tokens at once, and their ids are owed until the bytes are gone, too", async () => {
    const made = await world();
    const { store, clock, record } = made;
    const [old, young] = [aMedia(), aMedia()];
    await record(aMessageFact({ type: "image", media: old }));
    await record(aMessageFact({ type: "image", media: young, timestamp: T0_SECONDS + 9 * DAY_S }));
    await store.media.addToken("fresh", old.mediaId, new Date(T0.getTime() + days(90)));
    clock.advance(days(31));
    await removeAll(made);
    expect(await store.media.get(old.mediaId)).toBeNull();
    expect(await store.media.byToken("fresh", clock.now())).toBeNull();
    expect(await store.media.get(young.mediaId)).not.toBeNull();
    expect(await store.media.left("", 9)).toEqual([old.mediaId]);
    expect(await store.media.left(old.mediaId, 9)).toEqual([]);
    await store.media.cleared([old.mediaId]);
    expect(await store.media.left("", 9)).toEqual([]);
  });

  describe("stay", () => {
    test("while they are on their way to WhatsApp", async () => {
      const made = await world();
      const { store, clock, record } = made;
      const message = aMessage({ id: "A", fromMe: true });
      await store.sends.accept({ message, order: "{}", expiresAt: T0, now: T0 });
      clock.advance(days(60));
      expect(await removeAll(made)).toBe(0);
      expect(await store.sends.countWaiting("s1")).toBe(1);
      await record({ kind: "status", chatId: CHAT, ids: ["A"], status: "failed", at: 1, participant: null });
      clock.advance(days(8));
      expect(await removeAll(made)).toBe(1);
    });

    test("while a webhook has still to tell of them", async () => {
      const made = await world();
      const { clock, record, endpoint, due, settle } = made;
      const crm = await endpoint();
      await record(aMessageFact());
      clock.advance(days(60));
      expect(await removeAll(made)).toBe(0);
      await settle(await due(crm));
      expect(await removeAll(made)).toBe(1);
    });

    test("for a week when they were old as they came, and those after them go nevertheless", async () => {
      const made = await world();
      const { clock, record } = made;
      await record(aMessageFact({ timestamp: T0_SECONDS + 1 }));
      clock.advance(days(40));
      await record(aMessageFact({ id: "LATE" }, { live: false }));
      expect(await removeAll(made, { limit: 1 })).toBe(1);
      clock.advance(days(8));
      expect(await removeAll(made)).toBe(1);
    });
  });

  test("who wrote is still known, to us and by us; a message that failed is no acquaintance", async () => {
    const made = await world();
    const { store, clock, record } = made;
    const third = "34600111444@s.whatsapp.net";
    await record(aMessageFact());
    await record(aMessageFact({ chatId: OTHER, fromMe: true, status: "sent" }));
    await record(aMessageFact({ chatId: third, fromMe: true, status: "failed" }));
    clock.advance(days(31));
    expect(await removeAll(made)).toBe(3);
    expect(await store.sends.acquaintance("s1", CHAT)).toBe("heard");
    expect(await store.sends.acquaintance("s1", OTHER)).toBe("written");
    expect(await store.sends.acquaintance("s1", third)).toBe("none");
    const message = aMessage({ id: "AGAIN", fromMe: true });
    await store.sends.accept({ message, order: "{}", expiresAt: T0, now: clock.now() });
    expect(await store.sends.countWaitingBy("s1")).toEqual({ strangers: 0, others: 1 });
  });

  test("what went under a hidden id counts for the chat of its phone", async () => {
    const made = await world();
    const { store, clock, record } = made;
    await record(aMessageFact({ chatId: "777@lid" }));
    clock.advance(days(31));
    await removeAll(made);
    await record(aMessageFact());
    await record({ kind: "lid", lid: "777@lid", phone: CHAT });
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({ messageCount: 1, removedMessages: 1 });
  });
}
