/** What the CRM lacks is found although a count or its last message hides it: it got worse since the last look. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";
import { fill, messageId, syncWorld } from "../support/sync-rig.ts";

async function aSyncedWorld({ contacts = 1, messages = 20, limits = {} } = {}) {
  const dir = await mkdtemp(join(tmpdir(), "reconcile-hidden-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, "crm.db");
  const crm = await openSqliteAdapter({ file, clock: fixedClock() });
  await crm.prepare();
  onTestFinished(() => crm.close());
  const world = syncWorld({ limits, crm });
  fill(world.hub, { contacts, chats: 1, messages });
  const { queue, reconcile, apply } = world.begin();
  await queue.start();
  await queue.request("s1", "connected");
  await queue.idle();
  const run = (sql: string, ...values: string[]): void => {
    const db = new Database(file);
    expect(db.prepare(sql).run(...values).changes).toBe(1);
    db.close();
  };
  return {
    ...{ world, apply },
    hubLoses: (m: number): void =>
      world.hub.store.removeMessage("s1", { chatId: personId(1), messageId: messageId(1, m) }),
    crmLoses: (m: number): void => run("DELETE FROM whatsapp_message WHERE message_id = ?", messageId(1, m)),
    crmLosesContact: (n: number): void =>
      run("DELETE FROM whatsapp_contact WHERE contact_id = ?", personId(n)),
    /** What one hour's comparison finds, and how many pages of messages it reads. */
    hour: async () => {
      world.hub.calls.length = 0;
      const { differences, repaired, extra } = await reconcile.messages("s1");
      const read = world.hub.calls.filter(({ method }) => method === "messages").length;
      return { differences, repaired, extra: extra.messages, read };
    },
  };
}

test("one in the middle is missed where the CRM has another of its own: as many on both sides, the same last one", async () => {
  const { hour, hubLoses, crmLoses, world } = await aSyncedWorld();
  hubLoses(5);
  expect(await hour()).toEqual({ differences: 0, repaired: 0, extra: 1, read: 0 });
  crmLoses(9);
  expect(await hour()).toMatchObject({ differences: 1, repaired: 1, extra: 1 });
  expect(await hour()).toEqual({ differences: 0, repaired: 0, extra: 1, read: 0 });
  expect((await world.adapter.totals("s1")).messages).toBe(20);
});

test("it is found as well before the newest messages, and while others come", async () => {
  const { hour, hubLoses, crmLoses, world, apply } = await aSyncedWorld({
    ...{ messages: 60, limits: { messagesPerChat: 100 } },
  });
  world.limits.messagesPerChat = 10;
  hubLoses(5);
  await hour();
  crmLoses(9);
  await apply(world.hub.receives("s1", { chatId: personId(1), timestamp: 1_750_000_000 }));
  expect(await hour()).toMatchObject({ differences: 1, repaired: 1, extra: 1 });
  expect(await hour()).toEqual({ differences: 0, repaired: 0, extra: 1, read: 0 });
});

test("and in a chat of which the limits keep the older ones out", async () => {
  const { hour, hubLoses, crmLoses, world, apply } = await aSyncedWorld({
    ...{ messages: 60, limits: { messagesPerChat: 20 } },
  });
  for (let n = 0; n < 5; n += 1)
    await apply(world.hub.receives("s1", { chatId: personId(1), timestamp: 1_750_000_000 + n }));
  await hour();
  hubLoses(45);
  await hour();
  crmLoses(50);
  expect(await hour()).toMatchObject({ differences: 1, repaired: 1 });
  expect(await hour()).toMatchObject({ differences: 0, read: 0 });
});

test("a chat that did not move is not even counted again", async () => {
  const { hour } = await aSyncedWorld({ messages: 60, limits: { messagesPerChat: 20 } });
  await hour();
  expect(await hour()).toEqual({ differences: 0, repaired: 0, extra: 0, read: 0 });
});

test("a contact that the CRM lost is brought although it has others that the hub has not", async () => {
  const { hour, world, crmLosesContact } = await aSyncedWorld({ contacts: 10 });
  for (const n of [8, 9]) world.hub.store.of("s1")?.contacts.delete(personId(n));
  expect(await hour()).toMatchObject({ differences: 0 });
  crmLosesContact(5);
  expect(await hour()).toMatchObject({ differences: 1, repaired: 1 });
  expect(await hour()).toMatchObject({ differences: 0 });
  expect((await world.adapter.totals("s1")).contacts).toBe(10);
});
