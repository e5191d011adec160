/** What all ports of the SQLite engine share: the connection, its transactions, and the few rows kept in memory. */
import type { Statement } from "better-sqlite3";
import { HUB_SESSION } from "../../contract/events.ts";
import type { Clock } from "../../core/clock.ts";
import { HubError } from "../../core/errors.ts";
import { viewOf, type View } from "../../core/present.ts";
import type { Session } from "../../core/session.ts";
import type { Db } from "./connection.ts";
import { endpointReader, type StoredEndpoint } from "./endpoint-rows.ts";
import { createAsides, type Asides } from "./outbox/asides.ts";
import { createLeases, type Leases } from "./outbox/leases.ts";
import { sessionReader } from "./session-rows.ts";

export interface Engine {
  db: Db;
  clock: Clock;
  /** Number of this opening of the file: tells what an earlier process left behind. */
  life: number;
  leases: Leases;
  asides: Asides;
  /** Runs `work` in a transaction, or inside the one that is open. */
  transaction<T>(work: () => T): T;
  /** A statement of a query that is put together at run time; made once for each text. */
  query<P extends unknown[], R>(sql: string): Statement<P, R>;
  /** The session of this name, deleted or not; throws `SESSION_NOT_FOUND`. */
  session(sessionId: string): Session;
  sessionById(id: number): Session | undefined;
  /** Integer of a session, 0 for the hub itself. */
  sessionNumber(sessionId: string): number;
  sessionName(id: number): string;
  sessionIfAny(sessionId: string): Session | undefined;
  sessions(): Session[];
  viewOf(session: Session): View;
  publicUrl: string;
  /** Not removed, in order of creation. */
  endpoints(): StoredEndpoint[];
  endpoint(id: string): StoredEndpoint | undefined;
  /** Forgets what is kept of sessions or endpoints; after a write to them and after a rollback. */
  forget(what: "sessions" | "endpoints"): void;
  /** The next number of the event log. Part of a transaction: given back when it fails. */
  nextSeq(): number;
  /** What `nextSeq` would give, without taking it. */
  upcomingSeq(): number;
  /** The numbers were moved: the next one is read from the file. */
  forgetSeq(): void;
}

export interface EngineOptions {
  db: Db;
  clock: Clock;
  publicUrl: string;
  life: number;
}

export function createEngine({ db, clock, publicUrl, life }: EngineOptions): Engine {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const lastSeq = db.prepare<[], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'event'");
  const readSessions = sessionReader(db);
  const readEndpoints = endpointReader(db);
  const statements = new Map<string, Statement>();

  let seq: number | null = null;
  let sessionCache: { byName: Map<string, Session>; byId: Map<number, Session> } | null = null;
  let endpointCache: { all: StoredEndpoint[]; byId: Map<string, StoredEndpoint> } | null = null;

  const sessions = () => {
    if (sessionCache === null) {
      const all = readSessions();
      sessionCache = {
        byName: new Map(all.map((session) => [session.sessionId, session])),
        byId: new Map(all.map((session) => [session.id, session])),
      };
    }
    return sessionCache;
  };
  const endpoints = () => {
    if (endpointCache === null) {
      const all = readEndpoints();
      endpointCache = { all, byId: new Map(all.map((stored) => [stored.endpoint.id, stored])) };
    }
    return endpointCache;
  };

  // Asked again after statements that change it, which the compiler cannot know of a property.
  const isInTransaction = (): boolean => db.inTransaction;

  const engine: Engine = {
    db,
    clock,
    life,
    leases: createLeases(),
    asides: createAsides(),
    transaction: (work) => {
      if (isInTransaction()) return work();
      begin.run();
      try {
        const result = work();
        commit.run();
        return result;
      } catch (cause) {
        // A full disk may have ended the transaction already.
        if (isInTransaction()) rollback.run();
        seq = null;
        sessionCache = null;
        endpointCache = null;
        throw cause;
      }
    },
    query: <P extends unknown[], R>(sql: string): Statement<P, R> => {
      const made = statements.get(sql) ?? db.prepare(sql);
      statements.set(sql, made);
      // The caller names the row type of its own SQL, as with `prepare`.
      return made as unknown as Statement<P, R>;
    },
    session: (sessionId) => {
      const session = sessions().byName.get(sessionId);
      if (session === undefined)
        throw new HubError("SESSION_NOT_FOUND", `There is no session "${sessionId}".`);
      return session;
    },
    sessionIfAny: (sessionId) => sessions().byName.get(sessionId),
    sessionById: (id) => sessions().byId.get(id),
    sessionNumber: (sessionId) => (sessionId === HUB_SESSION ? 0 : engine.session(sessionId).id),
    sessionName: (id) => (id === 0 ? HUB_SESSION : (sessions().byId.get(id)?.sessionId ?? String(id))),
    sessions: () => [...sessions().byId.values()],
    viewOf: (session) => viewOf(session, publicUrl),
    publicUrl,
    endpoints: () => endpoints().all,
    endpoint: (id) => endpoints().byId.get(id),
    forget: (what) => {
      if (what === "sessions") sessionCache = null;
      else endpointCache = null;
    },
    nextSeq: () => {
      seq = engine.upcomingSeq();
      return seq;
    },
    upcomingSeq: () => (seq ?? lastSeq.get()?.seq ?? 0) + 1,
    forgetSeq: () => {
      seq = null;
    },
  };
  return engine;
}
