/** Accounts: their rows, the events of their changes, and what happened to them. */
import type { Session } from "../../core/session.ts";
import type { SessionStore, TimelineEntry } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import type { EventLog } from "./event-log.ts";
import { createPager, when } from "./pager.ts";
import { SESSION_COLUMNS, sessionValues } from "./session-rows.ts";

interface TimelineRow {
  n: number;
  at: number;
  state: string;
  text: string;
  reason: string | null;
}

export function createSessionStore(engine: Engine, log: EventLog): SessionStore {
  const { db } = engine;
  const columns = SESSION_COLUMNS.join(", ");
  const insert = db.prepare<unknown[], { id: number }>(
    `INSERT INTO session(${columns}) VALUES(${SESSION_COLUMNS.map(() => "?").join(", ")}) RETURNING id`,
  );
  const update = db.prepare(
    `UPDATE session SET ${SESSION_COLUMNS.map((column) => `${column} = ?`).join(", ")} WHERE id = ?`,
  );
  const note = db.prepare("INSERT INTO timeline(session, at, state, text, reason) VALUES(?, ?, ?, ?, ?)");
  const countTimeline = db.prepare<[number], { total: number }>(
    "SELECT COUNT(*) AS total FROM timeline WHERE session = ?",
  );
  const pages = createPager(engine);

  const write = (session: Session): void => {
    update.run(...sessionValues(session), session.id);
    engine.forget("sessions");
  };
  const noteState = ({ id, state, reason }: Session): void => {
    note.run(id, engine.clock.now().getTime(), state, reason?.text ?? state, reason?.code ?? null);
  };

  return {
    list: call(({ includeDeleted = false } = {}) =>
      engine
        .sessions()
        .filter(({ deletedAt }) => includeDeleted || deletedAt === null)
        .map(copyOf),
    ),
    get: call((sessionId) => {
      const session = engine.sessionIfAny(sessionId);
      return session === undefined || session.deletedAt !== null ? null : copyOf(session);
    }),
    create: call((wanted, events = []) =>
      engine.transaction(() => {
        const former = engine.sessionIfAny(wanted.sessionId);
        if (former !== undefined && former.deletedAt === null) return null;
        const id = former?.id ?? insert.get(...sessionValues(wanted))?.id;
        if (id === undefined) throw new Error("the session was not inserted");
        const session = { ...wanted, id };
        write(session);
        noteState(session);
        log.append(session, events, engine.clock.now());
        return copyOf(session);
      }),
    ),
    save: call((session, events, { noted = false } = {}) => {
      engine.transaction(() => {
        const before = engine.session(session.sessionId);
        write(session);
        if (noted || before.state !== session.state) noteState(session);
        log.append(session, events, engine.clock.now());
      });
    }),
    holdersOf: call((phoneNumber, except) =>
      engine
        .sessions()
        .filter(
          (session) =>
            session.phoneNumber === phoneNumber &&
            session.sessionId !== except &&
            session.deletedAt === null &&
            session.state !== "logged_out",
        )
        .map(copyOf),
    ),
    timeline: call((sessionId, page) => {
      const { id } = engine.session(sessionId);
      return pages.read<TimelineRow, TimelineEntry>({
        list: "timeline",
        bound: { sessionId },
        request: page,
        columns: "n, at, state, text, reason",
        from: "timeline",
        scope: when("session = ?", id),
        filters: [],
        keys: ["n"],
        direction: "desc",
        keyOf: ({ n }) => [n],
        knownTotal: () => countTimeline.get(id)?.total ?? 0,
        toItem: ({ at, state, text, reason }) => ({ at: new Date(at), type: state, text, reason }),
      });
    }),
    note: call((sessionId, { type, text, reason }) => {
      note.run(engine.session(sessionId).id, engine.clock.now().getTime(), type, text, reason);
    }),
  };
}

/** Callers change what they were given; the engine's own copy must not follow. */
const copyOf = (session: Session): Session => structuredClone(session);
