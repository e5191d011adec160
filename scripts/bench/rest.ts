/** Pages over REST with few and with many stored messages: the cost of a page must not grow with the store. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { systemClock } from "../../hub/core/clock.ts";
import type { Fact } from "../../hub/core/facts.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { aMessageFact, aNewSession } from "../../test/support/builders.ts";
import { createHubClient, type HubClient } from "../../test/support/hub-client.ts";
import { startHubProcess } from "../../test/support/hub-process.ts";
import { benchRow, type BenchRow } from "./row.ts";

const SMALL = 1_000;
const LARGE = 1_000_000;
const BATCH = 500;
const INDEXED_AT_ONCE = 5_000;
const CALLS = 1_500;
const WARM_UP = 300;
const SESSION = "rest";

/** So many messages fill a page: both stores are asked for pages of the same size. */
const PAGE = 50;
const CHATS_PAGE = 20;

/** A store with `messages` messages of history, in as many chats as fill with a page each, at most 2000. */
async function fill(dataDir: string, messages: number): Promise<void> {
  const store = await openStore({
    dataDir,
    publicUrl: "http://127.0.0.1",
    clock: systemClock,
    log: pino({ level: "silent" }),
  });
  await store.sessions.create(aNewSession({ sessionId: SESSION, state: "stopped" }));
  const chats = Math.min(2_000, Math.ceil(messages / PAGE));
  for (let done = 0; done < messages; done += BATCH) {
    const facts: Fact[] = Array.from({ length: Math.min(BATCH, messages - done) }, (_, n) =>
      aMessageFact(
        {
          sessionId: SESSION,
          chatId: `346${String((done + n) % chats).padStart(8, "0")}@s.whatsapp.net`,
          timestamp: 1_700_000_000 + done + n,
        },
        { live: false },
      ),
    );
    await store.inbox.record({ sessionId: SESSION, facts, closes: [], now: new Date() });
  }
  // A hub does this by and by, seconds after a message came: what is measured is a store that is at rest.
  while ((await store.inbox.indexWords(INDEXED_AT_ONCE)) > 0);
  await store.close();
}

async function p99(paths: string[], client: HubClient): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < WARM_UP + CALLS; n++) {
    const since = performance.now();
    await client.get(paths[n % paths.length] ?? "/");
    if (n >= WARM_UP) times.push(performance.now() - since);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? NaN;
}

async function measure(messages: number): Promise<{ chats: number; messages: number }> {
  const dataDir = await mkdtemp(join(tmpdir(), "inbox-hub-rest-"));
  await fill(dataDir, messages);
  const hub = await startHubProcess({ dataDir });
  const client = createHubClient(hub);
  // The key's own limit is for strangers; the measuring key is allowed what it needs.
  const { key } = await client.post<{ key: string }>("/api/keys", {
    name: "bench",
    scopes: ["read"],
    sessions: "*",
    settings: { ratePerMinute: 100_000 },
  });
  const reader = createHubClient({ url: hub.url, apiKey: key });
  const { chats } = await reader.get<{ chats: { chatId: string }[] }>(
    `/api/messages/${SESSION}/chats?limit=50`,
  );
  const chatPages = [`/api/messages/${SESSION}/chats?limit=${CHATS_PAGE}`];
  const messagePages = [
    ...chats
      .slice(0, 10)
      .map(({ chatId }) => `/api/messages/${SESSION}/${encodeURIComponent(chatId)}?limit=${PAGE}`),
    `/api/messages/${SESSION}?limit=${PAGE}`,
  ];
  const figures = { chats: await p99(chatPages, reader), messages: await p99(messagePages, reader) };
  await hub.kill("SIGKILL");
  await rm(dataDir, { recursive: true, force: true });
  return figures;
}

export async function benchRest(): Promise<BenchRow[]> {
  const small = await measure(SMALL);
  const large = await measure(LARGE);
  return (["chats", "messages"] as const).map((what) =>
    benchRow({
      name: `rest: p99 of a page of ${what} at 1,000,000 messages, beside 1,000`,
      figure: large[what],
      unit: "ms",
      floor: small[what],
      bar: { ratioAtMost: 1.5 },
    }),
  );
}
