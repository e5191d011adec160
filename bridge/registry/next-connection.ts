/** Decides what a connection's row becomes. Pure. */
import type { Connection, Disconnection } from "../state/bridge-state.ts";
import type { Told } from "./told.ts";

export const newConnection = (sessionId: string): Connection => ({
  sessionId,
  sessionName: null,
  sessionDbId: null,
  phoneNumber: null,
  status: "disconnected",
  sessionExists: true,
  lastConnectedAt: null,
  lastDisconnectedAt: null,
  lastDisconnectReason: null,
  manuallyDisconnected: false,
  disconnectedBy: null,
  reconnectAttempts: 0,
  seq: 0,
});

/** Who ended it, when nobody told the bridge before. */
const SOMEBODY = "user";

export interface Change {
  next: Connection;
  /** The loss this change is, or null. */
  disconnection: Disconnection | null;
}

export function nextConnection(row: Connection, told: Told, seq: number): Change {
  const base: Connection = {
    ...row,
    status: told.status,
    // A logout takes the number from the session; whose it was is still worth knowing.
    phoneNumber: told.phoneNumber ?? row.phoneNumber,
    sessionExists: true,
    seq,
  };
  return told.status === "connected" ? connected(base, row, told) : notConnected(base, row, told);
}

function connected(base: Connection, row: Connection, told: Told): Change {
  const since = row.status === "connected" ? (row.lastConnectedAt ?? told.at) : told.at;
  const next: Connection = {
    ...base,
    lastConnectedAt: told.connectedAt ?? since,
    manuallyDisconnected: false,
    disconnectedBy: null,
    reconnectAttempts: 0,
  };
  return { next, disconnection: null };
}

function notConnected(base: Connection, row: Connection, told: Told): Change {
  const isLoss = row.status === "connected";
  const endedNow = told.byPerson && !row.manuallyDisconnected;
  const by = told.byPerson ? (row.disconnectedBy ?? SOMEBODY) : row.disconnectedBy;
  const next: Connection = {
    ...base,
    manuallyDisconnected: row.manuallyDisconnected || told.byPerson,
    disconnectedBy: by,
    lastDisconnectedAt: isLoss ? told.at : row.lastDisconnectedAt,
    lastDisconnectReason: told.reason ?? row.lastDisconnectReason,
    reconnectAttempts: told.isRetrying ? row.reconnectAttempts + 1 : row.reconnectAttempts,
  };
  const isTold = isLoss || (endedNow && row.lastConnectedAt !== null);
  return {
    next,
    disconnection: isTold ? { sessionId: row.sessionId, at: told.at, reason: told.reason, by } : null,
  };
}

/** An ended or a refused connection waits for a person; so does one that was never made. */
export const mayReconnect = (row: Connection): boolean =>
  row.sessionExists &&
  !row.manuallyDisconnected &&
  row.lastConnectedAt !== null &&
  row.status === "disconnected";
