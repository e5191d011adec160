import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, describe, expect, test } from "vitest";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { hubDown } from "../support/fake-hub.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";
import { fill, messageId, say, syncWorld, type SyncWorld } from "../support/sync-rig.ts";
import { until } from "../support/until.ts";

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
});

/** A CRM in a file, so that somebody can delete its rows by hand. */
async function aSqliteWorld(limits = {}) {
  const dir = await mkdtemp(join(tmpdir(), "reconcile-"));
  const file = join(dir, "crm.db");
  const crm = await openSqliteAdapter({ file, clock: fixedClock() });
  await crm.prepare();
  cleanUp.push(
    () => rm(dir, { recursive: true }),
    () => crm.close(),
  );
  const byHand = (sql: string, ...values: string[]): number => {
    const db = new Database(file);
    try {
      return db.prepare(sql).run(...values).changes;
    } finally {
      db.close();
    }
  };
  return { ...syncWorld({ limits, crm }), byHand };
}

async function synced(world: SyncWorld) {
  const bridge = world.begin();
  await bridge.queue.start();
  await bridge.queue.request("s1", "connected");
  await bridge.queue.idle();
  return bridge;
}

const PEOPLE = { contacts: 60, chats: 40, messages: 60 };

describe("hub and CRM", () => {
  test("agree after a sync, although the limits kept most messages out", async () => {
    const world = await aSqliteWorld({ messageChats: 5, messagesPerChat: 20 });
    fill(world.hub, PEOPLE);
    const { reconcile } = await synced(world);
    expect(await reconcile.messages("s1")).toMatchObject({ differences: 0, repaired: 0, errors: [] });
    expect((await world.adapter.totals("s1")).messages).toBe(100);
    expect(world.log.lines("reconcile.compared")[0]?.facts).toMatchObject({
      sessionId: "s1",
      differences: 0,
    });
  });

  test("agree again after rows were deleted by hand: messages, chats with all of theirs, and contacts", async () => {
    const world = await aSqliteWorld();
    fill(world.hub, PEOPLE);
    const { reconcile } = await synced(world);
    const before = await world.adapter.totals("s1");
    const gone = world.byHand("DELETE FROM whatsapp_message WHERE rowid % 2 = 0");
    expect(gone).toBeGreaterThan(400);
    const result = await reconcile.messages("s1");
    expect(result).toMatchObject({
      messages: gone,
      contacts: 0,
      chats: 0,
      differences: gone,
      repaired: gone,
    });
    expect(await world.adapter.totals("s1")).toEqual(before);
    expect(world.state.read().comparisons["s1"]).toMatchObject({ messages: gone, repaired: gone });
    expect(await reconcile.messages()).toMatchObject({ differences: 0 });
  });

  test("agree again when the oldest messages of a long chat were deleted", async () => {
    const world = await aSqliteWorld({ messageChats: 1 });
    fill(world.hub, { contacts: 1, chats: 1, messages: 40 });
    const { reconcile, apply } = await synced(world);
    for (let n = 0; n < 60; n += 1)
      await apply(world.hub.receives("s1", { chatId: personId(1), timestamp: 1_750_000_000 + n }));
    expect(await reconcile.messages("s1")).toMatchObject({ differences: 0 });
    for (let m = 1; m <= 30; m += 1)
      world.byHand("DELETE FROM whatsapp_message WHERE message_id = ?", messageId(1, m));
    expect(await reconcile.messages("s1")).toMatchObject({ messages: 30, repaired: 30 });
    expect((await world.adapter.totals("s1")).messages).toBe(100);
  });

  test("agree after a reconcile when messages came that no webhook told", async () => {
    const world = await aSqliteWorld({ messageChats: 2, messagesPerChat: 10 });
    fill(world.hub, { contacts: 10, chats: 5, messages: 30 });
    const { reconcile, apply } = await synced(world);
    await apply(world.hub.receives("s1", { chatId: personId(1), timestamp: 1_700_150_000 }));
    // Chat 1 is beyond the limits, but one message of it is in the CRM; the ones after that one must be as well.
    for (let n = 1; n <= 3; n += 1)
      world.hub.store.addMessage("s1", { chatId: personId(1), timestamp: 1_700_150_000 + n });
    world.hub.store.addMessage("s1", { chatId: personId(5), timestamp: 1_700_900_000 });
    expect(await reconcile.messages("s1")).toMatchObject({ messages: 4, repaired: 4 });
    expect(await reconcile.messages("s1")).toMatchObject({ differences: 0 });
  });

  test("agree where a chat is wholly missing, within the limits", async () => {
    const world = await aSqliteWorld({ messageChats: 2, messagesPerChat: 10, chats: 4 });
    fill(world.hub, { contacts: 10, chats: 5, messages: 30 });
    const { reconcile } = await synced(world);
    world.hub.store.addContact("s1", { id: personId(50) });
    say(world.hub, { chat: 50, messages: 30 });
    const result = await reconcile.messages("s1");
    expect(result).toMatchObject({ contacts: 1, messages: 10 });
    expect(await reconcile.messages("s1")).toMatchObject({ differences: 0 });
  });

  test("differ for ever where the hub has less: it is told, nothing is deleted, and nothing read for it each hour", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 3, chats: 3, messages: 20 });
    const { reconcile } = await synced(world);
    world.hub.store.removeMessage("s1", { chatId: personId(2), messageId: messageId(2, 7) });
    world.hub.calls.length = 0;
    const extra = { chats: 0, messages: 1, inChats: [{ chatId: personId(2), messages: 1 }] };
    for (let hour = 0; hour < 2; hour += 1)
      expect(await reconcile.messages("s1")).toMatchObject({ differences: 0, extra });
    expect(world.hub.calls.filter(({ method }) => method === "messages")).toHaveLength(0);
    expect((await world.adapter.totals("s1")).messages).toBe(60);
    expect(world.state.read().comparisons["s1"]).toMatchObject({ extra });
    expect(world.log.text()).not.toContain(personId(2));
  });

  test("agree again where each had one the other had not, and the CRM's own one is told", async () => {
    const world = await aSqliteWorld();
    fill(world.hub, { contacts: 3, chats: 3, messages: 20 });
    const { reconcile } = await synced(world);
    const renamed = world.byHand(
      "UPDATE whatsapp_message SET message_id = 'OTHER', timestamp = '2020-01-01 00:00:00.000000' WHERE message_id = ?",
      messageId(2, 20),
    );
    expect(renamed).toBe(1);
    expect(await reconcile.messages("s1")).toMatchObject({
      messages: 1,
      repaired: 1,
      extra: { messages: 1, inChats: [{ chatId: personId(2), messages: 1 }] },
    });
    expect((await world.adapter.totals("s1")).messages).toBe(61);
    expect(await reconcile.messages("s1")).toMatchObject({ differences: 0, extra: { messages: 1 } });
  });

  test("agree again where the CRM's last message is none of the hub's, although there are as many", async () => {
    const world = await aSqliteWorld();
    fill(world.hub, { contacts: 1, chats: 1, messages: 20 });
    const { reconcile } = await synced(world);
    world.byHand(
      "UPDATE whatsapp_message SET timestamp = '2030-01-01 00:00:00.000000' WHERE message_id = ?",
      messageId(1, 20),
    );
    expect(await reconcile.messages("s1")).toMatchObject({ messages: 1, repaired: 1 });
    world.hub.calls.length = 0;
    expect(await reconcile.messages("s1")).toMatchObject({ differences: 0 });
    expect(world.hub.calls.filter(({ method }) => method === "messages")).toEqual([]);
  });
});

