/** Webhooks are applied while a sync runs: between every answer of the hub and its being written, something newer happens. */
import { expect, test } from "vitest";
import type { HubEvent } from "../../hub/contract/index.ts";
import { seconds } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";
import {
  CHATS,
  CONTACTS,
  documents,
  fill,
  later,
  MESSAGES,
  messageId,
  syncWorld,
} from "../support/sync-rig.ts";

const key = (chat: number, m: number) => ({ chatId: personId(chat), messageId: messageId(chat, m) });

test("nothing stale wins: what a webhook told after a page was read stays", async () => {
  const world = syncWorld();
  const { hub, adapter } = world;
  fill(hub, { contacts: 250, chats: 20, messages: 20 });
  const { queue, apply } = world.begin();
  await queue.start();

  let round = 0;
  hub.after = async ({ method }) => {
    if (!["contacts", "chats", "messages"].includes(method)) return;
    const n = (round += 1);
    // Edits are told to the second: of two in one second nobody can say which is the later.
    await later(world, seconds(1));
    const chat = 1 + (n % 20);
    const events: HubEvent[] = [
      hub.receives("s1", {
        chatId: personId(chat),
        messageId: `LIVE${n}`,
        timestamp: 1_800_000_000 + n,
      }),
      hub.changesContact("s1", personId(chat), { name: `New name ${n}` }),
      hub.changesChat("s1", personId(1 + ((n + 1) % 20)), {
        unreadCount: n,
        archived: n % 2 === 0,
      }),
      hub.raises("s1", key(chat, 18), "read"),
      hub.edits("s1", key(chat, 19), `edited ${n}`),
      hub.deletes("s1", key(chat, 20)),
    ];
    for (const event of events) await apply(event);
  };
  const { jobId } = await queue.request("s1", "connected");
  await queue.idle();
  expect((await queue.wait(jobId, 0)).status).toBe("completed");
  expect(round).toBeGreaterThan(20);

  const { contacts, chats, messages } = hub.store.of("s1") ?? expect.fail("no session");
  const inCrm = new Map(
    (await documents(adapter, MESSAGES)).map((message) => [message["message_id"], message]),
  );
  const inHub = [...messages.values()].flat().map(({ record }) => record);
  expect(inCrm.size).toBe(inHub.length);
  for (const { messageId: id, content, status } of inHub) {
    const kept = inCrm.get(id);
    expect([id, kept?.["status"]]).toEqual([id, status.charAt(0).toUpperCase() + status.slice(1)]);
    if (status !== "deleted") expect([id, kept?.["content"]]).toEqual([id, content]);
  }
  const conversations = await documents(adapter, CHATS);
  expect(conversations).toHaveLength(20);
  for (const chat of conversations) {
    const { record } = chats.get(String(chat["chat_id"])) ?? expect.fail("an unknown chat");
    expect([record.chatId, chat["is_archived"], chat["unread_count"]]).toEqual([
      record.chatId,
      record.archived ? 1 : 0,
      record.unreadCount,
    ]);
  }
  const people = await documents(adapter, CONTACTS);
  expect(people).toHaveLength(250);
  for (const person of people) {
    const { record } = contacts.get(String(person["contact_id"])) ?? expect.fail("an unknown contact");
    expect([record.id, person["contact_name"]]).toEqual([record.id, record.name]);
  }
});

test("a message that comes while its chat is being written waits for the page, not for the sync", async () => {
  const world = syncWorld();
  fill(world.hub, { contacts: 5, chats: 5, messages: 5 });
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const writing: string[] = [];
  const crm = {
    ...world.adapter,
    upsertMessages: async (batch: Parameters<typeof world.adapter.upsertMessages>[0]) => {
      const chatId = batch.items[0]?.chatId ?? "";
      writing.push(chatId);
      if (chatId === personId(5) && batch.items.length > 1) await held;
      return world.adapter.upsertMessages(batch);
    },
  };
  const { queue, apply } = world.begin({ adapter: crm });
  await queue.start();
  await queue.request("s1", "connected");
  while (writing.length === 0) await new Promise((resolve) => setImmediate(resolve));

  await apply(world.hub.receives("s1", { chatId: personId(4), messageId: "OTHER" }));
  const inCrm = async () => (await documents(world.adapter, MESSAGES)).map(({ message_id: id }) => id);
  expect(await inCrm()).toContain("OTHER");
  expect(await inCrm()).not.toContain(messageId(5, 1));
  let isApplied = false;
  const same = apply(world.hub.receives("s1", { chatId: personId(5), messageId: "SAME" })).then(
    () => (isApplied = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(isApplied).toBe(false);
  release();
  await same;
  await queue.idle();
  expect((await world.adapter.totals("s1")).messages).toBe(27);
});

test("a session may have a name that every object of the language knows: it is synced like any other", async () => {
  const sessionId = "constructor";
  const world = syncWorld();
  fill(world.hub, { contacts: 2, chats: 1, messages: 1, sessionId });
  const { queue, reconcile, connections } = world.begin();
  await queue.start();
  await reconcile.sessions();
  await queue.idle();
  await queue.request(sessionId, "hourly");
  await queue.idle();
  const since = world.hub.calls.filter(({ method }) => method === "contacts").map(({ args }) => args[1]);
  const last = world.state.read().syncedUntil[sessionId];
  expect(since).toEqual([
    expect.not.objectContaining({ updatedAfter: expect.anything() as unknown }),
    expect.objectContaining({ updatedAfter: Number(last) - 120 }),
  ]);
  expect(queue.jobs().map(({ status }) => status)).toEqual(["completed", "completed"]);
  expect(connections.get(sessionId)).toMatchObject({ status: "connected" });
  expect((await world.adapter.totals(sessionId)).contacts).toBe(2);
});
