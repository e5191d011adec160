/** Search by words: what is put into the index, and how a person's words become a question to it. */
import type { Engine } from "../engine.ts";

/** As in the step of the schema that made the index: time in the upper bits, the number of the message in the lower 31. */
const PLACE = "(min(max(m.ts, 0), 4294967295) << 31) | m.n";
export const MESSAGE_OF_PLACE = "m.n = (w.rowid & 2147483647)";

/** Begins the words of ours in the index: a letter nobody types. */
const OURS = "\uE000";
export const sessionWord = (session: number): string => `${OURS}s${session}`;
export const chatWord = (chat: number): string => `${OURS}c${chat}`;

/** Longer texts are found by what they begin with. */
const INDEXED_LENGTH = 20_000;
const MAX_WORDS = 20;
/** Shorter beginnings fit half of all words. */
const SHORTEST_BEGINNING = 3;

/**
 * Rows that hold all these words, the last one also as the beginning of a longer word; null when there is no word in it.
 * Everything is plain text: what the index takes for an operator is quoted or left out.
 */
export function matchOf(search: string, within: string): string | null {
  const words = (search.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).slice(0, MAX_WORDS);
  if (words.length === 0) return null;
  const quoted = words.map((word) => `"${word}"`);
  const isBeginning = (words.at(-1)?.length ?? 0) >= SHORTEST_BEGINNING;
  return `"${within}" AND ${quoted.join(" AND ")}${isBeginning ? " *" : ""}`;
}

/** Indexes at most `limit` messages that are not indexed yet, the newest first; returns how many. */
export function createWordIndex(engine: Engine): (limit: number) => number {
  const { db } = engine;
  const newest = "SELECT message FROM words_owed ORDER BY message DESC LIMIT ?";
  const index = db.prepare(
    `INSERT OR REPLACE INTO message_words(rowid, words)
     SELECT ${PLACE}, char(0xE000) || 's' || m.session || ' ' || char(0xE000) || 'c' || m.chat || ' ' || substr(m.content, 1, ${INDEXED_LENGTH})
     FROM message m WHERE m.n IN (${newest})`,
  );
  const done = db.prepare(`DELETE FROM words_owed WHERE message IN (${newest})`);
  return (limit) =>
    engine.transaction(() => {
      index.run(limit);
      return done.run(limit).changes;
    });
}
