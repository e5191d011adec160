/** What the benches of a sync stand on: one hub that has accounts of all sizes, and bridges that meet them for the first time. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret, type HubEvent } from "../../hub/contract/index.ts";
import { openBridgeSite } from "../../test/support/bridge-site.ts";
import { until } from "../../test/support/until.ts";
import type { SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { linkSession, startBenchHub, unhurriedKey, type BenchHub } from "./stand.ts";

export interface SyncSize {
  contacts: number;
  chats: number;
}

/** The limits of a sync as shipped: they are what the sizes are about. */
export const MESSAGES_PER_CHAT = 50;
export const MESSAGE_CHATS = 20;
const PICTURES_AT_ONCE = 4;
const NO_PICTURE = 404;
const ENOUGH_TODAY = 503;
const PATIENCE_MS = 60_000;

export interface SyncStand {
  hub: BenchHub;
  key: string;
  /** An account of this size, its history in the hub, its session stopped. */
  sessionOf(size: SyncSize): string;
  /** A bridge that never saw this hub, until `work` is done. */
  withBridge<T>(work: (bridge: SyncingBridge) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export interface SyncingBridge {
  /** Connects the session; seconds from its `session.connected` until the sync that it starts is done. It is stopped again. */
  connected(size: SyncSize): Promise<number>;
}

export async function openSyncStand(emulator: SpawnedEmulator, sizes: SyncSize[]): Promise<SyncStand> {
  const hub = await startBenchHub(emulator);
  const key = await unhurriedKey(hub.client);
  for (const size of sizes) {
    await fill(emulator, hub, { sessionId: nameOf(size), size });
    await lookUp(hub, { key, sessionId: nameOf(size), size });
    await hub.client.post(`/api/sessions/${nameOf(size)}/disconnect`);
  }
  return {
    hub,
    key,
    sessionOf: nameOf,
    withBridge: (work) => withBridge({ hub, key }, work),
    stop: () => hub.stop(),
  };
}

const nameOf = ({ contacts, chats }: SyncSize): string => `sync-${contacts}-${chats}`;

async function fill(
  emulator: SpawnedEmulator,
  hub: BenchHub,
  { sessionId, size }: { sessionId: string; size: SyncSize },
): Promise<void> {
  const messages = MESSAGES_PER_CHAT * Math.min(MESSAGE_CHATS, size.chats);
  const { number } = await emulator.createAccount({
    size: {
      contacts: size.contacts,
      chats: size.chats,
      messages,
      groups: Math.floor(size.chats / 10),
      activeChats: MESSAGE_CHATS,
      pictures: Math.floor(size.contacts / 10),
      mediaEvery: 25,
    },
  });
  await linkSession(emulator, hub, { sessionId, account: number });
  const total = async (path: string): Promise<number> =>
    (await hub.client.get<{ total: number }>(`${path}limit=1`)).total;
  await until(
    "the whole history in the hub",
    async () =>
      (await total(`/api/messages/${sessionId}?`)) >= messages &&
      (await total(`/api/messages/${sessionId}/chats?`)) >= size.chats &&
      (await total(`/api/contacts/${sessionId}?isGroup=false&`)) >= size.contacts,
    { timeoutMs: PATIENCE_MS },
  );
}

/**
 * What the hub learns of people only when it is asked for their pictures: once it knows, or has asked as much as it may in a day,
 * there is nothing new to tell.
 */
async function lookUp(
  { process, client }: BenchHub,
  { key, sessionId, size }: { key: string; sessionId: string; size: SyncSize },
): Promise<void> {
  const { contacts } = await client.get<{ contacts: { id: string }[] }>(
    `/api/contacts/${sessionId}?limit=${size.contacts}&isGroup=false`,
  );
  const left = contacts.map(({ id }) => id);
  const ask = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const path = `/api/contacts/${sessionId}/${encodeURIComponent(id)}/photo`;
      const { status, ok } = await fetch(process.url + path, { headers: { "x-api-key": key } });
      if (status === ENOUGH_TODAY) return;
      if (!ok && status !== NO_PICTURE) throw new Error(`the hub answered ${status} for a picture`);
    }
  };
  await Promise.all(Array.from({ length: PICTURES_AT_ONCE }, ask));
}

async function withBridge<T>(
  { hub, key }: { hub: BenchHub; key: string },
  work: (bridge: SyncingBridge) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-bench-sync-"));
  const site = await openBridgeSite({
    dir: folder,
    env: {
      BRIDGE_HUB_URL: hub.process.url,
      BRIDGE_HUB_API_KEY: key,
      BRIDGE_WEBHOOK_SECRET: makeSecret(),
      BRIDGE_SYNC_MESSAGES_PER_CHAT: String(MESSAGES_PER_CHAT),
      BRIDGE_SYNC_MESSAGE_CHATS: String(MESSAGE_CHATS),
    },
  });
  try {
    await site.start();
    await until("the bridge at rest", () => site.output().includes('"reconcile.sessions_compared"'));
    return await work({
      connected: async (size) => {
        const session = nameOf(size);
        const before = count(site.output(), "sync.completed");
        const { latestSeq } = await events(hub, 0);
        await hub.client.post(`/api/sessions/${session}/connect`);
        // The log is read, not the bridge: whoever asks it takes time from it.
        await until("the sync", () => count(site.output(), "sync.completed") > before, {
          everyMs: 5,
          timeoutMs: PATIENCE_MS,
        });
        const [job] = await jobsOf(session);
        const told = (await events(hub, latestSeq)).events.findLast(
          ({ event, sessionId }) => event === "session.connected" && sessionId === session,
        );
        if (told === undefined || job?.finished_at === undefined)
          throw new Error(`no sync of ${session} to measure`);
        // That people shall be looked up is told after a sync; the next one shall not meet that.
        await until("the pictures", () => count(site.output(), "sync.pictures_asked") > before, {
          timeoutMs: PATIENCE_MS,
        });
        await hub.client.post(`/api/sessions/${session}/disconnect`);
        // Nor what it tells of its end.
        await until("the hub at rest", async () => (await deliveries(hub)).pending === 0);
        return (Date.parse(job.finished_at) - Date.parse(told.timestamp)) / 1000;
      },
    });
  } finally {
    await site.kill();
    await forgetEndpoints(hub);
    await rm(folder, { recursive: true, force: true });
  }

  async function jobsOf(session: string): Promise<{ finished_at: string }[]> {
    const { sessions } = await site.crm.method<{ sessions: { job: { finished_at: string } }[] }>(
      "sync.get_sync_status",
      { session_name: session },
    );
    return sessions.map(({ job }) => job);
  }
}

const count = (output: string, event: string): number => output.split(`"${event}"`).length - 1;

const events = ({ client }: BenchHub, after: number): Promise<{ events: HubEvent[]; latestSeq: number }> =>
  client.get(`/api/events?after=${after}&limit=500`);

const deliveries = ({ client }: BenchHub): Promise<{ pending: number }> =>
  client.get("/api/deliveries/stats");

/** A hub goes on trying to reach a bridge that is gone. */
async function forgetEndpoints({ client }: BenchHub): Promise<void> {
  const { endpoints } = await client.get<{ endpoints: { id: string }[] }>("/api/endpoints");
  for (const { id } of endpoints) await client.delete(`/api/endpoints/${id}`);
}
