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

export function createDue(
  engine: Engine,
): Pick<OutboxStore, "leaseDue" | "nextDueAt" | "answered" | "release"> {
  const { db, leases } = engine;
  const lanes = db.prepare<[number, number, number], WaitingRow>(
    `SELECT l.id AS lane, l.next_at, l.pending
     FROM lane l WHERE l.endpoint = ? AND l.pending > 0 AND l.next_at <= ? ORDER BY l.next_at LIMIT ?`,
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

  /** Leased lanes stay in the index while their head is on its way: so many more are read. */
  const free = (endpoint: number, until: number, limit: number): WaitingRow[] => {
    const most = limit + leases.count();
    return [...asides.all(endpoint, until, most), ...lanes.all(endpoint, until, most)]
      .filter(({ lane, pending }) => !leases.isHeld(lane) && pending > leases.answers(lane).count)
      .sort((a, b) => a.next_at - b.next_at);
  };

  const headOf = (lane: number, until: number): DueRow | undefined => {
    if (lane < 0) return one.get(-lane);
    const { count, after } = leases.answers(lane);
    if (count === 0) return head.get(lane);
    const row = next.get(lane, after);
    return row !== undefined && row.next_at <= until ? row : undefined;
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
      const due: DueDelivery[] = [];
      for (const { lane } of free(stored.n, until, limit)) {
        if (due.length === limit) break;
        const row = headOf(lane, until);
        if (row === undefined) continue;
        leases.take(lane);
        due.push(toDue(row, lane, endpointId));
      }
      return due;
    }),
    nextDueAt: call((endpointId) => {
      const stored = engine.endpoint(endpointId);
      if (stored === undefined) return null;
      // A lane with answers that are not on disk shows their time; writing them down makes the worker look again.
      const waiting = free(stored.n, Number.MAX_SAFE_INTEGER, 1 + leases.count()).find(
        ({ lane }) => leases.answers(lane).count === 0,
      );
      return waiting === undefined ? null : new Date(waiting.next_at);
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