describe("a session that was deleted", () => {
  test("leaves nothing behind that would count for another one of its name", async () => {
    const world = await aSqliteWorld();
    fill(world.hub, { contacts: 1, chats: 1, messages: 20 });
    const { reconcile } = await synced(world);
    await reconcile.sessions();
    world.byHand(
      "UPDATE whatsapp_message SET message_id = 'OTHER', timestamp = '2030-01-01 00:00:00.000000' WHERE message_id = ?",
      messageId(1, 20),
    );
    const messagesRead = (): number => world.hub.calls.filter(({ method }) => method === "messages").length;
    // What the CRM alone has is read for until it is known to stay.
    await reconcile.messages("s1");
    await reconcile.messages("s1");
    world.hub.calls.length = 0;
    await reconcile.messages("s1");
    expect(messagesRead()).toBe(0);
    expect(world.state.read()).toHaveProperty("comparisons.s1");
    expect(world.state.read()).toHaveProperty("syncedUntil.s1");

    const { sessions, emit } = world.hub.store;
    const data = sessions.get("s1");
    if (data === undefined) throw new Error("the hub lost its session");
    sessions.delete("s1");
    emit("endpoint.test", "_hub", { hello: true });
    await reconcile.sessions();
    const { comparisons, syncedUntil } = world.state.read();
    expect({ comparisons, syncedUntil }).toEqual({ comparisons: {}, syncedUntil: {} });

    sessions.set("s1", data);
    emit("endpoint.test", "_hub", { hello: true });
    await reconcile.sessions();
    await reconcile.messages("s1");
    expect(messagesRead()).toBeGreaterThan(0);
  });
});

