/** What failed and waits for its next try is due now: a person changed what made it fail, or says that it is over. */
import type { Engine } from "../engine.ts";

export function createHasten({ db, clock }: Engine): (endpoint: number) => void {
  // Heads alone: nothing behind one was ever tried. What waits for another reason keeps its time; so does an event that is refused
  // for its own sake, which has few tries.
  const late = "FROM lane WHERE endpoint = @endpoint AND pending > 0 AND next_at > @now";
  const head = (column: string): string =>
    `(SELECT d.${column} FROM delivery d WHERE d.lane = lane.id AND d.state < 2 AND d.aside = 0
       ORDER BY d.event_seq LIMIT 1)`;
  const statements = [
    `UPDATE delivery SET next_at = @now WHERE failure = 'endpoint' AND n IN (SELECT ${head("n")} ${late})`,
    `UPDATE delivery SET next_at = @now WHERE failure = 'endpoint' AND state < 2 AND aside = 1
       AND endpoint = @endpoint AND next_at > @now`,
    `UPDATE lane SET next_at = coalesce(${head("next_at")}, next_at)
       WHERE id IN (SELECT id ${late})`,
  ].map((sql) => db.prepare<[{ endpoint: number; now: number }]>(sql));

  return (endpoint) => {
    const now = clock.now().getTime();
    for (const statement of statements) statement.run({ endpoint, now });
  };
}
