/**
 * A clock that was set back while nobody was looking: what was planned by it would wait that much longer. While the hub runs its
 * schedule goes on by itself; this is for its next start.
 */
import type { Db } from "../connection.ts";

/** Smaller steps are ordinary corrections. */
const TOLERATED_MS = 5_000;
/** No delivery is planned further ahead; what is, was planned by a clock that was far ahead. */
const LONGEST_WAIT_MS = 3 * 86_400_000;

/** Where is remembered by which times the last setting back was followed: opened again, the file says the same once more. */
const FOLLOWED = "set_back_followed";

interface Meta {
  read(key: string): string;
  write(key: string, value: string): void;
}

/** Returns how far back the clock is, by what was last written; 0 when it is not, or that is known. */
export function followClock(db: Db, meta: Meta, now: number): number {
  const newest = db
    .prepare<[], { at: number | null }>(
      `SELECT MAX(at) AS at FROM (SELECT at FROM (SELECT at FROM attempt ORDER BY id DESC LIMIT 1)
         UNION ALL SELECT at FROM (SELECT created_at AS at FROM event ORDER BY seq DESC LIMIT 1))`,
    )
    .get();
  const last = newest?.at ?? 0;
  const isNew = last - now > TOLERATED_MS && meta.read(FOLLOWED) !== String(last);
  if (isNew) {
    bringForward(db, now, last - now);
    meta.write(FOLLOWED, String(last));
  }
  const farAhead = db
    .prepare<[number], { n: number }>(
      "SELECT EXISTS(SELECT 1 FROM endpoint e CROSS JOIN lane l ON l.endpoint = e.n AND l.pending > 0 AND l.next_at > ?) AS n",
    )
    .get(now + LONGEST_WAIT_MS);
  if (farAhead?.n === 1) makeDue(db, now, now + LONGEST_WAIT_MS);
  return isNew ? last - now : 0;
}

function bringForward(db: Db, now: number, backMs: number): void {
  const planned = { now, backMs };
  db.prepare("UPDATE lane SET next_at = MAX(next_at - :backMs, 0) WHERE pending > 0 AND next_at > :now").run(
    planned,
  );
  db.prepare(
    "UPDATE delivery SET next_at = MAX(next_at - :backMs, 0) WHERE state < 2 AND next_at > :now",
  ).run(planned);
  db.prepare(
    `UPDATE endpoint SET breaker = json_set(breaker, '$.until', json_extract(breaker, '$.until') - :backMs)
     WHERE json_extract(breaker, '$.until') > :now`,
  ).run(planned);
}

function makeDue(db: Db, now: number, limit: number): void {
  db.prepare("UPDATE lane SET next_at = ? WHERE pending > 0 AND next_at > ?").run(now, limit);
  db.prepare("UPDATE delivery SET next_at = ? WHERE state < 2 AND next_at > ?").run(now, limit);
  db.prepare(
    "UPDATE endpoint SET breaker = json_set(breaker, '$.until', ?) WHERE json_extract(breaker, '$.until') > ?",
  ).run(now, limit);
}
