/** O7: a hub with many messages answers pages as fast as one with few, and is ready as soon after a kill. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../hub/core/clock.ts";
import type { Fact } from "../../hub/core/facts.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { aMessageFact, aNewSession } from "../support/builders.ts";
import { createHubClient, type HubClient } from "../support/hub-client.ts";
import { startHubProcess, type HubProcess } from "../support/hub-process.ts";
import { logBook } from "../support/log-book.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";

/** Messages that one strike adds. */
const STEP = 10_000;
const BATCH = 500;
const CHATS = 400;
const PAGE_LIMIT_MS = 100;
/** Of so many calls the fastest counts: what else the machine does is no matter of the hub. */
const CALLS = 7;
const SESSION = "s1";

async function fill(dataDir: string, messages: number, say: (text: string) => void): Promise<void> {
  const store = await openStore({
    dataDir,
    publicUrl: "http://127.0.0.1",
    clock: systemClock,
    log: logBook(),
  });
  await store.sessions.create(aNewSession({ sessionId: SESSION, state: "stopped" }));
  for (let done = 0; done < messages; done += BATCH) {
    const facts: Fact[] = Array.from({ length: BATCH }, (_, n) =>
      aMessageFact(
        {
          sessionId: SESSION,
          chatId: chatOf(done + n),
          timestamp: 1_700_000_000 + done + n,
          content: `word${(done + n) % 5_000} of message ${done + n}`,
        },
        { live: false },
      ),
    );
    await store.inbox.record({ sessionId: SESSION, facts, closes: [], now: new Date() });
    if (done % 100_000 === 0) say(`${done} messages`);
  }
  for (let left = 1; left > 0;) left = await store.inbox.indexWords(BATCH);
  await store.close();
}

const chatOf = (n: number): string => `346${String(n % CHATS).padStart(8, "0")}@s.whatsapp.net`;

/** The pages a person and a program ask for: newest and oldest, in a chat and in all, by a word, by the log of events. */
async function slowPages(client: HubClient): Promise<string[]> {
  const chat = encodeURIComponent(chatOf(17));
  const paths = [
    `/api/messages/${SESSION}?limit=50`,
    `/api/messages/${SESSION}?limit=50&order=asc`,
    `/api/messages/${SESSION}/${chat}?limit=50`,
    `/api/messages/${SESSION}?search=word4711&limit=50`,
    `/api/messages/${SESSION}/chats?limit=20`,
    `/api/contacts/${SESSION}?limit=50`,
    "/api/sessions",
    "/api/events?after=latest&limit=500",
  ];
  const slow: string[] = [];
  for (const path of paths) {
    let best = Infinity;
    for (let n = 0; n < CALLS; n++) {
      const since = performance.now();
      await client.get(path);
      best = Math.min(best, performance.now() - since);
    }
    if (best > PAGE_LIMIT_MS) slow.push(`${path} took ${Math.round(best)} ms`);
  }
  return slow;
}

async function manyMessages({ tries, say = () => undefined }: RowOptions): Promise<RowResult> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-many-"));
  const dataDir = join(folder, "data");
  const started: HubProcess[] = [];
  const readyAfter = async (dir: string): Promise<{ ms: number; hub: HubProcess }> => {
    const since = performance.now();
    const hub = await startHubProcess({ dataDir: dir, readyTimeoutMs: 60_000 });
    started.push(hub);
    return { ms: performance.now() - since, hub };
  };
  try {
    await fill(dataDir, tries * STEP, say);
    const empty = await readyAfter(join(folder, "empty"));
    await empty.hub.kill();
    const first = await readyAfter(dataDir);
    const problems = await slowPages(createHubClient(first.hub));
    await first.hub.kill();
    const again = await readyAfter(dataDir);
    const { total } = await createHubClient(again.hub).get<{ total: number }>(
      `/api/messages/${SESSION}?limit=1`,
    );
    await again.hub.kill();
    say(`ready after ${Math.round(first.ms)} ms, after a kill ${Math.round(again.ms)} ms`);
    return {
      tried: tries,
      lost: tries * STEP - total,
      doubled: 0,
      recoveredMs: Math.max(first.ms, again.ms),
      ordinaryMs: empty.ms,
      problems,
    };
  } finally {
    // Those that were killed on the way are gone already.
    await Promise.all(started.map((hub) => hub.kill()));
    await rm(folder, { recursive: true, force: true });
  }
}

export const MANY_ROW: FaultRow = {
  id: "O7",
  title: "many messages (10,000 with each try)",
  tries: 1,
  manyTries: 100,
  run: manyMessages,
};
