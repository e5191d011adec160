/** How the connection of a session has done so far: what is counted, and what each change of the session adds to it. */
import { isActive, isOpen } from "./session-state.ts";
import type { Session, SessionReason } from "./session.ts";
import { noneUnreadable, type UnreadableCounts } from "./unreadable.ts";

export interface SessionFigures {
  /** Connections begun, and those that opened. */
  attempts: number;
  opened: number;
  /** Opened after a loss. */
  reconnects: number;
  /** Tries in a row that did not open; 0 while connected. */
  failedInARow: number;
  degradedMs: number;
  /** Unix milliseconds; null while it is not degraded. */
  degradedSince: number | null;
  /** The newest times, oldest first: from the scan, and from the start of a connection, until it was open. */
  scanToOpenMs: number[];
  startToOpenMs: number[];
  /** Newest first. */
  losses: LossFigure[];
  /** Messages that could not be decrypted when they came. */
  unreadable: UnreadableCounts;
  /** What is under way: Unix milliseconds of the start, or of the scan. */
  startedAt: number | null;
  scannedAt: number | null;
}

export type LossFigure = Pick<SessionReason, "code" | "text" | "blame"> & { at: number };

export const noFigures: SessionFigures = {
  attempts: 0,
  opened: 0,
  reconnects: 0,
  failedInARow: 0,
  degradedMs: 0,
  degradedSince: null,
  scanToOpenMs: [],
  startToOpenMs: [],
  losses: [],
  unreadable: noneUnreadable,
  startedAt: null,
  scannedAt: null,
};

const TIMES_KEPT = 200;
const LOSSES_KEPT = 20;
/** Ends by order are no losses. */
const ORDERED = new Set(["stopped", "restarted", "logout", "hub_started"]);

export const attempted = (figures: SessionFigures, now: number): SessionFigures => ({
  ...figures,
  attempts: figures.attempts + 1,
  startedAt: now,
});

const isUp = ({ state, lostAt }: Session): boolean => isOpen(state) && lostAt === null;

export function moved(
  figures: SessionFigures,
  { previous, next, now }: { previous: Session; next: Session; now: number },
): SessionFigures {
  let after = ofDegradation(figures, previous, next, now);
  // From here on a person takes the time.
  // And WhatsApp answers: a code that nobody scans is no failed try.
  if (next.state === "qr") after = { ...after, startedAt: null, failedInARow: 0 };
  if (next.state === "pairing" && previous.state !== "pairing") after = { ...after, scannedAt: now };
  if (isUp(next) && !isUp(previous)) return ofOpening(after, previous, now);
  return isLoss(previous, next) ? ofLoss(after, previous, next) : after;
}

function ofDegradation(
  figures: SessionFigures,
  previous: Session,
  next: Session,
  now: number,
): SessionFigures {
  const { degradedSince } = figures;
  if (next.state === "degraded" && degradedSince === null) return { ...figures, degradedSince: now };
  if (next.state === "degraded" || previous.state !== "degraded" || degradedSince === null) return figures;
  const degradedMs = figures.degradedMs + Math.max(0, now - degradedSince);
  return { ...figures, degradedMs, degradedSince: null };
}

function ofOpening(figures: SessionFigures, previous: Session, now: number): SessionFigures {
  const { scannedAt, startedAt } = figures;
  const since = (start: number | null): number[] => (start === null ? [] : [Math.max(0, now - start)]);
  return {
    ...figures,
    opened: figures.opened + 1,
    reconnects: figures.reconnects + (previous.lostAt === null ? 0 : 1),
    failedInARow: 0,
    scanToOpenMs: [...figures.scanToOpenMs, ...since(scannedAt)].slice(-TIMES_KEPT),
    startToOpenMs: [...figures.startToOpenMs, ...since(scannedAt === null ? startedAt : null)].slice(
      -TIMES_KEPT,
    ),
    startedAt: null,
    scannedAt: null,
  };
}

const isLoss = (previous: Session, { reason, ...next }: Session): boolean =>
  reason !== null &&
  !(isOpen(next.state) && next.lostAt === null) &&
  isActive(previous.state) &&
  !ORDERED.has(reason.code) &&
  reason.at.getTime() !== previous.reason?.at.getTime();

function ofLoss(figures: SessionFigures, previous: Session, next: Session): SessionFigures {
  const { reason } = next;
  if (reason === null) return figures;
  const { code, text, blame, at } = reason;
  return {
    ...figures,
    failedInARow: figures.failedInARow + (isUp(previous) || next.state === "qr_expired" ? 0 : 1),
    losses: [{ at: at.getTime(), code, text, blame }, ...figures.losses].slice(0, LOSSES_KEPT),
    scannedAt: null,
  };
}

/** Also while it still is. */
export function degradedSeconds({ degradedMs, degradedSince }: SessionFigures, now: Date): number {
  const running = degradedSince === null ? 0 : Math.max(0, now.getTime() - degradedSince);
  return Math.floor((degradedMs + running) / 1000);
}

/** The time that so large a share of `times` keeps within; null without any. */
export function percentile(times: number[], share: number): number | null {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? null;
}
