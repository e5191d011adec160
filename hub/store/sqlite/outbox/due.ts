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
  next_at: number;
}

interface Head {
  row: DueRow;
  lane: number;
  since: number;
}

export function createDue(
  engine: Engine,
): Pick<OutboxStore, "leaseDue" | "nextDueAt" | "answered" | "release"> {
  const { db, leases } = engine;
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
  const load = `SELECT d.n, e.id, e.type, e.session, e.seq, d.attempts, d.replay, e.body, d.failure, d.next_at
     FROM delivery d JOIN event e ON e.seq = d.event_seq`;
  // Only for lanes that are taken: while many are on their way, most of those that are read are not.
  const head = db.prepare<[number], DueRow>(
    `${load} WHERE d.lane = ? AND d.state < 2 AND d.aside = 0 ORDER BY d.event_seq LIMIT 1`,
  );
  // The head behind one that was answered and is not written down yet.
  const next = db.prepare<[number, number], DueRow>(
    `${load} WHERE d.lane = ? AND d.state < 2 AND d.aside = 0 AND d.event_seq > ? ORDER BY d.event_seq LIMIT 1`,
  );
  const one = db.prepare<[number], DueRow>(`${load} WHERE d.n = ?`);

  /** Lanes of which something may leave, the longest due first. Written to by nobody while it is read. */
  function* free(endpoint: number, until: number): Generator<WaitingRow> {
    for (const row of lanes.iterate(endpoint, until))
      if (!leases.isHeld(row.lane) && row.pending > leases.answers(row.lane).count) yield row;
  }
  const freeAsides = (endpoint: number, until: number, limit: number): WaitingRow[] =>
    asides.all(endpoint, until, limit + leases.count()).filter(({ lane }) => !leases.isHeld(lane));

  const headOf = ({ lane, next_at: since }: WaitingRow, until: number): Head[] => {
    const { count, after } = leases.answers(lane);
    const row = lane < 0 ? one.get(-lane) : count === 0 ? head.get(lane) : next.get(lane, after);
    if (row === undefined) return [];
    // Only the first of a lane is known to be due; the one behind it has a time of its own.
    return count > 0 && row.next_at > until ? [] : [{ row, lane, since }];
  };

  const toDue = (row: DueRow, lane: number, endpointId: string): DueDelivery => ({
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
  });

  return {
    leaseDue: call(({ endpointId, now, limit }) => {
      const stored = engine.endpoint(endpointId);
      if (stored === undefined || limit <= 0) return [];
      const until = now.getTime();
      const heads = freeAsides(stored.n, until, limit).flatMap((row) => headOf(row, until));
      let fromLanes = 0;
      for (const row of free(stored.n, until)) {
        const head = headOf(row, until);
        heads.push(...head);
        fromLanes += head.length;
        if (fromLanes === limit) break;
      }
      const taken = heads.sort((a, b) => a.since - b.since).slice(0, limit);
      for (const { lane } of taken) leases.take(lane);
      return taken.map(({ row, lane }) => toDue(row, lane, endpointId));
    }),
    nextDueAt: call((endpointId) => {
      const stored = engine.endpoint(endpointId);
      if (stored === undefined) return null;
      const aside = freeAsides(stored.n, Number.MAX_SAFE_INTEGER, 1)[0]?.next_at ?? Infinity;
      // A lane with answers that are not on disk shows their time; writing them down makes the worker look again.
      let lane = Infinity;
      for (const row of free(stored.n, Number.MAX_SAFE_INTEGER)) {
        if (leases.answers(row.lane).count > 0) continue;
        lane = row.next_at;
        break;
      }
      const next = Math.min(aside, lane);
      return next === Infinity ? null : new Date(next);
    }),
    answered: ({ laneId, n, seq }) => {
      // One put aside is alone in its lane.
      if (laneId > 0) leases.answered(laneId, n, seq);
    },
    release: (laneIds) => {
      for (const laneId of laneIds) leases.end(laneId);
    },
  };
}
