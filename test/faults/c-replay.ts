/** C14: a replay of thousands of events, killed in the middle of its transactions and of its deliveries, again and again. */
import Database from "better-sqlite3";
import { join } from "node:path";
import { systemClock } from "../../hub/core/clock.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { aNewEvent } from "../support/builders.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import { beginLives } from "./c-lives.ts";
import { readFolder } from "./folder.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";
import { openStand, type Stand } from "./stand.ts";

const TRIES = 2;
/** Ten thousand events. */
const MANY_TRIES = 10;
const EVENTS_PER_TRY = 1000;
/** Deliveries that the hub makes due in one transaction. */
const SLICE = 500;
const CHATS = 50;
const BATCH = 500;
const SESSION = "s1";
const PATIENCE_MS = 120_000;

export const REPLAY_ROW: FaultRow = {
  id: "C14",
  title: "a replay of thousands of events, killed",
  tries: TRIES,
  manyTries: MANY_TRIES,
  run,
};

async function run({ tries, seed, say = () => undefined }: RowOptions): Promise<RowResult> {
  const random = createRandom(seed);
  const events = tries * EVENTS_PER_TRY;
  const stand = await openStand();
  try {
    const lives = await beginLives(stand);
    await stand.client.post("/api/sessions", { sessionId: SESSION });
    await stand.kill();
    await fill(stand.dataDir, events);

    let tried = 0;
    for (let n = 0; n < tries; n++) {
      // The last kill strikes while the CRM is told; those before it, in the second slice and in the first, in turn.
      const isLast = n === tries - 1;
      const crashAt = `in-replay:${(n % 2 === 0 ? SLICE : 0) + 1 + random.int(SLICE)}`;
      if (isLast) killAtReplay(stand, 1 + random.int(EVENTS_PER_TRY));
      await lives.begin(isLast ? {} : { crashAt });
      // Later lives go on by themselves.
      if (n === 0) await order(stand).catch(() => undefined);
      if (await lives.fell()) tried++;
      say(`${n + 1}/${tries} killed at ${isLast ? "a delivery" : crashAt}; ${owed(stand)} owed`);
    }
    stand.crm.answers();

    await lives.begin();
    const problems = await until("all of it delivered", () => owed(stand) === 0, {
      timeoutMs: PATIENCE_MS,
      everyMs: 50,
    }).then(
      () => [],
      () => [`${owed(stand)} deliveries owed`],
    );
    return { tried, ...lives.figures(), ...judge(stand, events, problems) };
  } finally {
    await stand.stop();
  }
}

function killAtReplay({ crm, hub }: Stand, nth: number): void {
  let left = nth;
  crm.answers(({ replay }) => {
    if (replay && --left === 0) process.kill(hub().pid, "SIGKILL");
    return { kind: "answer" };
  });
}

/** Events whose deliveries somebody gave up: finished, and never sent. */
async function fill(dataDir: string, events: number): Promise<void> {
  const store = await openStore({
    dataDir,
    publicUrl: "http://hub.example",
    clock: systemClock,
    log: logBook(),
  });
  for (let made = 0; made < events; made += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, n) =>
      aNewEvent({
        event: "chat.updated",
        chatId: `3460000${1000 + ((made + n) % CHATS)}@s.whatsapp.net`,
        data: { n: made + n },
      }),
    );
    await store.events.append(SESSION, batch, systemClock.now());
  }
  await store.outbox.dismiss({ sessionId: SESSION, event: "chat.updated" }, systemClock.now());
  await store.close();
}

/** In whatever state they are: what was replayed and delivered before a kill matches again after it. */
const order = ({ client }: Stand): Promise<unknown> =>
  client.post("/api/deliveries/replay", { sessionId: SESSION, event: "chat.updated" });

/** What is not sent yet, and what the order has not come to. */
const owed = ({ dataDir }: Stand): number =>
  count(dataDir, "SELECT count(*) FROM delivery WHERE state IN (0, 1, 5)");

function judge(
  { dataDir, crm }: Stand,
  events: number,
  problems: string[],
): Pick<RowResult, "lost" | "doubled" | "problems"> {
  const replays = crm.requests().filter(({ replay, accepted }) => replay && accepted);
  // Each try that was noted: one more than one means that a delivery was made due a second time.
  const again = "SELECT count(*) FROM (SELECT 1 FROM attempt GROUP BY delivery HAVING count(*) > 1)";
  const jobs = count(dataDir, "SELECT count(*) FROM replay_job WHERE finished_at IS NULL");
  const check = readFolder(dataDir, (folder) => folder.quickCheck());
  return {
    lost: events - new Set(replays.map(({ webhookId }) => webhookId)).size,
    doubled: count(dataDir, again),
    problems: [
      ...problems,
      ...(jobs === 0 ? [] : [`${jobs} orders are under way although all is done`]),
      ...(check === "ok" ? [] : ["the database does not pass its quick check"]),
    ],
  };
}

function count(dataDir: string, sql: string): number {
  const db = new Database(join(dataDir, "hub.db"), { readonly: true, timeout: 5000 });
  try {
    return db.prepare<[], number>(sql).pluck().get() ?? 0;
  } finally {
    db.close();
  }
}
