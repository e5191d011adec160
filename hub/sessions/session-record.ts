/** What is true of one session, in memory and in its row: a change becomes true when its one write committed. */
import type { Clock } from "../core/clock.ts";
import type { Jid } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import { eventsOfMove } from "../core/session-events.ts";
import { isOpen, nextSessionState, type SessionChange } from "../core/session-state.ts";
import type { Session, SessionReason } from "../core/session.ts";
import type { NewEvent, SessionStore } from "../core/store.ts";
import { createChanges } from "./changes.ts";
import type { Schedule } from "./schedule.ts";

/** Everything but who it is and its state, which only a `SessionChange` moves. */
export type Details = Partial<Omit<Session, "id" | "sessionId" | "state">>;

export interface SessionRecord {
  session(): Session;
  /** What CRMs were told last. Not the state: a loss within its grace period was not told. */
  toldConnected(): boolean;
  /**
   * Moves the state and writes it with the event it owes and `extra`. `quiet` holds the news of a loss back; `noted` gives
   * the reason a line in the timeline, also where the state stays; `by` is told of a connection that somebody ordered.
   */
  move(
    change: SessionChange,
    details?: Details,
    options?: { quiet?: boolean; extra?: NewEvent[]; noted?: boolean; by?: string | undefined },
  ): Promise<void>;
  /** Writes details, which move no state, with the events they owe. */
  save(details: Details, events?: NewEvent[]): Promise<void>;
  /** Writes events alone. */
  tell(events: NewEvent[]): Promise<void>;
  /** Changes memory alone: the store is what failed. */
  moveUnsaved(change: SessionChange, details: Details): void;
  touch(): void;
  /** Something beside the row changed: those who wait look again. */
  announce(): void;
  /** Resolves with true as soon as `isSo` holds, with false after `ms`. */
  until(isSo: () => boolean, ms: number): Promise<boolean>;
}

export function createSessionRecord(
  initial: Session,
  {
    store,
    clock,
    schedule,
    nudge,
    log,
    onMoved,
  }: {
    store: Pick<SessionStore, "save">;
    clock: Clock;
    schedule: Schedule;
    nudge: Nudge;
    log: Log;
    onMoved: (previous: Session, next: Session) => void;
  },
): SessionRecord {
  let session = initial;
  let toldConnected = isOpen(initial.state);
  const changes = createChanges(schedule);

  async function write(next: Session, events: NewEvent[], noted = false): Promise<void> {
    await store.save(next, events, { noted });
    become(next);
    for (const { event } of events) {
      if (event === "session.connected") toldConnected = true;
      if (event === "session.disconnected") toldConnected = false;
    }
    if (events.length > 0) nudge.ring();
  }

  function become(next: Session): void {
    const previous = session;
    session = next;
    if (previous.state !== next.state) {
      const { sessionId, state, reason } = next;
      log.info({ sessionId, from: previous.state, state, code: reason?.code ?? null }, "session.changed");
    }
    onMoved(previous, next);
    changes.announce();
  }

  return {
    session: () => session,
    toldConnected: () => toldConnected,
    move: async (change, details = {}, { quiet = false, extra = [], noted = false, by } = {}) => {
      const next: Session = { ...session, ...details, state: nextSessionState(session.state, change) };
      const owed = eventsOfMove({ previous: session, next, toldConnected, quiet, by, now: clock.now() });
      const events = [...owed, ...extra];
      const isSame = next.state === session.state && Object.keys(details).length === 0;
      if (isSame && events.length === 0) changes.announce();
      else await write(next, events, noted);
    },
    save: (details, events = []) => write({ ...session, ...details }, events),
    tell: (events) => write(session, events),
    moveUnsaved: (change, details) =>
      become({ ...session, ...details, state: nextSessionState(session.state, change) }),
    touch: () => {
      session = { ...session, lastActivity: clock.now() };
    },
    announce: () => changes.announce(),
    until: (isSo, ms) => changes.until(isSo, ms),
  };
}

/** A reason with its time, as the row keeps it. */
export const reasonAt = (cause: Omit<SessionReason, "at">, at: Date): SessionReason => ({
  code: cause.code,
  text: cause.text,
  blame: cause.blame,
  advice: cause.advice,
  ...(cause.by === undefined ? {} : { by: cause.by }),
  at,
});

/** What is true of an account whose connection just opened. */
export const detailsOfOpened = (
  { phoneNumber, lid, pushName }: { phoneNumber: string; lid: Jid | null; pushName: string | null },
  known: Session,
  reason: SessionReason | null,
  now: Date,
): Details => ({
  phoneNumber,
  lid: lid ?? known.lid,
  pushName: pushName ?? known.pushName,
  connectedAt: now,
  lastActivity: now,
  lostAt: null,
  reason,
});
