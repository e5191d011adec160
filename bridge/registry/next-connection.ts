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
  disconnectOrderedAt: null,
  disconnectOrderedSeq: null,
  connectOrderedBy: null,
  connectOrderedAt: null,
  connectOrderedSeq: null,
  createdBy: null,
  reconnectAttempts: 0,
  seq: 0,
});

/** Who ended it, where nobody knows the name: on the phone, or at a hub that does not tell it. */
const SOMEBODY = "user";

export interface Change {
  next: Connection;
  /** The loss this change is, or null. */
  disconnection: Disconnection | null;
}

/** What is true from the order on: what was ended by hand is wanted again. */
export const connectOrdered = (row: Connection, by: string, at: string): Connection => ({
  ...row,
  manuallyDisconnected: false,
  disconnectedBy: null,
  connectOrderedBy: by,
  connectOrderedAt: at,
});

export function nextConnection(known: Connection, told: Told, seq: number): Change {
  const { connectOrderedBy } = told;
  const row =
    connectOrderedBy === null || isUndone(known, told, seq)
      ? known
      : connectOrdered(known, nameOf(known, { connectOrderedBy, seq }), told.at);
  const base: Connection = {
    ...row,
    status: told.status,
    // A logout takes the number from the session; whose it was is still worth knowing.
    phoneNumber: told.phoneNumber ?? row.phoneNumber,
    sessionExists: true,
    // Who made the one that is gone did not make the one that is here now.
    createdBy: row.sessionExists ? row.createdBy : null,
    seq,
  };
  return told.status === "connected" ? connected(base, row, told) : notConnected(base, row, told);
}

/** Told late, by the feed: its end was ordered since. Moments are of two clocks, and only count where the hub gave no number. */
function isUndone(
  { disconnectOrderedSeq, disconnectOrderedAt }: Connection,
  told: Told,
  seq: number,
): boolean {
  if (disconnectOrderedSeq !== null) return seq < disconnectOrderedSeq;
  return disconnectOrderedAt !== null && Date.parse(told.at) < Date.parse(disconnectOrderedAt);
}

/** The hub tells an order that came through the bridge as the bridge's: what it told until that was done is not newer than its caller. */
const nameOf = (known: Connection, told: { connectOrderedBy: string; seq: number }): string =>
  known.connectOrderedBy !== null && known.connectOrderedSeq !== null && told.seq <= known.connectOrderedSeq
    ? known.connectOrderedBy
    : told.connectOrderedBy;

function connected(base: Connection, row: Connection, told: Told): Change {
  const since = row.status === "connected" ? (row.lastConnectedAt ?? told.at) : told.at;
  const next: Connection = {
    ...base,
    lastConnectedAt: told.connectedAt ?? since,
    ...(isUndone(row, told, base.seq) ? {} : { manuallyDisconnected: false, disconnectedBy: null }),
    reconnectAttempts: 0,
  };
  return { next, disconnection: null };
}

function notConnected(base: Connection, row: Connection, told: Told): Change {
  const isLoss = row.status === "connected";
  const endedNow = told.byPerson && !row.manuallyDisconnected;
  // Who ordered it through the bridge is known already: the hub only knows the bridge.
  const by = told.byPerson ? (row.disconnectedBy ?? told.endedBy ?? SOMEBODY) : row.disconnectedBy;
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
