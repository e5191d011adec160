/** Keeps a lane's two numbers true after its deliveries changed: how many wait in line, and when the head is due. */
import type { Engine } from "../engine.ts";

export interface LaneHeads {
  /** `joined` is how many more wait in line than before. */
  refresh(laneId: number, joined: number): void;
  /** Counts anew; for changes of many deliveries at once. */
  recount(laneId: number): void;
}

export function createLaneHeads({ db }: Engine): LaneHeads {
  const head =
    "(SELECT d.next_at FROM delivery d WHERE d.lane = lane.id AND d.state < 2 AND d.aside = 0 ORDER BY d.event_seq LIMIT 1)";
  const refresh = db.prepare(
    `UPDATE lane SET pending = pending + ?, next_at = coalesce(${head}, next_at) WHERE id = ?`,
  );
  const recount = db.prepare(
    `UPDATE lane SET pending = (SELECT COUNT(*) FROM delivery d WHERE d.lane = lane.id AND d.state < 2 AND d.aside = 0),
       next_at = coalesce(${head}, next_at) WHERE id = ?`,
  );
  return {
    refresh: (laneId, joined) => {
      refresh.run(joined, laneId);
    },
    recount: (laneId) => {
      recount.run(laneId);
    },
  };
}
