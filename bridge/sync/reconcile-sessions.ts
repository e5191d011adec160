/**
 * The hub's sessions against the connection registry, both ways; what was corrected reaches the CRM's record as well. The
 * registry is corrected last: what fails or is killed before is found again as the same difference.
 */
import type { CrmAdapter } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import { failureFacts, HubUnavailable, refusalKind } from "../errors.ts";
import { goneSession } from "../gone-session.ts";
import type { HubClient } from "../hub-client.ts";
import { sessionLane, type Lanes } from "../lanes.ts";
import type { Log } from "../log.ts";
import type { Session } from "../records.ts";
import type { BridgeState, Connection, Correction } from "../state/bridge-state.ts";

/** The part of the connection registry that a comparison uses; it keeps, counts and logs its corrections itself. */
export interface SessionRegistry {
  differing(session: Session, position: number): Pick<Correction, "field" | "to">[];
  seen(session: Session, position: number): Promise<Correction[]>;
  gone(sessionId: string): Promise<Correction[]>;
  get(sessionId: string): Connection | null;
  list(): Connection[];
}

export interface SessionReconcileParts {
  hub: Pick<HubClient, "sessions" | "events">;
  state: Pick<BridgeState, "read">;
  adapter: Pick<CrmAdapter, "upsertSession">;
  connections: SessionRegistry;
  /** Reads the hub's events to their end. */
  readFeed: () => Promise<unknown>;
  /** The session turns out to be connected, and nobody had told. */
  cameOn: (session: Session) => Promise<unknown>;
  /** The hub has the session no more: what is remembered of its records goes with it. Both may be told twice. */
  wentAway: (sessionId: string) => Promise<void>;
  /** The session at hand is the last one then. */
  isStopped: () => boolean;
  lanes: Lanes;
  clock: Clock;
  log: Log;
}

export function createSessionReconcile(parts: SessionReconcileParts): () => Promise<Correction[]> {
  const { hub, state, adapter, connections, readFeed, cameOn, wentAway, isStopped, lanes, clock, log } =
    parts;
  /** Sessions as the CRM has them by this process. The others are written once, whether they were corrected or not. */
  const written = new Map<string, Session>();

  /** The list is read after it: its sessions are at least as new. */
  const position = async (): Promise<number> =>
    (await hub.events({ after: state.read().mark, limit: 1 })).latestSeq;

  const positionNow = (): Promise<number> =>
    position().catch(async (cause: unknown) => {
      if (!(cause instanceof HubUnavailable) || cause.code !== "EVENTS_EXPIRED") throw cause;
      // Reading the feed finds a new place to go on from.
      await readFeed();
      return position();
    });

  async function write(session: Session, at: number): Promise<void> {
    const { outcome, error } = await adapter.upsertSession(session, at);
    written.set(session.sessionId, session);
    if (outcome === "rejected")
      log.warn({ sessionId: session.sessionId, problem: refusalKind(error) }, "reconcile.session_refused");
  }

  const compare = (session: Session, at: number): Promise<Correction[]> =>
    lanes.run(sessionLane(session.sessionId), async () => {
      const found = connections.differing(session, at);
      if (found.length > 0 || !written.has(session.sessionId)) await write(session, at);
      if (found.some(isNowOn)) await cameOn(session);
      return connections.seen(session, at);
    });

  const end = (sessionId: string, at: number): Promise<Correction[]> =>
    lanes.run(sessionLane(sessionId), async () => {
      // It was made after the list was read.
      if ((connections.get(sessionId)?.seq ?? 0) > at) return [];
      await write(lastOf(sessionId), at);
      await wentAway(sessionId);
      const corrections = await connections.gone(sessionId);
      written.delete(sessionId);
      return corrections;
    });

  /** Another process may have written it, before a restart. */
  const lastOf = (sessionId: string): Session => {
    const last = written.get(sessionId);
    if (last !== undefined) return ended(last);
    const row = connections.get(sessionId);
    if (row === null) throw new Error("the registry lost a session while it was ended");
    return goneSession(row, clock.now().toISOString());
  };

  return async () => {
    const at = await positionNow();
    // Those of before the list: one that is made while it is on its way is not gone.
    const known = connections.list().map(({ sessionId }) => sessionId);
    const sessions = await hub.sessions();
    const there = new Set(sessions.map(({ sessionId }) => sessionId));
    const corrections: Correction[] = [];
    const each = async (sessionId: string, work: () => Promise<Correction[]>): Promise<void> => {
      if (isStopped()) return;
      try {
        corrections.push(...(await work()));
      } catch (cause) {
        log.error({ sessionId, ...failureFacts(cause) }, "reconcile.session_failed");
      }
    };
    for (const session of sessions) await each(session.sessionId, () => compare(session, at));
    for (const sessionId of known)
      if (connections.get(sessionId)?.sessionExists === true && !there.has(sessionId))
        await each(sessionId, () => end(sessionId, at));
    if (isStopped()) return corrections;
    log.info({ sessions: sessions.length, corrections: corrections.length }, "reconcile.sessions_compared");
    return corrections;
  };
}

const isNowOn = ({ field, to }: Pick<Correction, "field" | "to">): boolean =>
  (field === "status" || field === "session") && to === "connected";

const ended = (session: Session): Session => ({
  ...session,
  status: "disconnected",
  state: "stopped",
  isConnected: false,
  hasQR: false,
});
