/** O7: a hub with many messages answers pages as fast as one with few, and is ready as soon after a kill. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHubClient, type HubClient } from "../support/hub-client.ts";
import { startHubProcess, type HubProcess } from "../support/hub-process.ts";
import { chatOf, fill, indexWords } from "./many-messages.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";

/** Messages that one strike adds. */
const STEP = 10_000;
const PAGE_LIMIT_MS = 100;
/** Of so many calls the fastest counts: what else the machine does is no matter of the hub. */
const CALLS = 7;
const SESSION = "s1";

/** The pages a person and a program ask for: newest and oldest, in a chat and in all, by a word, by the log of events. */
async function slowPages(client: HubClient, say: (text: string) => void): Promise<string[]> {
  const chat = encodeURIComponent(chatOf(17));
  const paths = [
    `/api/messages/${SESSION}?limit=50`,
    `/api/messages/${SESSION}?limit=50&order=asc`,
    `/api/messages/${SESSION}/${chat}?limit=50`,
    `/api/messages/${SESSION}?search=word4711&limit=50`,
    // In every message, as a word and as a beginning.
    `/api/messages/${SESSION}?search=message&limit=50`,
    `/api/messages/${SESSION}?search=word4711%20mess&limit=50`,
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
    say(`${path}: ${Math.round(best)} ms`);
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
    const ms = performance.now() - since;
    say(`ready after ${Math.round(ms)} ms`);
    return { ms, hub };
  };
  try {
    await fill(dataDir, { sessionId: SESSION, first: STEP, messages: tries * STEP, say });
    const empty = await readyAfter(join(folder, "empty"));
    await empty.hub.kill();
    // Met for the first time by a hub that searches words, they are made findable beside all else.
    const unread = await readyAfter(dataDir);
    const pages = (hub: HubProcess): Promise<string[]> => slowPages(createHubClient(hub), say);
    const meanwhile = (await pages(unread.hub)).map((slow) => `${slow} while words were indexed`);
    await unread.hub.kill();
    await indexWords(dataDir, say);
    const first = await readyAfter(dataDir);
    const problems = [...meanwhile, ...(await pages(first.hub))];
    await first.hub.kill();
    const again = await readyAfter(dataDir);
    const { total } = await createHubClient(again.hub).get<{ total: number }>(
      `/api/messages/${SESSION}?limit=1`,
    );
    await again.hub.kill();
    return {
      tried: tries,
      lost: tries * STEP - total,
      doubled: 0,
      recoveredMs: Math.max(unread.ms, first.ms, again.ms),
      ordinaryMs: empty.ms,
      problems,
    };
  } finally {
    // Those that were killed on the way are gone already.
    await Promise.all(started.map((hub) => hub.kill()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** `--tries 1000` is ten million: four gigabytes of disk and half an hour, most of it for making them and their index of words. */
export const MANY_ROW: FaultRow = {
  id: "O7",
  title: "many messages (10,000 with each try)",
  tries: 1,
  manyTries: 100,
  run: manyMessages,
};
