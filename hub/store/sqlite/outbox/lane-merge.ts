/** Two lanes that turn out to be one chat: what waits in the first goes into the second, in the order of events. */
import type { Engine } from "../engine.ts";
import { createLaneHeads } from "./lane-heads.ts";

interface LaneRow {
  id: number;
  endpoint: number;
}

export function createLaneMerge(engine: Engine): (from: string, into: string) => void {
  const { db, leases } = engine;
  const heads = createLaneHeads(engine);
  const lanes = db.prepare<[string], LaneRow>(
    // Endpoints are few, lanes many: in this order.
    "SELECT l.id, l.endpoint FROM endpoint e CROSS JOIN lane l ON l.endpoint = e.n WHERE l.key = ?",
  );
  const lane = db.prepare<[number, string], LaneRow>(
    "SELECT id, endpoint FROM lane WHERE endpoint = ? AND key = ?",
  );
  const rename = db.prepare("UPDATE lane SET key = ? WHERE id = ?");
  const moveWaiting = db.prepare("UPDATE delivery SET lane = ? WHERE lane = ? AND state < 2 AND aside = 0");
  return (from, into) => {
    for (const source of lanes.all(from)) {
      const target = lane.get(source.endpoint, into);
      if (target === undefined) {
        rename.run(into, source.id);
        continue;
      }
      // What is finished stays, and keeps a lane for the day it is sent again.
      moveWaiting.run(target.id, source.id);
      heads.recount(source.id);
      heads.recount(target.id);
      // A head on its way keeps its right of way: nothing of the joined lane starts before it is back.
      leases.merge(source.id, target.id);
    }
  };
}
