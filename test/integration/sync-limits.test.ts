import { describe, expect, test } from "vitest";
import type { SyncProgress } from "../../bridge/sync/sync-progress.ts";
import { hours } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";
import {
  CHATS,
  CONTACTS,
  documents,
  fill,
  later,
  MESSAGES,
  messageId,
  say,
  syncWorld,
  type SyncWorld,
} from "../support/sync-rig.ts";

async function sync(world: SyncWorld, reason = "manual") {
  const { queue } = world.begin();
  await queue.start();
  const { jobId } = await queue.request("s1", reason);
  await queue.idle();
  return queue.wait(jobId, 0);
}

const limitOf = ({ args }: { args: unknown[] }): number => Number(Reflect.get(Object(args.at(-1)), "limit"));

describe("a first sync", () => {
  test("brings the contacts, the newest chats and the newest messages of the newest of them, and no more", async () => {
    const world = syncWorld({ limits: { contacts: 450, chats: 30, messagesPerChat: 7, messageChats: 4 } });
    fill(world.hub, { contacts: 600, chats: 50, messages: 10 });
    const job = await sync(world, "connected");

    expect(job).toMatchObject({ status: "completed", reasons: ["connected"], error: null, attempts: 1 });
    expect(job.contacts).toEqual({ processed: 450, created: 450, updated: 0, unchanged: 0, errors: 0 });
    expect(job.chats.processed).toBe(30);
    expect(job.messages).toEqual({ processed: 28, created: 28, updated: 0, unchanged: 0, errors: 0 });

    const chats = new Set((await documents(world.adapter, CHATS)).map(({ chat_id: id }) => id));
    expect(chats).toEqual(new Set(Array.from({ length: 30 }, (_, n) => personId(50 - n))));
    const messages = (await documents(world.adapter, MESSAGES)).map(({ message_id: id }) => id);
    const wanted = [50, 49, 48, 47].flatMap((chat) => [4, 5, 6, 7, 8, 9, 10].map((m) => messageId(chat, m)));
    expect(messages.toSorted()).toEqual(wanted.toSorted());
  });

  test("asks the hub for exactly these records, in pages of 100 at most", async () => {
    const world = syncWorld({ limits: { contacts: 450, chats: 30, messagesPerChat: 450, messageChats: 1 } });
    fill(world.hub, { contacts: 600, chats: 50, messages: 1 });
    say(world.hub, { chat: 50, messages: 600, from: 1 });
    await sync(world);
    const limits = (method: string) =>
      world.hub.calls.filter((call) => call.method === method && limitOf(call) > 1).map(limitOf);
    expect(limits("contacts")).toEqual([100, 100, 100, 100, 50]);
    expect(limits("chats")).toEqual([30]);
    expect(limits("messages")).toEqual([100, 100, 100, 100, 50]);
    expect((await world.adapter.totals("s1")).messages).toBe(450);
  });

  test("writes a chat's messages oldest first, and keeps its last message and the session's figures", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 3, chats: 2, messages: 60 });
    await sync(world);
    const names = (await documents(world.adapter, MESSAGES))
      .filter(({ message_id: id }) => String(id).startsWith("3A0002"))
      .toSorted((a, b) => String(a["name"]).localeCompare(String(b["name"])))
      .map(({ message_id: id }) => id);
    expect(names).toEqual(Array.from({ length: 50 }, (_, n) => messageId(2, 11 + n)));
    const chat = (await documents(world.adapter, CHATS)).find(({ chat_id: id }) => id === personId(2));
    expect(chat?.["contact"]).toBeTruthy();
    const [session] = await documents(world.adapter, "WhatsApp Session");
    expect(session).toMatchObject({ total_contacts: 3, total_chats: 2, total_messages: 100 });
    expect(session?.["last_sync"]).toBeTruthy();
  });

  test("with limits of zero brings nothing of that kind and still ends", async () => {
    const world = syncWorld({ limits: { contacts: 0, chats: 0, messagesPerChat: 0, messageChats: 0 } });
    fill(world.hub, { contacts: 5, chats: 5, messages: 5 });
    expect((await sync(world)).status).toBe("completed");
    expect(await world.adapter.totals("s1")).toEqual({ contacts: 0, chats: 0, messages: 0 });
  });

  test("of an account with nothing in it ends as well", async () => {
    const world = syncWorld();
    world.hub.store.addSession();
    expect((await sync(world)).status).toBe("completed");
  });

  test("brings selected parts only", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 5, chats: 5, messages: 5 });
    const { queue } = world.begin();
    await queue.start();
    await queue.request("s1", "manual", { contacts: false, chats: false, messages: true });
    await queue.idle();
    expect((await world.adapter.totals("s1")).messages).toBe(25);
    expect(world.state.read().syncedUntil).toEqual({});
    expect(await documents(world.adapter, CONTACTS)).toHaveLength(5);
    expect((await documents(world.adapter, CONTACTS))[0]).toMatchObject({ is_my_contact: 0 });
  });

  test("tells how it goes: every step, from 0 to 100, never backwards", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 450, chats: 10, messages: 10 });
    const { queue } = world.begin();
    const told: SyncProgress[] = [];
    queue.onProgress((progress) => told.push(progress));
    await queue.start();
    await queue.request("s1", "manual");
    await queue.idle();
    const percents = told.map(({ progress }) => progress);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(percents.at(0)).toBe(0);
    expect(percents.at(-1)).toBe(100);
    expect([...new Set(told.map(({ step }) => step))]).toEqual([
      "check",
      "contacts",
      "chats",
      "messages",
      "stats",
    ]);
    const lines = world.log.lines().filter(({ event }) => event.startsWith("sync."));
    expect(lines.length).toBeLessThan(10);
    expect(world.log.text()).not.toContain("hola");
  });
});

