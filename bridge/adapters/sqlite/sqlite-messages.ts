/** What is asked of messages and done to many of them, in SQLite. */
import { MESSAGE, type MessageRow } from "../embedded/doctypes.ts";
import type { MessageSpan, Rows } from "../embedded/rows.ts";
import type { Db } from "./connection.ts";
import { createSqliteTable } from "./sqlite-table.ts";

export function createSqliteMessages(db: Db): Rows["messages"] {
  const table = createSqliteTable<MessageRow>(db, MESSAGE);
  const byKey = table.where("conversation = ? AND message_id = ? AND from_me = ? AND participant = ?");
  // The plus keeps the planner from walking the whole chat for the sake of the order.
  const byId = table.where("conversation = ? AND message_id = ? ORDER BY +timestamp DESC, n DESC");
  const byName = table.where("name = ?");
  const count = db.prepare<[string], { all: number; sent: number | null }>(
    'SELECT COUNT(*) AS "all", SUM(from_me) AS sent FROM whatsapp_message WHERE session = ?',
  );
  const countIn = db.prepare<[string], { n: number }>(
    "SELECT COUNT(*) AS n FROM whatsapp_message WHERE conversation = ?",
  );
  const spans = createSpans(db);
  const twins = db.prepare<[string, string], { one: string; other: string }>(
    `SELECT one.name AS one, other.name AS other
     FROM whatsapp_message one JOIN whatsapp_message other USING (message_id, from_me, participant)
     WHERE one.conversation = ? AND other.conversation = ?`,
  );
  const move = db.prepare("UPDATE whatsapp_message SET conversation = ? WHERE conversation = ?");
  const readdress = db.prepare(
    `UPDATE whatsapp_message SET contact = COALESCE(@contact, contact),
       from_number = CASE from_number WHEN @from THEN @into ELSE from_number END,
       to_number = CASE to_number WHEN @from THEN @into ELSE to_number END
     WHERE conversation = @conversation`,
  );
  const rename = createRename(db);

  const named = (name: string): MessageRow[] => byName.all(name);
  return {
    ...table,
    of: (conversation, { messageId, fromMe, participant }) =>
      byKey.get(conversation, messageId, fromMe, participant),
    withId: (conversation, messageId) => byId.all(conversation, messageId),
    count: (session) => {
      const { all, sent } = count.get(session) ?? { all: 0, sent: 0 };
      return { sent: sent ?? 0, received: all - (sent ?? 0) };
    },
    countIn: (conversation) => countIn.get(conversation)?.n ?? 0,
    spans,
    inBoth: (from, into) =>
      twins
        .all(from, into)
        .flatMap(({ one, other }) =>
          named(one).flatMap((row) => named(other).map((twin) => ({ from: row, into: twin }))),
        ),
    move: (from, into) => {
      move.run(into, from);
    },
    readdress: (conversation, change) => {
      readdress.run({ conversation, ...change });
    },
    renameParticipant: rename,
  };
}

function createSpans(db: Db): (session: string, chatIds: string[] | null) => MessageSpan[] {
  const select = (narrowed: string): string =>
    `SELECT c.chat_id AS chatId, COUNT(*) AS messages, MIN(m.timestamp) AS oldest, MAX(m.timestamp) AS newest
     FROM whatsapp_conversation c JOIN whatsapp_message m ON m.conversation = c.name
     WHERE c.session = ? ${narrowed} GROUP BY c.n`;
  const all = db.prepare<[string], MessageSpan>(select(""));
  const some = db.prepare<[string, string], MessageSpan>(
    select("AND c.chat_id IN (SELECT value FROM json_each(?))"),
  );
  return (session, chatIds) =>
    chatIds === null ? all.all(session) : some.all(session, JSON.stringify(chatIds));
}

function createRename(db: Db): Rows["messages"]["renameParticipant"] {
  // Without the second condition the partial index cannot be used.
  const named = "session = @session AND participant = @from AND participant <> ''";
  // Most people never wrote under the id that turns out to be theirs: three writes that change nothing are saved.
  const any = db.prepare(`SELECT 1 FROM whatsapp_message WHERE ${named} LIMIT 1`);
  // A message that is held under both ids stays under the new one.
  const rename = db.prepare(
    `UPDATE OR IGNORE whatsapp_message SET participant = @into, contact = COALESCE(@contact, contact),
       from_number = CASE from_number WHEN @oldNumber THEN @newNumber ELSE from_number END
     WHERE ${named}`,
  );
  const surplus = db.prepare(`DELETE FROM whatsapp_message WHERE ${named}`);
  const media = db.prepare(
    `DELETE FROM whatsapp_message_media WHERE parent IN (SELECT name FROM whatsapp_message WHERE ${named})`,
  );
  return (session, { from, into, contact, numbers }) => {
    if (any.get({ session, from }) === undefined) return;
    const change = { session, from, into, contact, oldNumber: numbers.from, newNumber: numbers.into };
    rename.run(change);
    media.run({ session, from });
    surplus.run({ session, from });
  };
}
