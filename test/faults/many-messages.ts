/** A folder with so many messages: the first of them recorded as a hub does, the others made of these by the database itself. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { systemClock } from "../../hub/core/clock.ts";
import type { Fact } from "../../hub/core/facts.ts";
import type { Store } from "../../hub/core/store.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { aMessageFact, aNewSession } from "../support/builders.ts";
import { logBook } from "../support/log-book.ts";

const BATCH = 500;
/** At once, where nobody waits for anything else. */
const WORDS = 20_000;
const CHATS = 400;
const FIRST_AT = 1_500_000_000;
const SAID_EVERY = 1_000_000;

export const chatOf = (n: number): string => `346${String(n % CHATS).padStart(8, "0")}@s.whatsapp.net`;

const open = (dataDir: string): Promise<Store> =>
  openStore({ dataDir, publicUrl: "http://127.0.0.1", clock: systemClock, log: logBook() });

export async function fill(
  dataDir: string,
  {
    sessionId,
    first,
    messages,
    say,
  }: { sessionId: string; first: number; messages: number; say: (text: string) => void },
): Promise<void> {
  const store = await open(dataDir);
  await store.sessions.create(aNewSession({ sessionId, state: "stopped" }));
  for (let done = 0; done < first; done += BATCH) {
    const facts: Fact[] = Array.from({ length: BATCH }, (_, n) =>
      aMessageFact(
        {
          sessionId,
          chatId: chatOf(done + n),
          timestamp: FIRST_AT + done + n,
          content: `word${(done + n) % 5_000} of message ${done + n}`,
        },
        { live: false },
      ),
    );
    await store.inbox.record({ sessionId, facts, closes: [], now: new Date() });
  }
  await store.close();
  multiply(join(dataDir, "hub.db"), { first, messages, say });
}

function multiply(
  file: string,
  { first, messages, say }: { first: number; messages: number; say: (text: string) => void },
): void {
  const db = new Database(file);
  db.pragma("synchronous = OFF");
  db.pragma("cache_size = -2000000");
  const again = db.prepare<[{ by: number; first: number }]>(
    `INSERT INTO message(session, chat, id, from_me, participant, ts, type, status, content, rest, reactions, updated_at)
     SELECT session, chat, id || '-' || @by, from_me, participant, ts + @by, type, status,
       'word' || ((n + @by) % 5000) || ' of message ' || (n + @by), rest, reactions, updated_at
     FROM message WHERE n <= @first ORDER BY n`,
  );
  for (let by = first; by < messages; by += first) {
    again.run({ by, first });
    if (by % SAID_EVERY === 0) say(`${by} messages`);
  }
  db.exec(
    `UPDATE chat SET (last_message, last_ts, last_at) =
       (SELECT n, ts, ts FROM message WHERE chat = chat.id ORDER BY ts DESC LIMIT 1)`,
  );
  db.close();
}

export async function indexWords(dataDir: string, say: (text: string) => void): Promise<void> {
  const store = await open(dataDir);
  let done = 0;
  for (let left = 1; left > 0; done += left) {
    left = await store.inbox.indexWords(WORDS);
    if (done % SAID_EVERY === 0) say(`words of ${done} messages`);
  }
  await store.close();
}
