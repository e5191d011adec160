/**
 * Words of messages. They are indexed a moment after the message was stored, many at a time: an index of words costs little
 * in bulk and much one by one. \`words_done\` is the number up to which all are, those stored before this step come first;
 * \`words_owed\` holds those that changed since.
 *
 * The number of a row is its place in the order of lists (its time, then its number), so that a page of results is read off
 * the index. Each row begins with words of ours, for its session, its chat, its kind and its direction.
 */
export const search = `
CREATE VIRTUAL TABLE message_words USING fts5(
  words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2', prefix='3'
);
CREATE TABLE words_done(n INTEGER NOT NULL);
INSERT INTO words_done VALUES(0);
CREATE TABLE words_owed(message INTEGER PRIMARY KEY);
CREATE TRIGGER words_of_changed AFTER UPDATE OF content, chat, type ON message BEGIN
  INSERT OR IGNORE INTO words_owed VALUES(new.n);
END;
CREATE TRIGGER words_of_removed AFTER DELETE ON message BEGIN
  DELETE FROM message_words WHERE rowid = (min(max(old.ts, 0), 4294967295) << 31) | old.n;
  DELETE FROM words_owed WHERE message = old.n;
  -- The highest numbers are given again.
  UPDATE words_done SET n = (SELECT coalesce(max(n), 0) FROM message) WHERE n >= old.n AND n > (SELECT coalesce(max(n), 0) FROM message);
END;
`;
