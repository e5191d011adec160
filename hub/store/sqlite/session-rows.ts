/** Rows of sessions ↔ `Session`. */
import type { Session, SessionReason, SessionSettings } from "../../core/session.ts";
import type { SessionState } from "../../core/session-state.ts";
import type { Db } from "./connection.ts";
import { bit, date, fromJson, ms, toJson } from "./json.ts";

interface SessionRow {
  id: number;
  session_id: string;
  name: string;
  state: SessionState;
  reason: string | null;
  phone_number: string | null;
  lid: string | null;
  push_name: string | null;
  connected_at: number | null;
  lost_at: number | null;
  last_activity: number;
  created_at: number;
  deleted_at: number | null;
  send_to_frappe: number;
  settings: string;
}

export function sessionReader(db: Db): () => Session[] {
  const all = db.prepare<[], SessionRow>("SELECT * FROM session ORDER BY id");
  return () => all.all().map(toSession);
}

/** What rows of older versions lack. */
const NEWER_SETTINGS = { sendingEnabled: true, retentionDays: null, pairingNumber: null };
type Newer = keyof typeof NEWER_SETTINGS;
type StoredSettings = Omit<SessionSettings, Newer> & Partial<Pick<SessionSettings, Newer>>;

const toSession = (row: SessionRow): Session => ({
  id: row.id,
  sessionId: row.session_id,
  sessionName: row.name,
  state: row.state,
  reason: row.reason === null ? null : toReason(row.reason),
  phoneNumber: row.phone_number,
  lid: row.lid,
  pushName: row.push_name,
  connectedAt: date(row.connected_at),
  lostAt: date(row.lost_at),
  lastActivity: new Date(row.last_activity),
  createdAt: new Date(row.created_at),
  deletedAt: date(row.deleted_at),
  sendToFrappe: row.send_to_frappe === 1,
  settings: { ...NEWER_SETTINGS, ...fromJson<StoredSettings>(row.settings) },
});

function toReason(text: string): SessionReason {
  const reason = fromJson<Omit<SessionReason, "at"> & { at: number }>(text);
  return { ...reason, at: new Date(reason.at) };
}

/** Values of the columns after `id`, in the order of `SESSION_COLUMNS`. */
export const sessionValues = (session: Omit<Session, "id">) => [
  session.sessionId,
  session.sessionName,
  session.state,
  session.reason === null ? null : toJson({ ...session.reason, at: session.reason.at.getTime() }),
  session.phoneNumber,
  session.lid,
  session.pushName,
  ms(session.connectedAt),
  ms(session.lostAt),
  session.lastActivity.getTime(),
  session.createdAt.getTime(),
  ms(session.deletedAt),
  bit(session.sendToFrappe),
  toJson(session.settings),
];

export const SESSION_COLUMNS = [
  "session_id",
  "name",
  "state",
  "reason",
  "phone_number",
  "lid",
  "push_name",
  "connected_at",
  "lost_at",
  "last_activity",
  "created_at",
  "deleted_at",
  "send_to_frappe",
  "settings",
] as const;
