/**
 * Whether WhatsApp lets an account write first to people: told by WhatsApp, or learnt from a message that it refused. Known
 * beyond the end of the process, and told to CRMs when it begins, changes and ends.
 */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import { sessionRestricted } from "../core/restriction-event.ts";
import type { EventStore, MarkStore, SessionStore } from "../core/store.ts";
import type { AccountRestriction } from "../core/whatsapp.ts";
import type { Schedule } from "./send-limits.ts";

/** How long strangers wait where WhatsApp does not say until when: a guess of ours, and shown as that. */
const USUAL_MS = 24 * 3_600_000;
/** An end that moves by less is the same end. */
const SAME_MS = 60_000;
/** Timers count no more than 24 days; looking again costs nothing. */
const LONGEST_TIMER_MS = 3_600_000;

export interface Restriction {
  since: Date;
  /** Strangers wait until then. */
  until: Date;
  /** False: WhatsApp does not say how long; `until` is when it is tried again. */
  isUntilKnown: boolean;
  /** WhatsApp's word for the kind, where it gave one. */
  type: string | null;
}

export interface Restrictions {
  of(sessionId: string): Promise<Restriction | null>;
  /** As far as it is in memory: after a refusal of this process it is. */
  known(sessionId: string): Restriction | null;
  /** WhatsApp refused a message for this reason. */
  refused(sessionId: string): void;
  /** WhatsApp said how the account stands. */
  told(sessionId: string, restriction: AccountRestriction): void;
  /** Another account, or none, goes on under this name: a restriction ends, here and for CRMs. */
  forget(sessionId: string): void;
  stop(): Promise<void>;
  idle(): Promise<void>;
}

export interface RestrictionsParts {
  events: Pick<EventStore, "append">;
  marks: Pick<MarkStore, "get" | "set" | "named">;
  sessions: Pick<SessionStore, "get">;
  /** What waits for it looks again. */
  onChange: (sessionId: string) => void;
  clock: Clock;
  nudge: Nudge;
  log: Log;
  schedule: Schedule;
}

/** Unix milliseconds; 0 for none. */
interface State {
  since: number;
  refusedUntil: number;
  lockedUntil: number;
  /** As `lockedUntil`, where that is our guess. */
  guessedUntil: number;
  type: string | null;
  toldUntil: number;
  /** The mark on disk that says since when and of what kind. */
  kindMark: string | null;
  cancel: () => void;
}

const NONE = { since: 0, refusedUntil: 0, lockedUntil: 0, guessedUntil: 0, type: null };
/** What is marked so is over; the store throws it away with all that is old. */
const OVER = new Date(0);

/** A refusal never says how long. */
const isUntilKnown = ({ refusedUntil, lockedUntil, guessedUntil }: State): boolean =>
  lockedUntil >= refusedUntil && lockedUntil !== guessedUntil;
const untilOf = ({ refusedUntil, lockedUntil }: State): number => Math.max(refusedUntil, lockedUntil);

