/** The hub lets messages go for their age, the CRM keeps them: that is no difference, and hides none. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";
import { fill, messageId, say, syncWorld } from "../support/sync-rig.ts";

const NOTHING_EXTRA = { chats: 0, messages: 0, inChats: [] };

/** A synced CRM in a file, so that rows can be deleted behind the bridge's back. */
async function aSyncedWorld({ messages, limits = {} }: { messages: number; limits?: object }) {
  const dir = await mkdtemp(join(tmpdir(), "reconcile-old-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, "crm.db");
  const crm = await openSqliteAdapter({ file, clock: fixedClock() });
  await crm.prepare();
  onTestFinished(() => crm.close());
  const world = syncWorld({ limits, crm });
  fill(world.hub, { contacts: 1, chats: 1, messages });
  const { queue, reconcile, apply } = world.begin();
  await queue.start();
  await queue.request("s1", "connected");
  await queue.idle();
  const { store, calls } = world.hub;
  return {
    ...{ world, reconcile, apply },
    compared: () => reconcile.messages("s1"),
    /** The oldest ones of the chat. */
    agesOut: (from: number, to: number): void => {
      for (let m = from; m <= to; m += 1)
        store.ageOut("s1", { chatId: personId(1), messageId: messageId(1, m) });
    },
    losesInCrm: (...numbers: number[]): void => {
      const db = new Database(file);
      for (const m of numbers)
        db.prepare("DELETE FROM whatsapp_message WHERE message_id = ?").run(messageId(1, m));
      db.close();
    },
    messagesRead: () => calls.splice(0).filter(({ method }) => method === "messages").length,
  };
}

test("what went in the hub stays in the CRM, is told as nothing, and makes nobody read", async () => {
  const { world, compared, agesOut, messagesRead } = await aSyncedWorld({ messages: 40 });
  expect(await compared()).toMatchObject({ differences: 0, extra: NOTHING_EXTRA });
  agesOut(1, 30);
  messagesRead();
  for (let hour = 0; hour < 2; hour += 1)
    expect(await compared()).toMatchObject({ differences: 0, repaired: 0, extra: NOTHING_EXTRA });
  agesOut(31, 40);
  expect(await compared()).toMatchObject({ differences: 0, extra: NOTHING_EXTRA });
  expect(messagesRead()).toBe(0);
  expect((await world.adapter.totals("s1")).messages).toBe(40);
});

test("a message that the CRM lost is found although it has more than the hub", async () => {
  const { world, compared, agesOut, losesInCrm } = await aSyncedWorld({ messages: 40 });
  agesOut(1, 30);
  losesInCrm(33, 36, 39);
  expect(await compared()).toMatchObject({ messages: 3, repaired: 3, extra: NOTHING_EXTRA });
  expect(await compared()).toMatchObject({ differences: 0, extra: NOTHING_EXTRA });
  expect((await world.adapter.totals("s1")).messages).toBe(40);
});

test("of a CRM that has but the newest messages, what it loses later is found, however old", async () => {
  const { world, compared, agesOut, losesInCrm, messagesRead, apply } = await aSyncedWorld({
    ...{ messages: 100, limits: { messagesPerChat: 20 } },
  });
  for (let m = 0; m < 60; m += 1)
    await apply(world.hub.receives("s1", { chatId: personId(1), timestamp: 1_700_190_000 + m }));
  agesOut(1, 95);
  expect(await compared()).toMatchObject({ differences: 0, extra: NOTHING_EXTRA });
  messagesRead();
  agesOut(96, 97);
  await apply(world.hub.receives("s1", { chatId: personId(1), timestamp: 1_700_191_000 }));
  expect(await compared()).toMatchObject({ differences: 0, extra: NOTHING_EXTRA });
  expect(messagesRead()).toBe(0);

  losesInCrm(98);
  expect(await compared()).toMatchObject({ messages: 1, repaired: 1, extra: NOTHING_EXTRA });
  messagesRead();
  expect(await compared()).toMatchObject({ differences: 0, extra: NOTHING_EXTRA });
  expect(messagesRead()).toBe(0);
});

test("what the CRM has of its own is still told", async () => {
  const { world, compared, agesOut } = await aSyncedWorld({ messages: 40 });
  agesOut(1, 30);
  world.hub.store.removeMessage("s1", { chatId: personId(1), messageId: messageId(1, 35) });
  expect(await compared()).toMatchObject({
    ...{ differences: 0, extra: { messages: 1, inChats: [{ chatId: personId(1), messages: 1 }] } },
  });
});

test("messages that come after all others went are brought", async () => {
  const { world, compared, agesOut } = await aSyncedWorld({ messages: 10 });
  agesOut(1, 10);
  say(world.hub, { chat: 1, messages: 3, from: 50 });
  expect(await compared()).toMatchObject({ messages: 3, repaired: 3, extra: NOTHING_EXTRA });
  expect(await compared()).toMatchObject({ differences: 0, extra: NOTHING_EXTRA });
});
