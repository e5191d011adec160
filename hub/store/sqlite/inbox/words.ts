/** Search by words: what is put into the index, and how a person's words become a question to it. */
import type { Engine } from "../engine.ts";
import { bit } from "../json.ts";
import { when, type Condition } from "../pager.ts";
import { createWordBeginnings } from "./word-beginnings.ts";

/** As in the step of the schema that made the index: time in the upper bits, the number of the message in the lower 31. */
const PLACE = "(min(max(m.ts, 0), 4294967295) << 31) | m.n";
export const MESSAGE_OF_PLACE = "m.n = (w.rowid & 2147483647)";

/** Rows of the index whose messages are of a range of time (Unix seconds, both ends within). */
export const placedIn = ({
  since,
  until,
}: {
  since?: number | undefined;
  until?: number | undefined;
}): Condition[] => [
  ...when("w.rowid >= (min(max(?, 0), 4294967295) << 31)", since),
  ...when("w.rowid <= ((min(max(?, 0), 4294967295) << 31) | 2147483647)", until),
];

/** Begins the words of ours in the index: a letter nobody types. */
const OURS = "\uE000";
const sqlOf = (letter: string, column: string): string => `char(0xE000) || '${letter}' || m.${column} || ' '`;
const OUR_WORDS = [sqlOf("s", "session"), sqlOf("c", "chat"), sqlOf("t", "type"), sqlOf("f", "from_me")].join(
  " || ",
);

/** What a search is narrowed to, as far as the index knows it. */
export interface Within {
  session: number;
  chat: number | undefined;
  type: string | undefined;
  fromMe: boolean | undefined;
}

/** A chat belongs to one session. */
const wordsOf = ({ session, chat, type, fromMe }: Within): string[] => [
  chat === undefined ? `${OURS}s${session}` : `${OURS}c${chat}`,
  ...(type === undefined ? [] : [`${OURS}t${type}`]),
  ...(fromMe === undefined ? [] : [`${OURS}f${bit(fromMe)}`]),
];

/** Longer texts are found by what they begin with. */
const INDEXED_LENGTH = 20_000;
const MAX_WORDS = 20;
/** Shorter beginnings fit half of all words. */
const SHORTEST_BEGINNING = 3;
/** So short a beginning has an index of its own, as the step of the schema says. */
const INDEXED_BEGINNING = 3;

/**
 * Rows that hold all these words, the last one also as the beginning of a longer word; null when there can be none.
 * Everything is plain text: what the index takes for an operator is quoted or left out.
 */
export function createMatch(engine: Engine): (search: string, within: Within) => string | null {
  const beginningsOf = createWordBeginnings(engine);

  const asBeginning = (word: string): string | null => {
    if (word.length < SHORTEST_BEGINNING) return `"${word}"`;
    const words = word.length > INDEXED_BEGINNING ? beginningsOf(word) : null;
    if (words === null) return `"${word}" *`;
    return words.length === 0 ? null : `(${words.map((one) => `"${one}"`).join(" OR ")})`;
  };

  return (search, within) => {
    const words = (search.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).slice(0, MAX_WORDS);
    const last = words.pop();
    const isKind = within.type === undefined || /^[a-z]+$/.test(within.type);
    if (last === undefined || !isKind) return null;
    const beginning = asBeginning(last);
    if (beginning === null) return null;
    return [...[...wordsOf(within), ...words].map((word) => `"${word}"`), beginning].join(" AND ");
  };
}

/** As the other, where that makes all findable; a search that is further behind must not wait for what does not help it. */
export function createWordsCatchUp(engine: Engine): (limit: number) => void {
  const index = createWordIndex(engine);
  const behind = engine.db
    .prepare<[], number | null>("SELECT (SELECT MAX(n) FROM message) - n FROM words_done")
    .pluck();
  return (limit) => {
    if ((behind.get() ?? 0) <= limit) index(limit);
  };
}

/** Makes at most `limit` messages findable: those that changed, then new ones from old to new; returns how many. */
export function createWordIndex(engine: Engine): (limit: number) => number {
  const { db } = engine;
  const put = `INSERT OR REPLACE INTO message_words(rowid, words)
    SELECT ${PLACE}, ${OUR_WORDS} || substr(m.content, 1, ${INDEXED_LENGTH}) FROM message m`;
  const owed = "SELECT message FROM words_owed ORDER BY message LIMIT ?";
  const putOwed = db.prepare(`${put} WHERE m.n IN (${owed})`);
  const forgetOwed = db.prepare(`DELETE FROM words_owed WHERE message IN (${owed})`);
  const next = db.prepare<[number], { last: number | null; count: number }>(
    `SELECT MAX(n) AS last, COUNT(*) AS count FROM
       (SELECT n FROM message WHERE n > (SELECT n FROM words_done) ORDER BY n LIMIT ?)`,
  );
  const putNew = db.prepare<[number]>(`${put} WHERE m.n > (SELECT n FROM words_done) AND m.n <= ?`);
  const done = db.prepare("UPDATE words_done SET n = ?");

  return (limit) =>
    engine.transaction(() => {
      putOwed.run(limit);
      const changed = forgetOwed.run(limit).changes;
      const { last, count } = next.get(limit - changed) ?? { last: null, count: 0 };
      if (last === null) return changed;
      putNew.run(last);
      done.run(last);
      return changed + count;
    });
}
