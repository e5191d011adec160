/** Writes down what attempts came to: log, states and lanes of a batch in one transaction. */
import type { Attempt } from "../../../core/delivery.ts";
import type { NewEvent, OutboxStore, Settlement } from "../../../core/store.ts";
import { call } from "../calls.ts";
import type { Engine } from "../engine.ts";
import { theHub, type EventLog } from "../event-log.ts";
import { bit, ms } from "../json.ts";
import type { LaneHeads } from "./lane-heads.ts";
import { deliveryNumber, isOwed } from "./states.ts";

interface DeliveryLane {
  lane: number;
  endpoint: number;
  state: number;
  aside: number;
}

const MINUTE_MS = 60_000;
const MINUTES_KEPT = 60;
const RESPONSE_HEAD = 2048;

interface Parts {
  heads: LaneHeads;
  log: EventLog;
}

export function createSettle(engine: Engine, { heads, log }: Parts): OutboxStore["settle"] {
  const { db, leases, asides } = engine;
  const find = db.prepare<[number], DeliveryLane>(
    "SELECT lane, endpoint, state, aside FROM delivery WHERE n = ?",
  );
  const logAttempt = db.prepare(
    "INSERT INTO attempt(delivery, endpoint, n, at, ms, status, error, response_head) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const update = db.prepare(
    `UPDATE delivery SET state = ?, aside = ?, attempts = ?, next_at = ?, last_status = ?, last_error = ?, failure = ?,
       done_at = ? WHERE n = ?`,
  );
  const countDelivered = db.prepare(
    `INSERT INTO delivered_minute(minute, endpoint, n) VALUES(?, ?, ?)
     ON CONFLICT(minute, endpoint) DO UPDATE SET n = n + excluded.n`,
  );
  const forgetMinutes = db.prepare("DELETE FROM delivered_minute WHERE minute < ?");

  const sessionOf = db.prepare<[number], { session: number }>(
    "SELECT e.session FROM delivery d JOIN event e ON e.seq = d.event_seq WHERE d.n = ?",
  );

  const note = (n: number, endpoint: number, { responseHead, ...attempt }: Attempt): void => {
    logAttempt.run(
      n,
      endpoint,
      attempt.n,
      attempt.at.getTime(),
      Math.round(attempt.ms),
      attempt.status,
      attempt.error,
      responseHead?.slice(0, RESPONSE_HEAD) ?? null,
    );
  };

  /** Written with what it tells of: a crash keeps both or neither. */
  const tell = (n: number, news: NewEvent): void => {
    const id = sessionOf.get(n)?.session ?? theHub.id;
    log.append(engine.sessionById(id) ?? theHub, [news], engine.clock.now());
  };

  const settleOne = ({ n, patch, attempt, aside = false, news }: Settlement, now: Date): number | null => {
    const row = find.get(n);
    if (row === undefined) return null;
    if (attempt !== null) note(n, row.endpoint, attempt);
    // Dismissed while it was on its way: a person's word stays.
    if (row.state >= deliveryNumber("delivered")) return null;
    const owed = isOwed(patch.state);
    const staysAside = owed && (aside || row.aside === 1);
    if (staysAside) asides.add(row.endpoint);
    update.run(
      deliveryNumber(patch.state),
      bit(staysAside),
      patch.attempts,
      ms(patch.nextAttemptAt) ?? now.getTime(),
      patch.lastStatus,
      patch.lastError,
      patch.failure,
      ms(patch.doneAt),
      n,
    );
    const wasInLine = row.aside === 0;
    const isInLine = owed && !staysAside;
    heads.refresh(row.lane, bit(isInLine) - bit(wasInLine));
    if (news !== undefined) tell(n, news);
    return patch.state === "delivered" ? row.endpoint : null;
  };

  return call((settlements, now) => {
    engine.transaction(() => {
      const delivered = new Map<number, number>();
      for (const settlement of settlements) {
        const endpoint = settleOne(settlement, now);
        if (endpoint !== null) delivered.set(endpoint, (delivered.get(endpoint) ?? 0) + 1);
      }
      const minute = Math.floor(now.getTime() / MINUTE_MS);
      for (const [endpoint, count] of delivered) countDelivered.run(minute, endpoint, count);
      if (delivered.size > 0) forgetMinutes.run(minute - MINUTES_KEPT);
    });
    // Only now: while a result is not on disk its lane must not start again. The caller tries again, or releases.
    for (const { laneId } of settlements) leases.end(laneId);
  });
}