describe("a comparison", () => {
  test("goes on after a chat that cannot be read, and gives up when the hub answers nothing any more", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 10, chats: 10, messages: 5 });
    const { reconcile } = world.begin();
    world.hub.before = ({ method, args }) => {
      if (method === "messages" && args[1] === personId(9)) throw hubDown();
    };
    expect(await reconcile.messages("s1")).toMatchObject({ messages: 45 });
    expect(world.log.lines("reconcile.chat_failed")).toHaveLength(1);
    expect(world.log.text()).not.toContain("34600");

    const lost = syncWorld();
    fill(lost.hub, { contacts: 10, chats: 10, messages: 5 });
    lost.hub.before = ({ method }) => {
      if (method === "messages") throw hubDown();
    };
    const bridge = lost.begin();
    await expect(bridge.reconcile.messages("s1")).rejects.toThrow("does not answer");
    expect(lost.hub.calls.filter(({ method }) => method === "messages")).toHaveLength(3);
    expect(lost.state.read().comparisons).toEqual({});
  });

  test("of all sessions names the one that could not be compared", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 2, chats: 2, messages: 5 });
    fill(world.hub, { contacts: 2, chats: 2, messages: 5, sessionId: "s2" });
    const crm = {
      ...world.adapter,
      totals: (sessionId: string) =>
        sessionId === "s1" ? Promise.reject(new CrmUnavailable("down")) : world.adapter.totals(sessionId),
    };
    const { reconcile } = world.begin({ adapter: crm });
    expect(await reconcile.messages()).toMatchObject({
      errors: [{ session: "s1", error: "down" }],
      messages: 10,
    });
  });

  test("waits for a sync of the session, whose records are no differences", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 10, chats: 10, messages: 5 });
    const { queue, reconcile } = world.begin();
    await queue.start();
    await queue.request("s1", "connected");
    expect(await reconcile.messages("s1")).toMatchObject({ differences: 0 });
  });

  test("that waits for a sync ends with it when the bridge is stopped, and writes nothing any more", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 300, chats: 3, messages: 3 });
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let isReading = false;
    world.hub.before = async ({ method }) => {
      if (method !== "contacts" || isReading) return;
      isReading = true;
      await held;
    };
    const { queue, reconcile } = world.begin();
    await queue.start();
    await queue.request("s1", "manual");
    const comparing = reconcile.messages("s1");
    await until("the sync reads, and the comparison waits for it", () => isReading);
    const stopping = Promise.all([queue.stop(), reconcile.stop()]);
    letGo();
    await stopping;
    await comparing;
    expect(queue.jobs("s1")[0]?.status).toBe("queued");
    expect(world.state.read().comparisons).toEqual({});
    expect((await world.adapter.totals("s1")).contacts).toBeLessThanOrEqual(100);
  });
});
