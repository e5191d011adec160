/**
 * What is old goes: events with their finished deliveries, and the log of attempts. An event that is still owed or parked stays
 * until it is neither, and keeps nothing else.
 */
import type { EventStore, OutboxStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import type { FeedFloor } from "./feed-floor.ts";

/** Numbers of the column `delivery.state` that are owed to nobody and wait for nobody. */
const FINISHED = "state IN (2, 3, 5)";

export function createRetention(
  engine: Engine,
  floor: FeedFloor,
): Pick<EventStore, "forget"> & Pick<OutboxStore, "forgetAttempts"> {
  const { db } = engine;
  const next = db
    .prepare<[number, number], number>("SELECT seq FROM event WHERE seq > ? ORDER BY seq LIMIT ?")
    .pluck();
  // Of those few only: the log is in the order of time, so a look at all of it would find no more.
  const firstYoung = db
    .prepare<[number, number, number], number>(
      "SELECT seq FROM event WHERE seq >= ? AND seq <= ? AND created_at >= ? ORDER BY seq LIMIT 1",
    )
    .pluck();
  const removeAttempts = db.prepare(
    `DELETE FROM attempt WHERE delivery IN (SELECT n FROM delivery WHERE event_seq >= ? AND event_seq < ? AND ${FINISHED})`,
  );
  const removeDeliveries = db.prepare(
    `DELETE FROM delivery WHERE event_seq >= ? AND event_seq < ? AND ${FINISHED}`,
  );
  const removeEvents = db.prepare(
    `DELETE FROM event WHERE seq >= ? AND seq < ? AND NOT EXISTS(SELECT 1 FROM delivery d WHERE d.event_seq = event.seq)`,
  );
  const oldestAttempt = db.prepare<[], { id: number | null }>("SELECT MIN(id) AS id FROM attempt");
  const removeOldAttempts = db.prepare("DELETE FROM attempt WHERE id >= ? AND id < ? AND at < ?");

  return {
    forget: call(({ before, after, limit }) =>
      engine.transaction(() => {
        const seqs = next.all(after, limit);
        const [from, last] = [seqs[0], seqs.at(-1)];
        if (from === undefined || last === undefined) return { removed: 0, place: null };
        // What lies below the floor was old already.
        const young = firstYoung.get(Math.max(from, floor.read()), last, before.getTime());
        const to = young ?? last + 1;
        removeAttempts.run(from, to);
        removeDeliveries.run(from, to);
        const removed = removeEvents.run(from, to).changes;
        floor.raise(to);
        return { removed, place: young === undefined && seqs.length === limit ? last : null };
      }),
    ),
    forgetAttempts: call((before, limit) => {
      const from = oldestAttempt.get()?.id;
      if (from === undefined || from === null) return 0;
      return removeOldAttempts.run(from, from + limit, before.getTime()).changes;
    }),
  };
}
