/** What CRMs are told about a session: which event a change of state makes, and what it says. */
import { toSeconds } from "./clock.ts";
import { cut, presentReason, presentSession, statusOf } from "./present.ts";
import { isActive, isOpen, isRestoredAtStart, type SessionState } from "./session-state.ts";
import type { Session } from "./session.ts";
import type { NewEvent } from "./store.ts";

const sessionEvent = (event: NewEvent["event"], data: NewEvent["data"]): NewEvent => ({
  event,
  chatId: null,
  data,
  exceptClient: null,
  notBefore: null,
});

export interface SessionMove {
  previous: Session;
  next: Session;
  /** What CRMs believe: the last they heard of this account was that it is connected. */
  toldConnected: boolean;
  /** A loss that is still within its grace period: nobody is told yet. */
  quiet: boolean;
  /** Who ordered the connection, where this is one and somebody did. */
  by?: string | undefined;
  now: Date;
}

/** The events a change of a session owes: none, or one. */
export function eventsOfMove({ previous, next, toldConnected, quiet, by, now }: SessionMove): NewEvent[] {
  if (isOpen(next.state) && next.lostAt === null && !isConnectedAlready(previous))
    return toldConnected ? [] : [sessionConnected(next, previous, now)];
  if (toldConnected && !isConnectedAlready(next))
    return quiet ? [] : [sessionDisconnected(next, previous, now)];
  if (previous.state === next.state) return isNextCure(previous, next) ? [sessionStatus(next)] : [];
  // Told "lost, trying again" before: that it is lost for good is news of the same kind.
  const gaveUp = previous.state === "reconnecting" && !isActive(next.state);
  return [gaveUp ? sessionDisconnected(next, previous, now) : sessionStatus(next, by)];
}

/** Each step taken for an account that hears nothing is told. */
const isNextCure = (previous: Session, next: Session): boolean =>
  next.state === "degraded" && next.lostAt === null && previous.reason?.text !== next.reason?.text;

const isConnectedAlready = ({ state, lostAt }: Session): boolean => isOpen(state) && lostAt === null;

function sessionConnected(session: Session, previous: Session, now: Date): NewEvent {
  const downMs = previous.lostAt === null ? 0 : now.getTime() - previous.lostAt.getTime();
  return sessionEvent("session.connected", {
    status: statusOf(session.state),
    isConnected: true,
    phoneNumber: session.phoneNumber,
    pushName: session.pushName === null ? null : cut(session.pushName),
    timestamp: toSeconds(now),
    previousState: previous.state,
    downSeconds: Math.max(0, Math.floor(downMs / 1000)),
  });
}

/** The number is the one that was lost, also when the change itself (a logout) takes it from the session. */
function sessionDisconnected(session: Session, previous: Session, now: Date): NewEvent {
  return sessionEvent("session.disconnected", {
    status: lossStatus(session.state),
    isConnected: false,
    state: session.state,
    phoneNumber: session.phoneNumber ?? previous.phoneNumber,
    reason: presentReason(session.reason),
    willRetry: isRestoredAtStart(session.state),
    timestamp: toSeconds(now),
  });
}

/** Receivers of a loss know `connecting`, `disconnected` and `error`; the code to scan has its own event. */
function lossStatus(state: SessionState): string {
  const status = statusOf(state);
  return status === "qr_code" ? "connecting" : status;
}

function sessionStatus(session: Session, by?: string): NewEvent {
  const fields: Record<string, unknown> = { ...presentSession(session) };
  // Counting unread chats is the inbox's affair; a zero here would be read as the truth.
  delete fields["unreadCount"];
  return sessionEvent("session.status", by === undefined ? fields : { ...fields, by: cut(by) });
}

/** `qrCode` is the picture of the code, a PNG as bare base64. */
export const sessionQr = ({ qrCode, expiresAt }: { qrCode: string; expiresAt: Date }): NewEvent =>
  sessionEvent("session.qr", { status: "qr_code", qrCode, expiresAt: expiresAt.toISOString() });
