/** WhatsApp Session: one document per account, found by its `session_id`. */
import type { Position, SessionNotes, WriteResult } from "../../adapter.ts";
import type { Session } from "../../records.ts";
import {
  cutName,
  differing,
  flag,
  isEmpty,
  text,
  type Fields,
  type Row,
  requiredName,
} from "./field-values.ts";
import { readState, STATE_FIELD, writeState } from "./hub-state.ts";
import { isDuplicate, SiteRefusal } from "./site-answer.ts";
import { SESSION, type Site } from "./site.ts";
import { rejected } from "./write-many.ts";

const STATUS: Record<Session["status"], string> = {
  disconnected: "Disconnected",
  connecting: "Connecting",
  connected: "Connected",
  qr_code: "QR Code Required",
  error: "Error",
};

const FIELDS = [
  "name",
  "session_id",
  "session_name",
  "status",
  "is_connected",
  "is_active",
  "phone_number",
  "session_db_id",
  "last_seen",
  "total_contacts",
  "total_chats",
  "total_conversations",
  "total_messages",
  "total_messages_sent",
  "total_messages_received",
  "error_message",
  "error_code",
  "last_sync",
  STATE_FIELD,
];

export interface Sessions {
  upsert(session: Session, position: Position): Promise<WriteResult>;
  note(
    sessionId: string,
    notes: SessionNotes,
    messages: { sent: number; received: number },
  ): Promise<WriteResult>;
  /** The document's name; a bare document is made for a session whose chats come before itself. */
  nameOf(sessionId: string): Promise<string>;
  /** Null where the site has no such session. */
  findName(sessionId: string): Promise<string | null>;
  /** The document of this name was made by this very bridge since it runs. */
  isNew(name: string): boolean;
  /** Null where the site has no document of this name. */
  idOf(name: string): Promise<string | null>;
}

export function createSessions({ tables, writes, time, names, positions, lanes }: Site): Sessions {
  const made = new Set<string>();

  const find = async (sessionId: string): Promise<Row | null> => {
    const filters: [string, string, string][] = [["session_id", "=", sessionId]];
    const [row] = await tables.list(SESSION, { fields: FIELDS, filters, orderBy: "creation asc", limit: 1 });
    if (row !== undefined) names.sessions.set(sessionId, text(row, "name"));
    return row ?? null;
  };

  /** Somebody else may have made it since it was looked for. */
  const insert = async (sessionId: string, fields: Fields): Promise<{ name: string } | { taken: Row }> => {
    try {
      const name = await tables.insert(SESSION, fields);
      names.sessions.set(sessionId, name);
      made.add(name);
      return { name };
    } catch (error) {
      const taken = error instanceof SiteRefusal && isDuplicate(error) ? await find(sessionId) : null;
      if (taken === null) throw error;
      return { taken };
    }
  };

  const fieldsOf = async (session: Session): Promise<Fields> => ({
    session_id: session.sessionId,
    session_name: requiredName(session.sessionName, session.sessionId),
    status: STATUS[session.status],
    is_connected: flag(session.isConnected),
    is_active: flag(!session.manuallyStopped),
    phone_number: session.phoneNumber,
    session_db_id: session.id,
    last_seen: (await time()).write(Math.floor(Date.parse(session.lastActivity) / 1000)),
    error_message: session.reason?.text ?? null,
    error_code: session.reason?.code ?? null,
  });

  const update = async (row: Row, wanted: Fields, position: Position): Promise<WriteResult> => {
    const name = text(row, "name");
    const key = `session|${text(row, "session_id")}`;
    const state = readState(row[STATE_FIELD]);
    if (positions.isStale(key, position, state.position)) return { outcome: "unchanged", id: name };
    const changes = differing(row, wanted);
    positions.shown(key, position);
    if (isEmpty(changes)) return { outcome: "unchanged", id: name };
    return writes.updateOne(SESSION, { name, changes: { ...changes, ...mark(row, position) } });
  };

  const inLane = <T>(sessionId: string, work: () => Promise<T>): Promise<T> =>
    lanes.run(`${sessionId}|*`, work);

  return {
    upsert: (session, position) =>
      inLane(session.sessionId, async () => {
        const wanted = await fieldsOf(session);
        const row = await find(session.sessionId);
        if (row !== null) return update(row, wanted, position);
        try {
          const inserted = await insert(session.sessionId, { ...wanted, ...mark({}, position) });
          if ("taken" in inserted) return await update(inserted.taken, wanted, position);
          positions.shown(`session|${session.sessionId}`, position);
          return { outcome: "created", id: inserted.name };
        } catch (error) {
          if (error instanceof SiteRefusal) return rejected(error);
          throw error;
        }
      }),
    note: (sessionId, { totals, lastSync }, messages) =>
      inLane(sessionId, async () => {
        const row = await find(sessionId);
        if (row === null) return { outcome: "missing" };
        const wanted: Fields = {
          total_contacts: totals.contacts,
          total_chats: totals.chats,
          total_conversations: totals.chats,
          total_messages: totals.messages,
          total_messages_sent: messages.sent,
          total_messages_received: messages.received,
          last_sync:
            lastSync === null ? undefined : (await time()).write(Math.floor(lastSync.getTime() / 1000)),
        };
        const name = text(row, "name");
        const changes = differing(row, wanted);
        return isEmpty(changes)
          ? { outcome: "unchanged", id: name }
          : writes.updateOne(SESSION, { name, changes });
      }),
    nameOf: (sessionId) => {
      const known = names.sessions.get(sessionId);
      if (known !== undefined) return Promise.resolve(known);
      return inLane(sessionId, async () => {
        const row = await find(sessionId);
        if (row !== null) return text(row, "name");
        const bare = { session_id: sessionId, session_name: cutName(sessionId), status: STATUS.disconnected };
        const inserted = await insert(sessionId, bare);
        return "taken" in inserted ? text(inserted.taken, "name") : inserted.name;
      });
    },
    isNew: (name) => made.has(name),
    idOf: async (name) => {
      const [row] = await tables.list(SESSION, {
        fields: ["session_id"],
        filters: [["name", "=", name]],
        orderBy: "creation asc",
        limit: 1,
      });
      return row === undefined ? null : text(row, "session_id");
    },
    findName: async (sessionId) => {
      const known = names.sessions.get(sessionId);
      if (known !== undefined) return known;
      const row = await find(sessionId);
      return row === null ? null : text(row, "name");
    },
  };
}

/** The position a write shows, kept in the record where the site has the field. */
export const mark = (row: Row, position: Position): Fields =>
  position === null ? {} : { [STATE_FIELD]: writeState({ ...readState(row[STATE_FIELD]), position }) };
