/** What happened in the hub while the bridge heard nothing, and no event tells any more: the lists do. */
import { expect, test } from "vitest";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { hubDown } from "../support/fake-hub.ts";
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
  type SyncWorld,
} from "../support/sync-rig.ts";

const LID = "98765432109876@lid";
const ANA = personId(1);
const GROUP = "120363000000000001@g.us";

const inGroup = { chatId: GROUP, messageId: "G1", isGroup: true };

/** Ana wrote under her hidden id, in a chat and in a group, and has no contact in the hub. */
function withHidden(world: SyncWorld): SyncWorld {
  const { store } = world.hub;
  store.addSession({ sessionId: "s1" });
  store.addMessage("s1", { chatId: LID, messageId: "A1", timestamp: 1_700_000_000 });
  store.addMessage("s1", { ...inGroup, participant: LID });
  return world;
}

/** The hub put all of it under her number. */
function merge({ hub: { store } }: SyncWorld): void {
  const data = store.of("s1") ?? expect.fail("no session");
  data.chats.delete(LID);
  data.messages.delete(LID);
  store.addChat("s1", { chatId: ANA, lid: LID });
  store.addMessage("s1", { chatId: ANA, messageId: "A1", timestamp: 1_700_000_000 });
  store.addMessage("s1", { chatId: ANA, messageId: "A2", timestamp: 1_700_000_100 });
  store.changeMessage("s1", inGroup, { participant: ANA });
}

async function synced(world: SyncWorld, reason: string): Promise<ReturnType<SyncWorld["begin"]>> {
  const bridge = world.begin();
  await bridge.queue.start();
  const { jobId } = await bridge.queue.request("s1", reason);
  await bridge.queue.idle();
  expect(bridge.queue.jobs().find((job) => job.jobId === jobId)?.status).toBe("completed");
  await bridge.queue.stop();
  return bridge;
}

test("a chat that the CRM has under a hidden id goes under the number, with all its messages once", async () => {
  const world = withHidden(syncWorld());
  await synced(world, "connected");
  const before = await documents(world.adapter, CHATS);
  merge(world);
  await synced(world, "reset");
  const chats = await documents(world.adapter, CHATS);
  expect(chats.map((chat) => chat["chat_id"]).sort()).toEqual([GROUP, ANA].sort());
  expect(chats.find((chat) => chat["chat_id"] === ANA)?.["name"]).toBe(
    before.find((chat) => chat["chat_id"] === LID)?.["name"],
  );
  expect(await documents(world.adapter, CONTACTS)).toMatchObject([{ contact_id: ANA, lid: LID }]);
  const messages = await documents(world.adapter, MESSAGES);
  expect(messages.map((message) => [message["message_id"], message["participant"]]).sort()).toEqual([
    ["A1", ""],
    ["A2", ""],
    ["G1", ANA],
  ]);
});

test("a merge that the CRM refuses is among what failed, and the sync comes to its end", async () => {
  const world = syncWorld();
  const refusing = createMemoryAdapter({ clock: world.time.clock });
  refusing.mergeContact = () => Promise.resolve({ outcome: "rejected", error: "no" });
  const refused = withHidden(syncWorld({ crm: refusing }));
  await synced(refused, "connected");
  merge(refused);
  const { failed } = await synced(refused, "reset");
  expect(failed.list("s1")).toMatchObject([{ kind: "contact", key: `${LID}|${ANA}`, error: "no" }]);
});

test("a merge that is done says nothing of what else is wrong with the contact", async () => {
  const world = withHidden(syncWorld());
  const { failed } = await synced(world, "connected");
  const contact = { sessionId: "s1", kind: "contact" } as const;
  await failed.add({ ...contact, key: ANA, error: "too odd" });
  await failed.add({ ...contact, key: `${LID}|${ANA}`, error: "no" });
  merge(world);
  const next = await synced(world, "reset");
  expect(next.failed.list("s1")).toMatchObject([{ key: ANA, error: "too odd" }]);
});

