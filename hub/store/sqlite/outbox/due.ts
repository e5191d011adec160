/** What is due: heads of lanes, and deliveries put aside. Costs the same however much waits. */
import type { EventName } from "../../../contract/events.ts";
import type { DueDelivery, OutboxStore } from "../../../core/store.ts";
import type { FailureClass } from "../../../core/delivery.ts";
import { call } from "../calls.ts";
import type { Engine } from "../engine.ts";

interface WaitingRow {
  lane: number;
  next_at: number;
  pending: number;
}

interface DueRow {
  n: number;
  id: string;
  type: EventName;
  session: number;
  seq: number;
  attempts: number;
  replay: number;
  body: string;
  failure: FailureClass | null;
}

interface Head {
  row: DueRow;
  lane: number;
  since: number;
  pending: number;
}

export function createDue(
  engine: Engine,
): Pick<OutboxStore, "leaseDue" | "nextDueAt" | "isBlocked" | "release"> {
  const { db, leases, asides: known } = engine;
  // Read row by row and left as soon as there is enough: lanes that are held stay in the index.
  const lanes = db.prepare<[number, number], WaitingRow>(
    `SELECT l.id AS lane, l.next_at, l.pending
     FROM lane l WHERE l.endpoint = ? AND l.pending > 0 AND l.next_at <= ? ORDER BY l.next_at`,
  );
  // One put aside is its own lane, under a number no lane has.
  const asides = db.prepare<[number, number, number], WaitingRow>(
    `SELECT -n AS lane, next_at, 1 AS pending FROM delivery
     WHERE endpoint = ? AND state < 2 AND aside = 1 AND next_at <= ? ORDER BY next_at LIMIT ?`,
  );
  const anyAside = db.prepare<[number], { n: number }>(
    "SELECT n FROM delivery WHERE endpoint = ? AND state < 2 AND aside = 1 LIMIT 1",
  );
  const load = `SELECT d.n, e.id, e.type, e.session, e.seq, d.attempts, d.replay, e.body, d.failure
     FROM delivery d JOIN event e ON e.seq = d.event_seq`;
  // Only for lanes that are taken: while many are on their way, most of those that are read are not.
  const head = db.prepare<[number], DueRow>(
    `${load} WHERE d.lane = ? AND d.state < 2 AND d.aside = 0 ORDER BY d.event_seq LIMIT 1`,
  );
  const one = db.prepare<[number], DueRow>(`${load} WHERE d.n = ?`);

  /** Lanes of which something may leave, the longest due first. Written to by nobody while it is read. */
  function* free(endpoint: number, until: number): Generator<WaitingRow> {
    for (const row of lanes.iterate(endpoint, until)) if (!leases.has(row.lane)) yield row;
  }
  const freeAsides = (endpoint: number, until: number, limit: number): WaitingRow[] => {
    if (known.isNone(endpoint)) return [];
    if (anyAside.get(endpoint) === undefined) known.sawNone(endpoint);
    return asides.all(endpoint, until, limit + leases.count()).filter(({ lane }) => !leases.has(lane));
  };

  const headOf = ({ lane, next_at: since, pending }: WaitingRow): Head[] => {
    const row = lane < 0 ? one.get(-lane) : head.get(lane);
    return row === undefined ? [] : [{ row, lane, since, pending }];
  };

  const toDue = ({ row, lane, pending }: Head, endpointId: string): DueDelivery => ({
    n: row.n,
    laneId: lane,
    endpointId,
    eventId: row.id,
    event: row.type,
    sessionId: engine.sessionName(row.session),
    seq: row.seq,
    attempts: row.attempts,
    replay: row.replay === 1,
    body: row.body,
    failure: row.failure,
    hasFollowers: pending > 1,
  });

  return {
    leaseDue: call(({ endpointId, now, limit }) => {
      const stored = engine.endpoint(endpointId);
      if (stored === undefined || limit <= 0) return [];
      const until = now.getTime();
      const heads = freeAsides(stored.n, until, limit).flatMap((row) => headOf(row));
      let fromLanes = 0;
      for (const row of free(stored.n, until)) {
        const head = headOf(row);
        heads.push(...head);
        fromLanes += head.length;
        if (fromLanes === limit) break;
      }
      const taken = heads.sort((a, b) => a.since - b.since).slice(0, limit);
      for (const { lane, row } of taken) leases.take(lane, row.n);
      return taken.map((one) => toDue(one, endpointId));
    }),
    nextDueAt: call((endpointId) => {
      const stored = engine.endpoint(endpointId);
      if (stored === undefined) return null;
      const aside = freeAsides(stored.n, Number.MAX_SAFE_INTEGER, 1)[0]?.next_at ?? Infinity;
      const [lane] = free(stored.n, Number.MAX_SAFE_INTEGER);
      const next = Math.min(aside, lane?.next_at ?? Infinity);
      return next === Infinity ? null : new Date(next);
    }),
    isBlocked: call((endpointId, now) => {
      const stored = engine.endpoint(endpointId);
      if (stored === undefined) return false;
      for (const { lane, pending } of lanes.iterate(stored.n, now.getTime()))
        if (pending > 1 && leases.has(lane)) return true;
      return false;
    }),
    release: (laneIds) => {
      for (const laneId of laneIds) leases.end(laneId);
    },
  };
}
