/** A record that the CRM refuses is a difference each hour, listed as failed, and read once: not again before something moved. */
import { expect, test } from "vitest";
import type { CrmAdapter, WriteResult } from "../../bridge/adapter.ts";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { createItemRetry } from "../../bridge/item-retry.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";
import { fill, messageId, say, syncWorld } from "../support/sync-rig.ts";

/** A CRM that takes no message of these ids. */
function pickyCrm(): { crm: CrmAdapter; refuses: Set<string> } {
  const refuses = new Set<string>();
  const crm = createMemoryAdapter({ clock: fixedClock() });
  const upsertMessages: CrmAdapter["upsertMessages"] = async (batch) => {
    const items = batch.items.filter((item) => !refuses.has(item.messageId));
    const taken = await crm.upsertMessages({ ...batch, items });
    return batch.items.map((item): WriteResult =>
      refuses.has(item.messageId)
        ? { outcome: "rejected", error: "no such type" }
        : (taken.shift() ?? { outcome: "unchanged" }),
    );
  };
  return { crm: { ...crm, upsertMessages }, refuses };
}

async function aPickyWorld({
  chats = 1,
  messages = 20,
  limits = {},
  refused,
}: {
  chats?: number;
  messages?: number;
  limits?: object;
  refused: string[];
}) {
  const { crm, refuses } = pickyCrm();
  for (const id of refused) refuses.add(id);
  const world = syncWorld({ limits, crm });
  fill(world.hub, { contacts: chats, chats, messages });
  const bridge = world.begin();
  await bridge.queue.start();
  await bridge.queue.request("s1", "connected");
  await bridge.queue.idle();
  const messagesRead = (): number =>
    world.hub.calls.splice(0).filter(({ method }) => method === "messages").length;
  return {
    ...bridge,
    ...{ world, refuses, messagesRead },
    /** What one hour's comparison finds, and how many pages of messages it reads. */
    hour: async () => {
      messagesRead();
      const { messages: found, repaired } = await bridge.reconcile.messages("s1");
      return { found, repaired, read: messagesRead() };
    },
  };
}

const QUIET = { found: 1, repaired: 0, read: 0 };

test.each([
  ["in the middle", [messageId(1, 7)]],
  ["the oldest", [messageId(1, 1)]],
  ["the last one", [messageId(1, 20)]],
])("a message that the CRM refuses, %s, is looked for once", async (_, refused) => {
  const { hour, failed } = await aPickyWorld({ refused });
  expect(await hour()).toMatchObject({ found: 1, repaired: 0 });
  for (let n = 0; n < 3; n += 1) expect(await hour()).toEqual(QUIET);
  expect(failed.list("s1")).toMatchObject([{ kind: "message", error: "no such type" }]);
});

test("a chat of which the CRM takes nothing is looked into once", async () => {
  const { hour } = await aPickyWorld({ messages: 2, refused: [messageId(1, 1), messageId(1, 2)] });
  expect(await hour()).toMatchObject({ found: 2 });
  expect(await hour()).toEqual({ found: 2, repaired: 0, read: 0 });
});

test("in a long chat it is looked for once, and not again for each message that comes", async () => {
  const limits = { messagesPerChat: 10 };
  const { hour, world, apply } = await aPickyWorld({ messages: 60, limits, refused: [messageId(1, 55)] });
  expect(await hour()).toMatchObject({ found: 1, repaired: 0 });
  expect(await hour()).toEqual(QUIET);
  const comes = () => apply(world.hub.receives("s1", { chatId: personId(1), timestamp: 1_750_000_000 }));
  await comes();
  // More than a sync brings by now: its range is counted, and not read.
  expect(await hour()).toEqual({ ...QUIET, read: 1 });
  await comes();
  expect(await hour()).toEqual(QUIET);
});

test("new messages, refused or not, make nobody read again what is known", async () => {
  const { hour, world, apply, refuses } = await aPickyWorld({ refused: [messageId(1, 7)] });
  await hour();
  for (let n = 0; n < 3; n += 1) {
    await apply(world.hub.receives("s1", { chatId: personId(1), timestamp: 1_750_000_000 + n }));
    expect(await hour()).toEqual(QUIET);
  }
  refuses.add("3BREFUSED");
  const told = world.hub.receives("s1", {
    ...{ chatId: personId(1), messageId: "3BREFUSED", timestamp: 1_750_000_005 },
  });
  await apply(told);
  await apply(world.hub.receives("s1", { chatId: personId(1), timestamp: 1_750_000_006 }));
  expect(await hour()).toEqual({ found: 2, repaired: 0, read: 0 });
});

test("what the CRM lacks beside it is found, and brought", async () => {
  const { hour, world } = await aPickyWorld({ refused: [messageId(1, 7)] });
  await hour();
  say(world.hub, { chat: 1, messages: 2, from: 20 });
  expect(await hour()).toMatchObject({ found: 3, repaired: 2 });
  expect(await hour()).toEqual(QUIET);
});

test("a person's retry is what brings it", async () => {
  const { hour, world, refuses, failed, lanes, apply } = await aPickyWorld({ refused: [messageId(1, 7)] });
  await hour();
  const retry = createItemRetry({ ...{ hub: world.hub, adapter: world.adapter }, lanes, apply, failed });
  expect(await retry(failed.list("s1"))).toBe(0);
  expect(await hour()).toEqual(QUIET);
  expect(failed.list("s1")).toMatchObject([{ attempts: 3 }]);
  refuses.clear();
  expect(await retry(failed.list("s1"))).toBe(1);
  expect(await hour()).toEqual({ found: 0, repaired: 0, read: 0 });
  expect((await world.adapter.totals("s1")).messages).toBe(20);
});