export function createRestrictions(parts: RestrictionsParts): Restrictions {
  const { events, marks, sessions, onChange, clock, nudge, log, schedule } = parts;
  const states = new Map<string, State>();
  const loading = new Map<string, Promise<void>>();
  let work: Promise<void> = Promise.resolve();
  let isStopped = false;

  const now = (): number => clock.now().getTime();
  const refusedMark = (sessionId: string): string => `cold_refused:${sessionId}`;
  const lockedMark = (sessionId: string): string => `cold_locked:${sessionId}`;
  const guessedMark = (sessionId: string): string => `cold_guessed:${sessionId}`;
  /** Followed by WhatsApp's word, if it gave one; made when the restriction began. */
  const kindMark = (sessionId: string): string => `cold_kind:${sessionId}:`;

  function stateOf(sessionId: string): State {
    const known = states.get(sessionId);
    if (known !== undefined) return known;
    const state = { ...NONE, toldUntil: 0, kindMark: null, cancel: () => undefined };
    states.set(sessionId, state);
    return state;
  }

  const marked = async (name: string): Promise<number> => (await marks.get(name))?.getTime() ?? 0;

  /** Since when and of what kind. A kill may have left an older mark beside the one that counts. */
  async function markedKind(sessionId: string) {
    const prefix = kindMark(sessionId);
    const found = (await marks.named(prefix)).filter(({ at }) => at > OVER);
    const newest = found.sort((one, other) => other.at.getTime() - one.at.getTime())[0];
    if (newest === undefined) return null;
    const { name, at } = newest;
    return { mark: name, restriction: { since: at.getTime(), type: name.slice(prefix.length) || null } };
  }

  /** What a process before this one knew. */
  function load(sessionId: string): Promise<void> {
    const begun = loading.get(sessionId);
    if (begun !== undefined) return begun;
    const read = (async () => {
      const refused = await marked(refusedMark(sessionId));
      const locked = await marked(lockedMark(sessionId));
      const guessed = await marked(guessedMark(sessionId));
      const kind = await markedKind(sessionId);
      const state = stateOf(sessionId);
      state.kindMark = kind?.mark ?? null;
      state.toldUntil = Math.max(refused, locked);
      if (state.toldUntil === 0) return;
      // It goes on, whatever this process heard since it began.
      if (state.toldUntil > now()) Object.assign(state, kind?.restriction ?? { since: now() });
      state.refusedUntil = Math.max(state.refusedUntil, refused);
      if (locked > state.lockedUntil) Object.assign(state, { lockedUntil: locked, guessedUntil: guessed });
      settle(sessionId);
    })();
    loading.set(sessionId, read);
    read.catch(() => loading.delete(sessionId)); // whoever asked hears of it; the next one reads again
    return read;
  }

  const current = (state: State): Restriction | null =>
    untilOf(state) > now()
      ? {
          since: new Date(state.since),
          until: new Date(untilOf(state)),
          isUntilKnown: isUntilKnown(state),
          type: state.type,
        }
      : null;

  /** Writes down what is true now, tells what is news, and lets look again whoever waits. */
  function settle(sessionId: string): void {
    onChange(sessionId);
    work = work
      .then(async () => {
        if (!isStopped) await write(sessionId, stateOf(sessionId));
      })
      .catch((err: unknown) => log.error({ sessionId, err }, "restriction.not_written"));
  }

  async function write(sessionId: string, state: State): Promise<void> {
    await load(sessionId);
    const restriction = current(state);
    // Our guess ran out, and WhatsApp has said nothing: it may go on.
    const isTried = restriction === null && untilOf(state) > 0 && !isUntilKnown(state);
    if (restriction === null) Object.assign(state, NONE);
    await writeKind(sessionId, state, restriction);
    await marks.set(refusedMark(sessionId), new Date(state.refusedUntil));
    await marks.set(lockedMark(sessionId), new Date(state.lockedUntil));
    await marks.set(guessedMark(sessionId), new Date(state.guessedUntil));
    await tell(sessionId, state, restriction, isTried);
    state.cancel();
    if (restriction === null) return;
    const waitMs = Math.min(restriction.until.getTime() - now(), LONGEST_TIMER_MS);
    state.cancel = schedule(Math.max(0, waitMs) + 1, () => settle(sessionId));
  }

  async function writeKind(sessionId: string, state: State, restriction: Restriction | null): Promise<void> {
    const mark = restriction && `${kindMark(sessionId)}${restriction.type ?? ""}`;
    if (mark !== null && restriction !== null) await marks.set(mark, restriction.since);
    if (state.kindMark !== null && state.kindMark !== mark) await marks.set(state.kindMark, OVER);
    state.kindMark = mark;
  }

  async function tell(
    sessionId: string,
    state: State,
    restriction: Restriction | null,
    isTried: boolean,
  ): Promise<void> {
    const until = restriction?.until.getTime() ?? 0;
    const isSame = until === 0 ? state.toldUntil === 0 : Math.abs(until - state.toldUntil) < SAME_MS;
    if (isSame) return;
    const session = await sessions.get(sessionId);
    state.toldUntil = until;
    if (session === null) return;
    log.warn({ sessionId, until: restriction?.until ?? null, type: state.type }, "session.restricted");
    await events.append(
      sessionId,
      [sessionRestricted(session, restriction, clock.now(), isTried)],
      clock.now(),
    );
    nudge.ring();
  }

  function apply(sessionId: string, { isActive, until, type }: AccountRestriction): void {
    const state = stateOf(sessionId);
    if (!isActive && state.lockedUntil === 0) return;
    if (isActive) {
      if (current(state) === null) state.since = now();
      // WhatsApp knows better than we how long a refusal means.
      state.refusedUntil = 0;
      const end = until?.getTime() ?? 0;
      if (end > now()) Object.assign(state, { lockedUntil: end, guessedUntil: 0 });
      else if (state.lockedUntil <= now())
        Object.assign(state, { lockedUntil: now() + USUAL_MS, guessedUntil: now() + USUAL_MS });
      state.type = type;
    } else state.lockedUntil = 0;
    settle(sessionId);
  }

  return {
    of: async (sessionId) => {
      await load(sessionId);
      return current(stateOf(sessionId));
    },
    known: (sessionId) => current(stateOf(sessionId)),
    refused: (sessionId) => {
      const state = stateOf(sessionId);
      if (current(state) === null)
        Object.assign(state, { since: now(), refusedUntil: now() + USUAL_MS, type: null });
      settle(sessionId);
    },
    told: (sessionId, said) => {
      load(sessionId)
        .then(() => apply(sessionId, said))
        .catch((err: unknown) => log.error({ sessionId, err }, "restriction.not_read"));
    },
    forget: (sessionId) => {
      load(sessionId)
        .then(() => {
          Object.assign(stateOf(sessionId), NONE);
          settle(sessionId);
        })
        .catch((err: unknown) => log.error({ sessionId, err }, "restriction.not_read"));
    },
    stop: async () => {
      isStopped = true;
      for (const { cancel } of states.values()) cancel();
      await work;
    },
    idle: () => work,
  };
}
