/** A sync between a hub in memory and a CRM in memory, with time moved by hand; processes can die and begin again. */
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { createFailedItems } from "../../bridge/failed-items.ts";
import type { HubClient } from "../../bridge/hub-client.ts";
import { createLanes } from "../../bridge/lanes.ts";
import type { BridgeState } from "../../bridge/state/bridge-state.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { DEFAULT_LIMITS, type SyncLimits } from "../../bridge/sync/budget.ts";
import { createReconcile } from "../../bridge/sync/reconcile.ts";
import { createSyncQueue } from "../../bridge/sync/sync-queue.ts";
import { createConnections } from "../../bridge/registry/connections.ts";
import { createApply } from "../../bridge/webhook/apply.ts";
import { createFakeHub, type FakeHub } from "./fake-hub.ts";
import { personId } from "./hub-records.ts";
import { logBook } from "./log-book.ts";
import { manualTime } from "./manual-time.ts";

/** What stands outside the bridge's process and outlives it. */
export function syncWorld({
  limits: change = {},
  crm,
}: { limits?: Partial<SyncLimits>; crm?: CrmAdapter } = {}) {
  const time = manualTime();
  const { clock } = time;
  const limits: SyncLimits = { ...DEFAULT_LIMITS, ...change };
  const adapter = crm ?? createMemoryAdapter({ clock });
  const world = {
    time,
    limits,
    adapter,
    hub: createFakeHub({ now: clock.now }),
    state: createMemoryState(),
    log: logBook(),
    /** The bridge begins. Parts given take the place of the world's own: ones that fail, or die. */
    begin: (parts: { hub?: HubClient; adapter?: CrmAdapter; state?: BridgeState } = {}) => {
      const process = { hub: world.hub, adapter, state: world.state, ...parts };
      const lanes = createLanes();
      const failed = createFailedItems({ state: process.state, clock });
      const shared = { ...process, lanes, failed, limits, clock, log: world.log };
      const connections = createConnections(shared);
      const queue = createSyncQueue({ ...shared, delay: time.schedule });
      const apply = createApply({
        ...shared,
        connections,
        requestSync: async (sessionId, reason) => {
          await queue.request(sessionId, reason);
        },
        syncOnConnect: true,
      });
      const reconcile = createReconcile({
        ...shared,
        connections,
        feed: { read: () => Promise.resolve() },
        queue,
        cron: null,
        syncOnConnect: true,
      });
      return { queue, apply, reconcile, connections, failed, lanes };
    },
  };
  return world;
}

/** The clock goes on; nobody waits for a timer meanwhile. */
export const later = (world: { time: ReturnType<typeof manualTime> }, ms: number): Promise<void> =>
  world.time.pass(ms, () => Promise.resolve());

export type SyncWorld = ReturnType<typeof syncWorld>;

/** Contacts 1 to `contacts`; the first `chats` of them have a chat with so many messages each. */
export function fill(
  hub: FakeHub,
  {
    contacts,
    chats,
    messages,
    sessionId = "s1",
  }: { contacts: number; chats: number; messages: number; sessionId?: string },
): void {
  const { store } = hub;
  if (store.of(sessionId) === undefined) store.addSession({ sessionId });
  for (let n = 1; n <= contacts; n += 1) store.addContact(sessionId, { id: personId(n) });
  for (let n = 1; n <= chats; n += 1) {
    store.addChat(sessionId, { chatId: personId(n) });
    say(hub, { chat: n, messages, sessionId });
  }
}

/** History of one chat: the higher its number, the newer. */
export function say(
  { store }: FakeHub,
  {
    chat,
    messages,
    sessionId = "s1",
    from = 0,
  }: { chat: number; messages: number; sessionId?: string; from?: number },
): void {
  for (let m = from + 1; m <= from + messages; m += 1)
    store.addMessage(sessionId, {
      chatId: personId(chat),
      messageId: messageId(chat, m),
      timestamp: 1_700_000_000 + chat * 100_000 + m * 10,
      fromMe: m % 3 === 0,
    });
}

export const messageId = (chat: number, m: number): string =>
  `3A${String(chat).padStart(4, "0")}${String(m).padStart(6, "0")}`;

/** Every call of `target` that answers a promise passes `gate` before and after. */
export function gated<T extends object>(target: T, gate: (call: string) => Promise<void>): T {
  return new Proxy(target, {
    get: (object, key) => {
      const member: unknown = Reflect.get(object, key);
      if (typeof member !== "function" || key === "read") return member;
      return async (...args: unknown[]): Promise<unknown> => {
        await gate(`before ${String(key)}`);
        const answer: unknown = await Reflect.apply(member, object, args);
        await gate(`after ${String(key)}`);
        return answer;
      };
    },
  });
}

/** All records of a kind in the CRM. */
export async function documents(adapter: CrmAdapter, doctype: string): Promise<Record<string, unknown>[]> {
  if (adapter.documents === undefined) throw new Error("this CRM shows no documents");
  return adapter.documents.list({
    doctype,
    fields: ["*"],
    filters: [],
    orderBy: [{ field: "creation", direction: "asc" }],
    start: 0,
    limit: 1_000_000,
  });
}

export const MESSAGES = "WhatsApp Message";
export const CHATS = "WhatsApp Conversation";
export const CONTACTS = "WhatsApp Contact";
