/** Sessions: what the hub says of one, and the counters beside it. */
import type { Position, SessionNotes, WriteResult } from "../../adapter.ts";
import type { Session } from "../../records.ts";
import { differences } from "./differences.ts";
import { blank, SESSION, type Row } from "./doctypes.ts";
import { momentOf } from "./moments.ts";
import { mayOverwrite } from "./positions.ts";
import { sessionFields } from "./session-fields.ts";
import { keyText } from "./text.ts";
import { reviseRow, unchanged, type Writing } from "./writing.ts";

export function writeSession({ rows, now }: Writing, session: Session, position: Position): WriteResult {
  const sessionId = keyText(session.sessionId, "session id");
  const fields = sessionFields(session);
  const held = rows.sessions.of(sessionId);
  if (held === undefined) {
    const id = rows.sessions.insert({
      ...blank(SESSION, now()),
      ...fields,
      session_id: sessionId,
      position,
    });
    return { outcome: "created", id };
  }
  if (!mayOverwrite(held.position, position)) return unchanged(held.name);
  return reviseRow(rows.sessions, held, fields, { position, now: now() });
}

export function noteSession({ rows, now }: Writing, sessionId: string, notes: SessionNotes): WriteResult {
  const held = rows.sessions.of(sessionId);
  if (held === undefined) return { outcome: "missing" };
  const { contacts, chats, messages } = notes.totals;
  const { sent, received } = rows.messages.count(sessionId);
  const wanted: Row = {
    total_contacts: contacts,
    total_chats: chats,
    total_conversations: chats,
    total_messages: messages,
    total_messages_sent: sent,
    total_messages_received: received,
    ...(notes.lastSync === null ? {} : { last_sync: momentOf(notes.lastSync) }),
  };
  const changes = differences(held, wanted);
  if (changes === null) return unchanged(held.name);
  rows.sessions.update(held.name, { ...changes, modified: now() });
  return { outcome: "updated", id: held.name };
}