describe("the next sync", () => {
  test("reads what changed and writes nothing that did not", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 450, chats: 30, messages: 60 });
    await later(world, hours(1));
    await sync(world);
    await later(world, hours(1));
    world.hub.store.addContact("s1", { id: personId(7), name: "Renamed" });
    say(world.hub, { chat: 30, messages: 3, from: 60 });
    world.hub.calls.length = 0;
    const job = await sync(world, "hourly");
    expect(job.status).toBe("completed");
    expect(job.contacts).toEqual({ processed: 1, created: 0, updated: 1, unchanged: 0, errors: 0 });
    expect(job.messages).toMatchObject({ processed: 50, created: 3, updated: 0, unchanged: 47 });
    expect(world.hub.calls.filter(({ method }) => method === "messages")).toHaveLength(1);
  });

  test("is a few questions when nothing changed", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 450, chats: 30, messages: 60 });
    await later(world, hours(1));
    await sync(world);
    await later(world, hours(1));
    world.hub.calls.length = 0;
    const job = await sync(world, "hourly");
    expect(job).toMatchObject({
      status: "completed",
      contacts: { processed: 0 },
      messages: { processed: 0 },
    });
    expect(world.hub.calls.map(({ method }) => method)).toEqual([
      "session",
      "contacts",
      "chats",
      "chats",
      "lookUpAll",
    ]);
  });

  test("reads everything again after a reset, and where the CRM lost contacts or chats", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 450, chats: 30, messages: 60 });
    await later(world, hours(1));
    await sync(world);
    await later(world, hours(1));
    const job = await sync(world, "reset");
    expect(job).toMatchObject({
      contacts: { unchanged: 450 },
      chats: { unchanged: 30 },
      messages: { unchanged: 1000 },
    });

    const empty = syncWorld();
    fill(empty.hub, { contacts: 450, chats: 30, messages: 60 });
    await empty.state.update((data) => {
      data.syncedUntil["s1"] = Date.parse("2026-01-31T11:00:00.000Z") / 1000;
    });
    await later(empty, hours(2));
    expect(await sync(empty)).toMatchObject({ contacts: { created: 450 }, messages: { created: 1000 } });
  });

  test("does not read everything again for contacts the CRM will never take", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 20, chats: 1, messages: 1 });
    await later(world, hours(1));
    const totals = world.adapter.totals;
    const crm = {
      ...world.adapter,
      totals: async (sessionId: string) => ({ ...(await totals(sessionId)), contacts: 15 }),
    };
    const { queue } = world.begin({ adapter: crm });
    await queue.start();
    await queue.request("s1", "manual");
    await queue.idle();
    await later(world, hours(1));
    const { jobId } = await queue.request("s1", "hourly");
    await queue.idle();
    expect((await queue.wait(jobId, 0)).contacts.processed).toBe(0);
  });
});

test("two sessions are synced at the same time, a third one waits for its turn", async () => {
  const world = syncWorld();
  for (const sessionId of ["s1", "s2", "s3"])
    fill(world.hub, { contacts: 5, chats: 1, messages: 1, sessionId });
  const running = new Set<string>();
  const most: number[] = [];
  const { queue } = world.begin();
  queue.onProgress(({ sessionId, status }) => {
    if (status === "running") running.add(sessionId);
    else running.delete(sessionId);
    most.push(running.size);
  });
  await queue.start();
  await Promise.all(["s1", "s2", "s3"].map((sessionId) => queue.request(sessionId, "hourly")));
  await queue.idle();
  expect(Math.max(...most)).toBe(2);
  expect(queue.jobs().map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
});

test("a sync of several accounts asks the hub little, and once for all their pictures", async () => {
  const world = syncWorld();
  const accounts = ["s1", "s2", "s3", "s4", "s5"];
  for (const sessionId of accounts) fill(world.hub, { contacts: 480, chats: 2, messages: 1, sessionId });
  const { queue } = world.begin();
  await queue.start();
  for (const reason of ["connected", "hourly"]) {
    world.hub.calls.length = 0;
    await Promise.all(accounts.map((sessionId) => queue.request(sessionId, reason)));
    await queue.idle();
    expect(queue.jobs().every(({ status }) => status === "completed")).toBe(true);
    expect(world.hub.calls.length, reason).toBeLessThan(accounts.length * 15);
    // Also where nothing changed: the hub may have been kept from it since.
    const asked = world.hub.calls.filter(({ method }) => method === "lookUpAll").map(({ args }) => args);
    expect(asked.toSorted(), reason).toEqual(accounts.map((sessionId) => [sessionId, 1000]));
  }
});

test("pictures are asked for no more contacts than a sync may bring, and not without contacts", async () => {
  const world = syncWorld({ limits: { contacts: 0 } });
  fill(world.hub, { contacts: 6, chats: 1, messages: 1 });
  const { queue } = world.begin();
  await queue.start();
  await queue.request("s1", "manual");
  await queue.idle();
  expect(world.hub.calls.some(({ method }) => method === "lookUpAll")).toBe(false);
});
