/** The record of a session that the hub has no more, made of what is remembered of it: a CRM must not go on calling it connected. */
import type { Session } from "./records.ts";
import type { Connection } from "./state/bridge-state.ts";

type Remembered = Pick<
  Connection,
  "sessionId" | "sessionName" | "sessionDbId" | "phoneNumber" | "manuallyDisconnected"
>;

/** `at`: ISO 8601; for moments that nobody remembers. */
export const goneSession = (
  { sessionId, sessionName, sessionDbId, phoneNumber, manuallyDisconnected }: Remembered,
  at: string,
): Session => ({
  id: sessionDbId ?? 0,
  sessionId,
  sessionName: sessionName ?? sessionId,
  status: "disconnected",
  state: "stopped",
  isConnected: false,
  hasQR: false,
  phoneNumber,
  pushName: null,
  lastActivity: at,
  connectedAt: null,
  createdAt: at,
  reason: null,
  manuallyStopped: manuallyDisconnected,
  sendToFrappe: true,
  unreadCount: 0,
});
