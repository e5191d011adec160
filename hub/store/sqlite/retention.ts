/** What is old goes: events with their finished deliveries, and the log of attempts. Nothing that is still owed or parked. */
import type { EventStore, OutboxStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";

export function createRetention(
  engine: Engine,
): Pick<EventStore, "forget"> & Pick<OutboxStore, "forgetAttempts"> {
  const { db } = engine;
  const oldestEvent = db.prepare<[], { seq: number | null }>("SELECT MIN(seq) AS seq FROM event");
  const oldestOwed = db.prepare<[], { seq: number | null }>(
    `SELECT MIN(seq) AS seq FROM (
       SELECT (SELECT d.event_seq FROM delivery d WHERE d.lane = l.id AND d.state < 2 AND d.aside = 0 ORDER BY d.event_seq LIMIT 1) AS seq
       FROM lane l WHERE l.pending > 0
       UNION ALL SELECT event_seq FROM delivery WHERE state < 2 AND aside = 1
       UNION ALL SELECT MIN(event_seq) FROM delivery WHERE state = 4)`,
  );
  // Of the next few only: the log is in the order of time, so a look at all of it would find no more.
  const firstYoung = db.prepare<[number, number, number], { seq: number | null }>(
    "SELECT MIN(seq) AS seq FROM event WHERE seq >= ? AND seq < ? AND created_at >= ?",
  );
  const removeAttempts = db.prepare(
    `DELETE FROM attempt WHERE delivery IN (SELECT n FROM delivery WHERE event_seq >= ? AND event_seq < ?)`,
  );
  const removeDeliveries = db.prepare("DELETE FROM delivery WHERE event_seq >= ? AND event_seq < ?");
  const removeEvents = db.prepare("DELETE FROM event WHERE seq >= ? AND seq < ?");
  const oldestAttempt = db.prepare<[], { id: number | null }>("SELECT MIN(id) AS id FROM attempt");
  const removeOldAttempts = db.prepare("DELETE FROM attempt WHERE id >= ? AND id < ? AND at < ?");

  return {
    forget: call((before, limit) =>
      engine.transaction(() => {
        const from = oldestEvent.get()?.seq;
        if (from === undefined || from === null) return 0;
        const bounds = [
          from + limit,
          oldestOwed.get()?.seq ?? Infinity,
          firstYoung.get(from, from + limit, before.getTime())?.seq ?? Infinity,
        ];
        const to = Math.min(...bounds);
        if (to <= from) return 0;
        removeAttempts.run(from, to);
        removeDeliveries.run(from, to);
        return removeEvents.run(from, to).changes;
      }),
    ),
    forgetAttempts: call((before, limit) => {
      const from = oldestAttempt.get()?.id;
      if (from === undefined || from === null) return 0;
      return removeOldAttempts.run(from, from + limit, before.getTime()).changes;
    }),
  };
}
