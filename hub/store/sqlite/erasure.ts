/**
 * Erases a chat or a session, in steps. Freed bytes are overwritten (`secure_delete`); what the log of the database and the
 * index of search still hold goes last.
 */
import type { ErasureScope, ErasureStore } from "../../core/erasure.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { laneOfChat } from "./event-log.ts";
import type { Addresses } from "./inbox/addresses.ts";
import { WORDS_LEFT, type GoingRow, type RemoveMessages } from "./inbox/removal.ts";
import { toJson } from "./json.ts";

interface EventRow {
  seq: number;
  chat: string | null;
}

interface StanzaRow {
  n: number;
  session: number;
  chat: string;
}

/** Pages of the index of search that one step writes. */
const WORD_PAGES = 100;
const GIVEN = "(SELECT value FROM json_each(?))";
const FINISHED = "state IN (2, 3, 5)";

export function createErasure(
  engine: Engine,
  { addresses, removeMessages }: { addresses: Addresses; removeMessages: RemoveMessages },
): ErasureStore {
  const { db } = engine;
  const ofChat = "JOIN chat c ON c.id = m.chat WHERE c.session = ? AND c.jid = ?";
  const onTheirWay = db.prepare<[number], number>("SELECT count(*) FROM outgoing WHERE session = ?").pluck();
  const onTheirWayThere = db
    .prepare<[number, number, string], number>(
      `SELECT count(*) FROM outgoing o JOIN message m ON m.n = o.message JOIN chat c ON c.id = m.chat
       WHERE o.session = ? AND c.session = ? AND c.jid = ?`,
    )
    .pluck();
  const events = db.prepare<[number, number, number], EventRow>(
    "SELECT seq, chat FROM event WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?",
  );
  const owed = db
    .prepare<[string], number>(
      `SELECT count(*) FROM json_each(?) CROSS JOIN delivery d ON d.event_seq = json_each.value WHERE d.state IN (0, 1, 4)`,
    )
    .pluck();
  const messages = db.prepare<[number, number], GoingRow>(
    "SELECT n, chat, from_me, status FROM message m WHERE session = ? LIMIT ?",
  );
  const messagesThere = db.prepare<[number, string, number], GoingRow>(
    `SELECT m.n, m.chat, m.from_me, m.status FROM message m ${ofChat} LIMIT ?`,
  );
  const countFiles = db
    .prepare<[string], number>(`SELECT count(*) FROM media WHERE message IN ${GIVEN}`)
    .pluck();
  const removeSends = db.prepare(`DELETE FROM outgoing WHERE message IN ${GIVEN}`);
  const removeAttempts = db.prepare(
    `DELETE FROM attempt WHERE delivery IN (SELECT n FROM delivery WHERE event_seq IN ${GIVEN} AND ${FINISHED})`,
  );
  const removeDeliveries = db.prepare(`DELETE FROM delivery WHERE event_seq IN ${GIVEN} AND ${FINISHED}`);
  const removeEvents = db.prepare(
    `DELETE FROM event WHERE seq IN ${GIVEN} AND NOT EXISTS(SELECT 1 FROM delivery d WHERE d.event_seq = event.seq)`,
  );
  const stanzas = db.prepare<[number, number], StanzaRow>(
    "SELECT n, session, chat FROM intake WHERE n > ? ORDER BY n LIMIT ?",
  );
  const blank = db.prepare(
    `UPDATE intake SET stanza = NULL WHERE n IN ${GIVEN} AND state = 1 AND stanza IS NOT NULL`,
  );
  const removePlain = db.prepare(
    `DELETE FROM intake_plain WHERE intake IN (SELECT n FROM intake WHERE n IN ${GIVEN} AND state = 1)`,
  );
  const removeEarly = db.prepare("DELETE FROM early_change WHERE session = ?");
  const removeEarlyThere = db.prepare("DELETE FROM early_change WHERE session = ? AND chat = ?");
  const pictures = [
    `INSERT OR IGNORE INTO media_left SELECT media_id FROM media WHERE message IS NULL AND session = ?`,
    `DELETE FROM media_token WHERE media_id IN (SELECT media_id FROM media WHERE message IS NULL AND session = ?)`,
    `DELETE FROM media WHERE message IS NULL AND session = ?`,
  ].map((sql) => db.prepare<[number]>(sql));
  const people = [
    `DELETE FROM chat WHERE id IN (SELECT c.id FROM chat c WHERE c.session = ?
       AND NOT EXISTS(SELECT 1 FROM message m WHERE m.chat = c.id) LIMIT ?)`,
    "DELETE FROM contact WHERE id IN (SELECT id FROM contact WHERE session = ? LIMIT ?)",
    "DELETE FROM lid WHERE (session, lid) IN (SELECT session, lid FROM lid WHERE session = ? LIMIT ?)",
    "DELETE FROM hidden_reactor WHERE (session, lid) IN (SELECT session, lid FROM hidden_reactor WHERE session = ? LIMIT ?)",
    "DELETE FROM group_details WHERE (session, jid) IN (SELECT session, jid FROM group_details WHERE session = ? LIMIT ?)",
  ].map((sql) => db.prepare<[number, number]>(sql));
  // Their names are those of chats. One whose deliveries are still there keeps a lane for the day they are sent again.
  const removeLanes = db.prepare<[{ session: number; names: string; limit: number }]>(
    `DELETE FROM lane WHERE id IN (SELECT l.id FROM endpoint e CROSS JOIN lane l ON l.endpoint = e.n
       WHERE l.key > @names AND l.key < @names || char(0x10ffff) AND l.key <> @names || '*' AND l.pending = 0
       AND NOT EXISTS(SELECT 1 FROM event v JOIN delivery d ON d.event_seq = v.seq WHERE v.session = @session AND d.lane = l.id)
       LIMIT @limit)`,
  );
  const mergeWords = db.prepare("INSERT INTO message_words(message_words, rank) VALUES('merge', ?)");
  const wordsLeft = db.prepare<[], string>(`SELECT value FROM meta WHERE key = '${WORDS_LEFT}'`).pluck();
  const noWordsLeft = db.prepare<[string | null]>(
    `DELETE FROM meta WHERE key = '${WORDS_LEFT}' AND value = ?`,
  );
  let reached: string | null = null;
  const changes = db.prepare<[], number>("SELECT total_changes()").pluck();

  /** The chat under each address that it ever had: what was told before its phone was known names the hidden id. */
  const isIn = ({ sessionId, chatId }: ErasureScope): ((chat: string | null) => boolean) => {
    if (chatId === null) return () => true;
    const { id } = engine.session(sessionId);
    const jid = addresses.map(id, chatId);
    return (chat) => chat !== null && (chat === jid || addresses.map(id, chat) === jid);
  };
  const jidOf = ({ sessionId, chatId }: { sessionId: string; chatId: string }): string =>
    addresses.map(engine.session(sessionId).id, chatId);
  const placeAfter = (numbers: number[], limit: number): number | null =>
    numbers.length < limit ? null : (numbers.at(-1) ?? null);

  return {
    countOnTheirWay: call(({ sessionId, chatId }) => {
      const { id } = engine.session(sessionId);
      if (chatId === null) return onTheirWay.get(id) ?? 0;
      return onTheirWayThere.get(id, id, jidOf({ sessionId, chatId })) ?? 0;
    }),
    countOwed: call(({ scope, after, limit }) => {
      const rows = events.all(engine.session(scope.sessionId).id, after, limit);
      const isMeant = isIn(scope);
      const seqs = rows.filter(({ chat }) => isMeant(chat)).map(({ seq }) => seq);
      return {
        count: owed.get(toJson(seqs)) ?? 0,
        place: placeAfter(
          rows.map(({ seq }) => seq),
          limit,
        ),
      };
    }),
    eraseMessages: call(({ sessionId, chatId }, limit) => {
      const { id } = engine.session(sessionId);
      return engine.transaction(() => {
        const going =
          chatId === null
            ? messages.all(id, limit)
            : messagesThere.all(id, jidOf({ sessionId, chatId }), limit);
        const numbers = toJson(going.map(({ n }) => n));
        const files = countFiles.get(numbers) ?? 0;
        removeSends.run(numbers);
        removeMessages(going);
        return { messages: going.length, files };
      });
    }),
    eraseEvents: call(({ scope, after, limit }) =>
      engine.transaction(() => {
        const rows = events.all(engine.session(scope.sessionId).id, after, limit);
        const isMeant = isIn(scope);
        const seqs = toJson(rows.filter(({ chat }) => isMeant(chat)).map(({ seq }) => seq));
        removeAttempts.run(seqs);
        removeDeliveries.run(seqs);
        const removed = removeEvents.run(seqs).changes;
        return {
          removed,
          place: placeAfter(
            rows.map(({ seq }) => seq),
            limit,
          ),
        };
      }),
    ),
    eraseStanzas: call(({ scope, after, limit }) =>
      engine.transaction(() => {
        const { id } = engine.session(scope.sessionId);
        const rows = stanzas.all(after, limit);
        const isMeant = isIn(scope);
        const meant = rows.filter(({ session, chat }) => session === id && isMeant(chat));
        const numbers = toJson(meant.map(({ n }) => n));
        removePlain.run(numbers);
        const removed = blank.run(numbers).changes;
        return {
          removed,
          place: placeAfter(
            rows.map(({ n }) => n),
            limit,
          ),
        };
      }),
    ),
    eraseRest: call(({ sessionId, chatId }, limit) => {
      const { id } = engine.session(sessionId);
      return engine.transaction(() => {
        if (chatId !== null) {
          removeEarlyThere.run(id, jidOf({ sessionId, chatId }));
          return false;
        }
        removeEarly.run(id);
        for (const remove of pictures) remove.run(id);
        const gone = people.map((remove) => remove.run(id, limit).changes);
        const lanes = { session: id, names: laneOfChat(id, ""), limit };
        return [...gone, removeLanes.run(lanes).changes].includes(limit);
      });
    }),
    // The first step puts all parts of the index on one level, so that those after it make them one.
    eraseWords: call((isFirst) => {
      if (isFirst) reached = wordsLeft.get() ?? null;
      const before = changes.get() ?? 0;
      mergeWords.run(isFirst ? -WORD_PAGES : WORD_PAGES);
      const isMore = isFirst || (changes.get() ?? 0) - before >= 2;
      // Not those of messages that went meanwhile.
      if (!isMore) noWordsLeft.run(reached);
      return isMore;
    }),
    areWordsLeft: call(() => wordsLeft.get() !== undefined),
    emptyLog: call(() => emptyLog(engine.db)),
  };
}

/** Without waiting for readers: the whole hub would wait with it. */
function emptyLog(db: Engine["db"]): boolean {
  db.pragma("busy_timeout = 0");
  try {
    const [state] = db.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[]; // its one row, by SQLite's documentation
    return state?.busy === 0;
  } finally {
    db.pragma("busy_timeout = 5000");
  }
}
