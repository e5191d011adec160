/** Two lanes that turn out to be one chat: what waits in the first goes into the second, in the order of events. */
import type { Engine } from "../engine.ts";

interface LaneRow {
  id: number;
  endpoint: number;
}

export function createLaneMerge({ db, leases }: Engine): (from: string, into: string) => void {
  const lanes = db.prepare<[string], LaneRow>(
    "SELECT l.id, l.endpoint FROM endpoint e JOIN lane l ON l.endpoint = e.n WHERE l.key = ?",
  );
  const lane = db.prepare<[number, string], LaneRow>(
    "SELECT id, endpoint FROM lane WHERE endpoint = ? AND key = ?",
  );
  const rename = db.prepare("UPDATE lane SET key = ? WHERE id = ?");
  const moveDeliveries = db.prepare("UPDATE delivery SET lane = ? WHERE lane = ?");
  const join = db.prepare(
    `UPDATE lane SET pending = pending + (SELECT pending FROM lane WHERE id = @from),
       next_at = coalesce((SELECT next_at FROM delivery WHERE lane = @into AND state < 2 AND aside = 0
         ORDER BY event_seq LIMIT 1), next_at)
     WHERE id = @into`,
  );
  const remove = db.prepare("DELETE FROM lane WHERE id = ?");

  return (from, into) => {
    for (const source of lanes.all(from)) {
      const target = lane.get(source.endpoint, into);
      if (target === undefined) {
        rename.run(into, source.id);
        continue;
      }
      moveDeliveries.run(target.id, source.id);
      join.run({ from: source.id, into: target.id });
      remove.run(source.id);
      // A head on its way keeps its right of way: nothing of the joined lane starts before it is back.
      leases.merge(source.id, target.id);
    }
  };
}
