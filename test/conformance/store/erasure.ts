/** What is erased is gone from every table, and only that. */
import { expect, test } from "vitest";
import type { ErasureScope, ErasureStep } from "../../../hub/core/erasure.ts";
import { aMedia, aMessage, aMessageFact, aNewSession, anIntakeEntry, T0 } from "../../support/builders.ts";
import type { World, Worlds } from "./world.ts";

const CHAT = "34600111222@s.whatsapp.net";
const OTHER = "34600111333@s.whatsapp.net";

/** All steps, in small ones. */
async function erase({ store: { erasure } }: World, scope: ErasureScope) {
  const walk = async (work: (step: ErasureStep) => Promise<{ removed: number; place: number | null }>) => {
    let total = 0;
    for (let after: number | null = 0; after !== null;) {
      const { removed, place }: { removed: number; place: number | null } = await work({
        scope,
        after,
        limit: 2,
      });
      total += removed;
      after = place;
    }
    return total;
  };
  const total = { messages: 0, files: 0 };
  for (let rest = 1; rest > 0;) {
    const { messages, files } = await erasure.eraseMessages(scope, 2);
    rest = messages;
    total.messages += messages;
    total.files += files;
  }
  const events = await walk((step) => erasure.eraseEvents(step));
  const stanzas = await walk((step) => erasure.eraseStanzas(step));
  while (await erasure.eraseRest(scope, 2)) continue;
  for (let isFirst = true; await erasure.eraseWords(isFirst); isFirst = false) continue;
  expect(await erasure.emptyLog()).toBe(true);
  return { ...total, events, stanzas };
}

async function countOwed({ store: { erasure } }: World, scope: ErasureScope): Promise<number> {
  let total = 0;
  for (let after: number | null = 0; after !== null;) {
    const { count, place }: { count: number; place: number | null } = await erasure.countOwed({
      ...{ scope, after, limit: 2 },
    });
    total += count;
    after = place;
  }
  return total;
}

const found = async ({ store }: World, search: string): Promise<number> =>
  (await store.inbox.messages({ sessionId: "s1", search, order: "desc", limit: 9, page: 1 })).total;

export function erasure(world: Worlds): void {
  test("a chat loses its messages, words, files and events, and tells how many went; others stay", async () => {
    const made = await world();
    const { store, record } = made;
    const file = aMedia();
    await record(aMessageFact({ content: "zanahoria uno" }));
    await record(aMessageFact({ content: "zanahoria dos" }));
    await record(aMessageFact({ type: "image", media: file }));
    await record(aMessageFact({ chatId: OTHER, content: "zanahoria tres" }));
    expect(await found(made, "zanahoria")).toBe(3);
    expect(await erase(made, { sessionId: "s1", chatId: CHAT })).toMatchObject({ messages: 3, files: 1 });
    expect(await found(made, "zanahoria")).toBe(1);
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({ messageCount: 0, removedMessages: 3 });
    expect(await store.inbox.chat("s1", OTHER)).toMatchObject({ messageCount: 1, removedMessages: 0 });
    expect(await store.media.left("", 9)).toEqual([file.mediaId]);
    const told = (await made.events()).map(({ data }) => JSON.stringify(data));
    expect(told.filter((data) => data.includes("34600111222"))).toEqual([]);
    expect(told.filter((data) => data.includes("zanahoria tres"))).not.toEqual([]);
  });

  test("what was told under a hidden id goes with the chat of its phone", async () => {
    const made = await world();
    const { record } = made;
    await record(aMessageFact({ chatId: "777@lid", content: "zanahoria" }));
    await record({ kind: "lid", lid: "777@lid", phone: CHAT });
    await erase(made, { sessionId: "s1", chatId: CHAT });
    expect(JSON.stringify(await made.events())).not.toContain("zanahoria");
  });

  test("stanzas that were recorded lose what they said, and are still known when they come again", async () => {
    const made = await world();
    const { store, record } = made;
    const sealed = { encId: new Uint8Array([7]), sealed: new Uint8Array([1, 2, 3]) };
    const [entry, other] = [
      anIntakeEntry({ chat: CHAT, plaintexts: [sealed] }),
      anIntakeEntry({ chat: OTHER, plaintexts: [{ ...sealed, encId: new Uint8Array([8]) }] }),
    ];
    await store.auth.commit("s1", { keys: [], intake: [entry, other] });
    await record(aMessageFact({ id: "A" }), { closes: [entry.digest, other.digest] });
    expect(await erase(made, { sessionId: "s1", chatId: CHAT })).toMatchObject({ stanzas: 1 });
    expect(await store.intake.plaintext("s1", new Uint8Array([7]))).toBeNull();
    expect(await store.intake.plaintext("s1", new Uint8Array([8]))).not.toBeNull();
    await store.auth.commit("s1", { keys: [], intake: [entry] });
    expect(await store.intake.open("s1")).toEqual([]);
  });

  test("what is on its way, owed or parked is counted, in that chat alone; an event that is owed stays", async () => {
    const made = await world();
    const { store, record, endpoint, due, settle } = made;
    const crm = await endpoint();
    const scope = { sessionId: "s1", chatId: CHAT };
    await record(aMessageFact());
    await record(aMessageFact({ chatId: OTHER }));
    const owed = await countOwed(made, scope);
    expect(owed).toBeGreaterThan(0);
    expect(await countOwed(made, { sessionId: "s1", chatId: null })).toBeGreaterThan(owed);
    expect(await erase(made, scope)).toMatchObject({ messages: 1, events: 0 });
    for (let rest = await due(crm); rest.length > 0; rest = await due(crm)) await settle(rest);
    expect(await countOwed(made, scope)).toBe(0);

    const send = { order: "{}", expiresAt: T0, now: T0 };
    await store.sends.accept({ message: aMessage({ chatId: OTHER, fromMe: true }), ...send });
    expect(await store.erasure.countOnTheirWay(scope)).toBe(0);
    expect(await store.erasure.countOnTheirWay({ ...scope, chatId: OTHER })).toBe(1);
    expect(await store.erasure.countOnTheirWay({ ...scope, chatId: null })).toBe(1);
  });

  test("of a session all that was said and everybody goes, of other sessions nothing", async () => {
    const made = await world();
    const { store, record } = made;
    await store.sessions.create(aNewSession({ sessionId: "s2", phoneNumber: "34600999777", lid: null }));
    for (const chatId of [CHAT, OTHER, "34600111444@s.whatsapp.net"]) await record(aMessageFact({ chatId }));
    await record({ kind: "contact", jid: CHAT, change: { name: "Ana" }, live: false });
    await record(aMessageFact({ sessionId: "s2" }), { sessionId: "s2" });
    expect(await erase(made, { sessionId: "s1", chatId: null })).toMatchObject({ messages: 3 });
    const page = { limit: 9, page: 1 };
    expect((await store.inbox.chats({ sessionId: "s1", ...page })).total).toBe(0);
    expect((await store.inbox.contacts({ sessionId: "s1", ...page })).total).toBe(0);
    expect((await store.inbox.chats({ sessionId: "s2", ...page })).total).toBe(1);
    expect(new Set((await made.events()).map(({ sessionId }) => sessionId))).toEqual(new Set(["s2"]));
    await record(aMessageFact());
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({ messageCount: 1, removedMessages: 0 });
  });
}
