/** Figures of the outbox, from counters: asked often, also while a million wait. */
import type { DeliveryState } from "../../../core/delivery.ts";
import type { OutboxStore } from "../../../core/store.ts";
import { call } from "../calls.ts";
import type { Engine } from "../engine.ts";
import { endpointNumber } from "./filter.ts";
import { deliveryNumber } from "./states.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Percentiles speak of the newest attempts. */
const SAMPLE = 500;

export function createOutboxStats(engine: Engine): OutboxStore["stats"] {
  const { db } = engine;
  const tally = db.prepare<[], { endpoint: number; state: number; n: number }>(
    "SELECT * FROM delivery_tally",
  );
  const oldest = db.prepare<[], { endpoint: number; at: number }>(
    `SELECT heads.endpoint, MIN(e.created_at) AS at FROM (
       SELECT l.endpoint, (SELECT d.event_seq FROM delivery d WHERE d.lane = l.id AND d.state < 2 AND d.aside = 0
         ORDER BY d.event_seq LIMIT 1) AS seq FROM lane l WHERE l.pending > 0
     ) AS heads JOIN event e ON e.seq = heads.seq GROUP BY heads.endpoint`,
  );
  const delivered = db.prepare<[number], { endpoint: number; n: number }>(
    "SELECT endpoint, SUM(n) AS n FROM delivered_minute WHERE minute > ? GROUP BY endpoint",
  );
  const newest = db.prepare<[number, number], { endpoint: number; ms: number }>(
    `SELECT endpoint, ms FROM (SELECT endpoint, ms, at, status FROM attempt ORDER BY id DESC LIMIT ?)
     WHERE at >= ? AND status BETWEEN 200 AND 299`,
  );

  return call((endpoints, now) => {
    const only =
      endpoints === null ? null : new Set([endpoints].flat().map((id) => endpointNumber(engine, id)));
    const isMeant = ({ endpoint }: { endpoint: number }): boolean => only === null || only.has(endpoint);
    const counts = tally.all().filter(isMeant);
    const of = (state: DeliveryState): number =>
      counts.reduce((total, row) => (row.state === deliveryNumber(state) ? total + row.n : total), 0);
    const ages = oldest
      .all()
      .filter(isMeant)
      .map(({ at }) => at);
    const times = newest
      .all(SAMPLE, now.getTime() - HOUR_MS)
      .filter(isMeant)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    return {
      pending: of("pending"),
      retrying: of("retrying"),
      dead: of("dead"),
      oldestPendingSeconds:
        ages.length === 0 ? null : Math.max(0, Math.floor((now.getTime() - Math.min(...ages)) / 1000)),
      deliveredLastHour: delivered
        .all(Math.floor((now.getTime() - HOUR_MS) / MINUTE_MS))
        .filter(isMeant)
        .reduce((total, { n }) => total + n, 0),
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
    };
  });
}

const percentile = (sorted: number[], part: number): number | null =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null;
