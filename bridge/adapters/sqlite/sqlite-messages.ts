/** What is asked of messages and done to many of them, in SQLite. */
import { MESSAGE, type MessageRow } from "../embedded/doctypes.ts";
import type { MessageSpan, Rows } from "../embedded/rows.ts";
import type { Db } from "./connection.ts";
import { createHiddenReactors } from "./sqlite-hidden-reactors.ts";
import { createSqliteTable } from "./sqlite-table.ts";

interface Twins {
  one: string;
  other: string;
}

export function createSqliteMessages(db: Db): Rows["messages"] {
  const table = createSqliteTable<MessageRow>(db, MESSAGE);
  const byKey = table.where("conversation = ? AND message_id = ? AND from_me = ? AND participant = ?");
  // The plus keeps the planner from walking the whole chat for the sake of the order.
  const byId = table.where("conversation = ? AND message_id = ? ORDER BY +timestamp DESC, n DESC");
  const byName = table.where("name = ?");
  const unlinked = table.where(
    "conversation = ? AND quoted_message_id IS NOT NULL AND quoted_message IS NULL ORDER BY n",
  );
  const count = db.prepare<[string], { all: number; sent: number | null }>(
    'SELECT COUNT(*) AS "all", SUM(from_me) AS sent FROM whatsapp_message WHERE session = ?',
  );
  const countIn = db.prepare<[string], { n: number }>(
    "SELECT COUNT(*) AS n FROM whatsapp_message WHERE conversation = ?",
  );
  const spans = createSpans(db);
  const twins = db.prepare<[string, string], Twins>(
    `SELECT one.name AS one, other.name AS other
     FROM whatsapp_message one JOIN whatsapp_message other USING (message_id, from_me, participant)
     WHERE one.conversation = ? AND other.conversation = ?`,
  );
  // Without `<> ''` the partial index cannot be used; here and below.
  const twinsOfMember = db.prepare<[string, string, string], Twins>(
    `SELECT one.name AS one, other.name AS other
     FROM whatsapp_message one JOIN whatsapp_message other USING (conversation, message_id, from_me)
     WHERE one.session = ? AND one.participant = ? AND one.participant <> '' AND other.participant = ?`,
  );
  const hiddenReactors = createHiddenReactors(db);
  const reacted = table.where("name IN (SELECT message FROM hidden_reactor WHERE session = ? AND lid = ?)");
  const links = createLinks(db);
  const move = db.prepare("UPDATE whatsapp_message SET conversation = ? WHERE conversation = ?");
  const readdress = db.prepare(
    `UPDATE whatsapp_message SET contact = COALESCE(@contact, contact),
       from_number = CASE from_number WHEN @from THEN @into ELSE from_number END,
       to_number = CASE to_number WHEN @from THEN @into ELSE to_number END
     WHERE conversation = @conversation`,
  );
  const rename = createRename(db);

  const named = (name: string): MessageRow[] => byName.all(name);
  const pairsOf = (found: Twins[]) =>
    found.flatMap(({ one, other }) =>
      named(one).flatMap((row) => named(other).map((twin) => ({ from: row, into: twin }))),
    );
  return {
    ...table,
    insert: (values) => {
      const name = table.insert(values);
      hiddenReactors.note(name, values.reactions);
      return name;
    },
    update: (name, changes) => {
      table.update(name, changes);
      if (!("reactions" in changes)) return;
      hiddenReactors.forget(name);
      hiddenReactors.note(name, changes["reactions"]);
    },
    of: (conversation, { messageId, fromMe, participant }) =>
      byKey.get(conversation, messageId, fromMe, participant),
    withId: (conversation, messageId) => byId.all(conversation, messageId),
    count: (session) => {
      const { all, sent } = count.get(session) ?? { all: 0, sent: 0 };
      return { sent: sent ?? 0, received: all - (sent ?? 0) };
    },
    countIn: (conversation) => countIn.get(conversation)?.n ?? 0,
    spans,
    inBoth: (from, into) => pairsOf(twins.all(from, into)),
    inBothOfMember: (session, from, into) => pairsOf(twinsOfMember.all(session, from, into)),
    withReactionOf: (session, hiddenId) => reacted.all(session, hiddenId),
    unlinkedAnswers: (conversation) => unlinked.all(conversation),
    ...links,
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

/** Links that come late: nearly every time there is nothing to link, and an index says so. */
function createLinks(db: Db): Pick<Rows["messages"], "linkAuthor" | "linkAnswers"> {
  const author = db.prepare(
    `UPDATE whatsapp_message SET contact = @contact
     WHERE session = @session AND participant = @participant AND participant <> '' AND contact IS NOT @contact`,
  );
  const answers = db.prepare(
    `UPDATE whatsapp_message SET quoted_message = @name
     WHERE conversation = @conversation AND quoted_message_id = @messageId AND quoted_message IS @instead`,
  );
  return {
    linkAuthor: (session, participant, contact) => {
      author.run({ session, participant, contact });
    },
    linkAnswers: (conversation, asked) => {
      answers.run({ conversation, ...asked });
    },
  };
}

function createRename(db: Db): Rows["messages"]["renameParticipant"] {
  const rename = db.prepare(
    `UPDATE whatsapp_message SET participant = @into, contact = COALESCE(@contact, contact),
       from_number = CASE from_number WHEN @oldNumber THEN @newNumber ELSE from_number END
     WHERE session = @session AND participant = @from AND participant <> ''`,
  );
  return (session, { from, into, contact, numbers }) => {
    rename.run({ session, from, into, contact, oldNumber: numbers.from, newNumber: numbers.into });
  };
}
