import { expect, test } from "vitest";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import {
  createFailedItems,
  mergeItemKey,
  messageItemKey,
  type FailedRecord,
} from "../../bridge/failed-items.ts";
import { createItemRetry } from "../../bridge/item-retry.ts";
import { createLanes } from "../../bridge/lanes.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import type { Apply } from "../../bridge/applied.ts";
import { createFakeHub } from "../support/fake-hub.ts";
import { fixedClock } from "../support/fixed-clock.ts";

const ANA = "34600111222@c.us";
const BEA = "34600333444@c.us";

function rig() {
  const clock = fixedClock();
  const hub = createFakeHub();
  hub.store.addSession({ sessionId: "s1" });
  const adapter = createMemoryAdapter({ clock });
  const failed = createFailedItems({ state: createMemoryState(), clock });
  const applied: number[] = [];
  let rejected: string | undefined;
  const apply: Apply = ({ seq }) => {
    applied.push(seq);
    return Promise.resolve({ action: "created", ...(rejected === undefined ? {} : { rejected }) });
  };
  const retry = createItemRetry({ hub, adapter, lanes: createLanes(), apply, failed });
  return {
    hub,
    adapter,
    failed,
    applied,
    rejects: (why: string | undefined) => (rejected = why),
    fails: (record: Omit<FailedRecord, "sessionId">) =>
      failed.add({ ...record, sessionId: "s1", error: "refused" }),
    retryAll: () => retry(failed.list()),
  };
}

test("a contact, a chat and a message are brought from the hub as they are now, and written", async () => {
  const { hub, adapter, failed, fails, retryAll } = rig();
  hub.store.addContact("s1", { id: ANA, name: "Ana" });
  hub.store.addChat("s1", { chatId: ANA });
  const { messageId } = hub.store.addMessage("s1", { chatId: BEA, messageId: "3A|odd" });
  await adapter.upsertSession((await hub.session("s1")).session, 0);
  await fails({ kind: "contact", key: ANA });
  await fails({ kind: "chat", key: ANA });
  await fails({ kind: "message", key: messageItemKey({ chatId: BEA, messageId }) });
  expect(await retryAll()).toBe(3);
  expect(failed.list()).toEqual([]);
  expect(await adapter.totals("s1")).toMatchObject({ chats: 2, messages: 1 });
});

test("a merge is asked for again, beside whatever is wrong with the contact", async () => {
  const { hub, adapter, failed, fails, retryAll } = rig();
  const hidden = "98765432109876@lid";
  await adapter.upsertSession((await hub.session("s1")).session, 0);
  hub.store.addMessage("s1", { chatId: hidden });
  const { items, position } = await hub.messages("s1", hidden, { limit: 1 });
  await adapter.upsertMessages({ sessionId: "s1", position, items });
  await fails({ kind: "contact", key: mergeItemKey({ from: hidden, into: ANA }) });
  expect(await retryAll()).toBe(1);
  expect(failed.list()).toEqual([]);
  expect(await adapter.chatDigests("s1", [hidden, ANA])).toMatchObject([{ chatId: ANA }]);
});

test("an event is read again by its number and applied; refused again, it is kept with one try more", async () => {
  const { hub, failed, applied, rejects, fails, retryAll } = rig();
  hub.turns("s1", "disconnected");
  const { seq } = hub.turns("s1", "connected");
  await fails({ kind: "event", key: String(seq) });
  rejects("still odd");
  expect(await retryAll()).toBe(0);
  expect(failed.list()).toMatchObject([{ error: "still odd", attempts: 2 }]);
  rejects(undefined);
  expect(await retryAll()).toBe(1);
  expect([applied, failed.list()]).toEqual([[seq, seq], []]);
});

test("what the hub does not have any more is nobody's failure", async () => {
  const { failed, applied, fails, retryAll } = rig();
  await fails({ kind: "contact", key: ANA });
  await fails({ kind: "chat", key: ANA });
  await fails({ kind: "message", key: messageItemKey({ chatId: ANA, messageId: "3A" }) });
  await fails({ kind: "event", key: "77" });
  expect(await retryAll()).toBe(4);
  expect([applied, failed.list()]).toEqual([[], []]);
});
