/**
 * Words of messages. They are indexed a moment after the message was stored, many at a time: an index of words costs little
 * in bulk and much one by one. \`words_owed\` holds what is still to be indexed; what was stored before this step is there, too.
 *
 * The number of a row is its place in the order of lists (its time, then its number), so that a page of results is read off
 * the index. Each row begins with two words of its own, for its session and its chat.
 */
export const search = `
CREATE VIRTUAL TABLE message_words USING fts5(
  words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
);
CREATE TABLE words_owed(message INTEGER PRIMARY KEY);
INSERT INTO words_owed SELECT n FROM message;
CREATE TRIGGER words_of_new AFTER INSERT ON message BEGIN
  INSERT OR IGNORE INTO words_owed VALUES(new.n);
END;
CREATE TRIGGER words_of_changed AFTER UPDATE OF content, chat ON message BEGIN
  INSERT OR IGNORE INTO words_owed VALUES(new.n);
END;
CREATE TRIGGER words_of_removed AFTER DELETE ON message BEGIN
  DELETE FROM message_words WHERE rowid = (min(max(old.ts, 0), 4294967295) << 31) | old.n;
  DELETE FROM words_owed WHERE message = old.n;
END;
`;
