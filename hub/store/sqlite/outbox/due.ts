/** What is due: heads of lanes, and deliveries put aside. Costs the same however much waits. */
import type { EventName } from "../../../contract/events.ts";
import type { DueDelivery, OutboxStore } from "../../../core/store.ts";
import type { FailureClass } from "../../../core/delivery.ts";
import { call } from "../calls.ts";
import type { Engine } from "../engine.ts";

interface WaitingRow {
  lane: number;
  next_at: number;
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

export function createDue(engine: Engine): Pick<OutboxStore, "leaseDue" | "nextDueAt" | "release"> {
  const { db, leases } = engine;
  const lanes = db.prepare<[number, number, number], WaitingRow>(
    `SELECT l.id AS lane, l.next_at
     FROM lane l WHERE l.endpoint = ? AND l.pending > 0 AND l.next_at <= ? ORDER BY l.next_at LIMIT ?`,
  );
  // One put aside is its own lane, under a number no lane has.
  const asides = db.prepare<[number, number, number], WaitingRow>(
    `SELECT -n AS lane, next_at FROM delivery
     WHERE endpoint = ? AND state < 2 AND aside = 1 AND next_at <= ? ORDER BY next_at LIMIT ?`,
  );
  const load = `SELECT d.n, e.id, e.type, e.session, e.seq, d.attempts, d.replay, e.body, d.failure
     FROM delivery d JOIN event e ON e.seq = d.event_seq`;
  // Only for lanes that are taken: while many are on their way, most of those that are read are not.
  const head = db.prepare<[number], DueRow>(
    `${load} WHERE d.lane = ? AND d.state < 2 AND d.aside = 0 ORDER BY d.event_seq LIMIT 1`,
  );
  const one = db.prepare<[number], DueRow>(`${load} WHERE d.n = ?`);

  /** Leased lanes stay in the index while their head is on its way: so many more are read. */
  const free = (endpoint: number, until: number, limit: number): WaitingRow[] => {
    const most = limit + leases.count();
    return [...asides.all(endpoint, until, most), ...lanes.all(endpoint, until, most)]
      .filter(({ lane }) => !leases.has(lane))
      .sort((a, b) => a.next_at - b.next_at)
      .slice(0, limit);
  };

  const toDue = ({ lane }: WaitingRow, endpointId: string): DueDelivery[] => {
    const row = lane < 0 ? one.get(-lane) : head.get(lane);
    if (row === undefined) return [];
    const due: DueDelivery = {
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
    };
    return [due];
  };

  return {
    leaseDue: call(({ endpointId, now, limit }) => {
      const stored = engine.endpoint(endpointId);
      if (stored === undefined || limit <= 0) return [];
      const due = free(stored.n, now.getTime(), limit).flatMap((row) => toDue(row, endpointId));
      for (const { laneId } of due) leases.take(laneId);
      return due;
    }),
    nextDueAt: call((endpointId) => {
      const stored = engine.endpoint(endpointId);
      const next = stored && free(stored.n, Number.MAX_SAFE_INTEGER, 1)[0];
      return next === undefined ? null : new Date(next.next_at);
    }),
    release: (laneIds) => {
      for (const laneId of laneIds) leases.end(laneId);
    },
  };
}
