/** The embedded CRM's rows in SQLite. */
import {
  CLIENT,
  CONTACT,
  CONVERSATION,
  MEDIA,
  SESSION,
  type ClientRow,
  type ContactRow,
  type ConversationRow,
  type MediaRow,
  type SessionRow,
} from "../embedded/doctypes.ts";
import type { Rows } from "../embedded/rows.ts";
import { NATIONAL_ID_PREFIXES, normalNationalId } from "../../national-id.ts";
import type { Db } from "./connection.ts";
import { holdChats, type HeldChats } from "./held-chats.ts";
import { NATIONAL_ID_KEY } from "./migrations/0003-national-ids.ts";
import { createSqliteMessages } from "./sqlite-messages.ts";
import { createSqliteTable } from "./sqlite-table.ts";

interface Count {
  n: number;
}

export function createSqliteRows(db: Db): { rows: Rows; held: HeldChats } {
  const held = holdChats(db, conversationRows(db));
  const rows = {
    sessions: sessionRows(db),
    contacts: contactRows(db),
    conversations: held.conversations,
    messages: createSqliteMessages(db),
    media: mediaRows(db),
    clients: clientRows(db),
    aliases: aliasRows(db),
    isHeld: anyHeld(db),
  };
  return { rows, held };
}

function sessionRows(db: Db): Rows["sessions"] {
  const table = createSqliteTable<SessionRow>(db, SESSION);
  const byId = table.where("session_id = ?");
  return { ...table, of: (sessionId) => byId.get(sessionId) };
}

function contactRows(db: Db): Rows["contacts"] {
  const table = createSqliteTable<ContactRow>(db, CONTACT);
  const byKey = table.where("session = ? AND contact_id = ?");
  const byPhone = table.where("phone_number = ? ORDER BY n LIMIT 1");
  const count = db.prepare<[string], Count>("SELECT COUNT(*) AS n FROM whatsapp_contact WHERE session = ?");
  return {
    ...table,
    of: (session, contactId) => byKey.get(session, contactId),
    withPhone: (phone) => byPhone.get(phone),
    count: (session) => count.get(session)?.n ?? 0,
  };
}

function conversationRows(db: Db): Rows["conversations"] {
  const table = createSqliteTable<ConversationRow>(db, CONVERSATION);
  const byKey = table.where("session = ? AND chat_id = ?");
  const byName = table.where("name = ?");
  const count = db.prepare<[string], Count>(
    "SELECT COUNT(*) AS n FROM whatsapp_conversation WHERE session = ?",
  );
  return {
    ...table,
    of: (session, chatId) => byKey.get(session, chatId),
    named: (name) => byName.get(name),
    count: (session) => count.get(session)?.n ?? 0,
  };
}

function mediaRows(db: Db): Rows["media"] {
  const table = createSqliteTable<MediaRow>(db, MEDIA);
  const byParent = table.where("parent = ? ORDER BY idx, n");
  return { ...table, of: (message) => byParent.all(message) };
}

function clientRows(db: Db): Rows["clients"] {
  const table = createSqliteTable<ClientRow>(db, CLIENT);
  const byName = table.where("name = ?");
  const byExternalId = table.where("external_id = ? AND external_id <> ''");
  const keys = NATIONAL_ID_PREFIXES.map(() => "?").join(", ");
  const byNationalId = table.where(`${NATIONAL_ID_KEY} IN (${keys}) ORDER BY n`);
  return {
    ...table,
    named: (name) => byName.get(name),
    withExternalId: (externalId) => byExternalId.get(externalId),
    withNationalId: (nationalId) =>
      byNationalId
        .all(...NATIONAL_ID_PREFIXES.map((prefix) => `${prefix}${nationalId}`))
        .filter((row) => normalNationalId(row.national_id) === nationalId),
  };
}

function aliasRows(db: Db): Rows["aliases"] {
  const of = db.prepare<[string, string], { into: string; position: number | null }>(
    'SELECT into_id AS "into", position FROM alias WHERE session = ? AND from_id = ?',
  );
  const put = db.prepare(
    `INSERT INTO alias(session, from_id, into_id, position) VALUES(?, ?, ?, ?)
     ON CONFLICT(session, from_id) DO UPDATE SET into_id = excluded.into_id, position = excluded.position`,
  );
  return {
    of: (session, id) => of.get(session, id),
    put: (session, from, into, position) => {
      put.run(session, from, into, position);
    },
  };
}

function anyHeld(db: Db): Rows["isHeld"] {
  const held = [
    "SELECT 1 FROM whatsapp_contact WHERE session = @session AND contact_id = @id",
    "SELECT 1 FROM whatsapp_conversation WHERE session = @session AND chat_id = @id",
    "SELECT 1 FROM whatsapp_message WHERE session = @session AND participant = @id AND participant <> ''",
    "SELECT 1 FROM hidden_reactor WHERE session = @session AND lid = @id",
  ];
  const any = db
    .prepare<[{ session: string; id: string }], number>(
      `SELECT ${held.map((one) => `EXISTS(${one})`).join(" OR ")}`,
    )
    .pluck();
  return (session, id) => any.get({ session, id }) === 1;
}
