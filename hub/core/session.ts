/** One linked WhatsApp account: what the hub knows and keeps about it. */
import type { Jid, JidForm } from "./jid.ts";
import type { SessionState } from "./session-state.ts";

/** Why a session is not connected, for people: cause, whose doing it was, and what helps. */
export interface SessionReason {
  /** WhatsApp's number, or a short word of ours. */
  code: string;
  text: string;
  blame: "user" | "whatsapp" | "network" | "other_instance" | "hub";
  advice: string;
  /** Name of the key or the user who ordered it; left out where nobody did, or nobody knows who. */
  by?: string;
  at: Date;
}

export interface SessionSettings {
  jidForm: JidForm;
  qrForm: "bare" | "dataUrl";
  deleteMode: "seal" | "logout";
  ordering: "chat" | "session";
  ignoreGroups: boolean;
  historyDays: number;
  /** Messages older than that go; null: as the hub is set to. */
  retentionDays: number | null;
  bot: { enabled: boolean; reason: string | null };
  /** False: nothing leaves; what is to be queued waits. */
  sendingEnabled: boolean;
  /** Digits of the number a pairing code is for when nobody says another; null: it has to be said. */
  pairingNumber: string | null;
}

export interface Session {
  /** Integer of the contract (`id`, `session_db_id`); never reused. */
  id: number;
  /** Name in every path and event. */
  sessionId: string;
  sessionName: string;
  state: SessionState;
  reason: SessionReason | null;
  /** Digits; kept from the first pairing until logout. */
  phoneNumber: string | null;
  /** Own address in WhatsApp's hidden numbering. */
  lid: Jid | null;
  pushName: string | null;
  connectedAt: Date | null;
  /** When the last loss began; null while connected. */
  lostAt: Date | null;
  lastActivity: Date;
  createdAt: Date;
  /** Deleted sessions keep their row, so that the integer comes back with the name. */
  deletedAt: Date | null;
  sendToFrappe: boolean;
  settings: SessionSettings;
}

/** Before its first connection. */
export const newSession = ({
  sessionId,
  sessionName = sessionId,
  settings,
  now,
}: {
  sessionId: string;
  sessionName?: string | undefined;
  settings: SessionSettings;
  now: Date;
}): Omit<Session, "id"> => ({
  sessionId,
  sessionName,
  state: "stopped",
  reason: null,
  phoneNumber: null,
  lid: null,
  pushName: null,
  connectedAt: null,
  lostAt: null,
  lastActivity: now,
  createdAt: now,
  deletedAt: null,
  sendToFrappe: false,
  settings,
});

export const defaultSettings = (jidForm: JidForm): SessionSettings => ({
  jidForm,
  qrForm: "bare",
  deleteMode: "seal",
  ordering: "chat",
  ignoreGroups: false,
  historyDays: 365,
  retentionDays: null,
  bot: { enabled: false, reason: null },
  sendingEnabled: true,
  pairingNumber: null,
});

/** How far back a new link brings history: what would soon go for its age is not taken. */
export const importDays = (
  { historyDays, retentionDays }: Pick<SessionSettings, "historyDays" | "retentionDays">,
  hubRetentionDays: number | null,
): number => Math.min(historyDays, retentionDays ?? hubRetentionDays ?? historyDays);
