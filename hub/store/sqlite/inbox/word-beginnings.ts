/**
 * The words of the index that begin with a given one. FTS5 answers a search for such a beginning by gathering every row of every
 * word of it before it gives the first, which takes seconds where a common word is among them; words by their names it
 * walks only as far as the page goes.
 */
import type { Engine } from "../engine.ts";

/** More are rare words together: gathering their rows costs less than walking so many side by side. */
const MOST = 200;
/** No word holds it: what is asked for next is the word after. */
const JUST_AFTER = "\u0000";

/** Beside the file, of this connection alone. */
export const WORD_TABLES = `
  CREATE VIRTUAL TABLE IF NOT EXISTS temp.known_words USING fts5vocab(main, message_words, instance);
  CREATE VIRTUAL TABLE IF NOT EXISTS temp.spelling USING fts5(
    word, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
  );
  CREATE VIRTUAL TABLE IF NOT EXISTS temp.spelled USING fts5vocab(temp, spelling, instance);
`;

/** All of them, as the index spells them; null when they are too many, or when it takes this for no single word. */
export type WordBeginnings = (beginning: string) => string[] | null;

export function createWordBeginnings({ db }: Pick<Engine, "db">): WordBeginnings {
  db.exec(WORD_TABLES);
  // The index folds case and accents by rules of its own, so it is the index that says how it spells a word.
  const spell = db.prepare<[string]>("INSERT OR REPLACE INTO temp.spelling(rowid, word) VALUES(1, ?)");
  const spelled = db.prepare<[], string>("SELECT term FROM temp.spelled").pluck();
  // One at a time: the next word is found by a look into the index, whatever the number of rows of this one.
  const nextFrom = db
    .prepare<[string], string>("SELECT term FROM temp.known_words WHERE term >= ? LIMIT 1")
    .pluck();

  return (typed) => {
    spell.run(typed);
    const [beginning, another] = spelled.all();
    if (beginning === undefined || another !== undefined) return null;
    const words: string[] = [];
    let word = nextFrom.get(beginning);
    while (word?.startsWith(beginning) === true) {
      if (words.push(word) > MOST) return null;
      word = nextFrom.get(word + JUST_AFTER);
    }
    return words;
  };
}