// Regression: it was taken for done, and forgotten.
test("a merge that the CRM refused is tried again although the CRM tells nothing of the hidden chat", async () => {
  const crm = createMemoryAdapter({ clock: syncWorld().time.clock });
  const { mergeContact, chatDigests } = crm;
  crm.mergeContact = () => Promise.resolve({ outcome: "rejected", error: "no" });
  const world = withHidden(syncWorld({ crm }));
  await synced(world, "connected");
  merge(world);
  expect((await synced(world, "reset")).failed.list("s1")).toHaveLength(1);
  crm.chatDigests = async (...asked) => (await chatDigests(...asked)).filter(({ chatId }) => chatId !== LID);
  expect((await synced(world, "reset")).failed.list("s1")).toMatchObject([{ error: "no", attempts: 2 }]);
  crm.mergeContact = mergeContact;
  expect((await synced(world, "reset")).failed.list("s1")).toEqual([]);
  const chats = await documents(crm, CHATS);
  expect(chats.map((chat) => chat["chat_id"]).sort()).toEqual([GROUP, ANA].sort());
});

/** The CRM has all but the ten oldest of 160 messages; then something changed in each that nobody was told of. */
async function withLostChanges(): Promise<SyncWorld> {
  const world = syncWorld({ limits: { messagesPerChat: 150 } });
  fill(world.hub, { contacts: 1, chats: 1, messages: 160 });
  await synced(world, "connected");
  world.limits.messagesPerChat = 5;
  await later(world, 60_000);
  const since = Math.floor(world.time.clock.now().getTime() / 1000);
  await world.state.update((data) => {
    data.lostEvents["s1"] = { since, cursor: null };
  });
  await later(world, 60_000);
  for (let m = 1; m <= 160; m += 1) {
    const edit = { content: `edited ${m}`, editedAt: since + 30 };
    world.hub.store.changeMessage("s1", { chatId: ANA, messageId: messageId(1, m) }, edit);
  }
  return world;
}

const edited = async ({ adapter }: SyncWorld): Promise<number> =>
  (await documents(adapter, MESSAGES)).filter(({ content }) => String(content).startsWith("edited")).length;

test("changes that were lost reach all messages that the CRM has, and bring none that it has not", async () => {
  const world = await withLostChanges();
  await synced(world, "reset");
  expect([await edited(world), (await documents(world.adapter, MESSAGES)).length]).toEqual([150, 150]);
  expect(world.state.read().lostEvents).toEqual({});
  world.hub.calls.length = 0;
  await synced(world, "full");
  expect(world.hub.calls.some(({ method }) => method === "changedMessages")).toBe(false);
});

test("the CRM is asked once where a chat begins, however many pages of changes it has", async () => {
  const world = await withLostChanges();
  const { chatDigests } = world.adapter;
  const asked: unknown[] = [];
  world.adapter.chatDigests = (sessionId, chatIds) => {
    asked.push(chatIds);
    return chatDigests(sessionId, chatIds);
  };
  world.hub.calls.length = 0;
  await synced(world, "reset");
  expect(world.hub.calls.filter(({ method }) => method === "changedMessages")).toHaveLength(2);
  expect(await edited(world)).toBe(150);
  expect(asked).toEqual([[ANA]]);
});

test("their reading goes on where it was when the process died", async () => {
  const world = await withLostChanges();
  world.hub.before = ({ method, args }) => {
    const [, query] = args;
    if (method === "changedMessages" && JSON.stringify(query).includes('cursor":"')) throw hubDown();
  };
  const dying = world.begin();
  await dying.queue.start();
  await dying.queue.request("s1", "reset");
  await dying.queue.idle();
  await dying.queue.stop();
  expect([await edited(world), world.state.read().lostEvents["s1"]?.cursor]).toEqual([
    // A page, without the ten that the CRM has not, and the five newest that any sync brings.
    95,
    expect.any(String),
  ]);
  world.hub.before = () => undefined;
  world.hub.calls.length = 0;
  const next = world.begin();
  await next.queue.start();
  await later(world, 60_000);
  await next.queue.idle();
  expect(await edited(world)).toBe(150);
  expect(world.hub.calls.filter(({ method }) => method === "changedMessages")).toHaveLength(1);
});
