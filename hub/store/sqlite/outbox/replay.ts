/** Sending again, and giving up: what a person decides about finished and waiting deliveries. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { DeliveryFilter, OutboxStore } from "../../../core/store.ts";
import { call, inStoreWords } from "../calls.ts";
import type { Engine } from "../engine.ts";
import { valuesOf, whereOf, type Condition } from "../pager.ts";
import { conditionsOf } from "./filter.ts";
import type { LaneHeads } from "./lane-heads.ts";

interface Found {
  n: number;
  lane: number;
}

/** Others get their turn between such steps. */
const STEP = 1000;

export function createReplay(engine: Engine, heads: LaneHeads): Pick<OutboxStore, "replay" | "dismiss"> {
  const { db } = engine;
  const again = db.prepare(
    `UPDATE delivery SET state = 0, aside = 0, attempts = 0, next_at = ?, last_status = NULL, last_error = NULL,
       failure = NULL, done_at = NULL, replay = 1, replayed_at = ? WHERE n = ?`,
  );
  const giveUp = db.prepare("UPDATE delivery SET state = 5, aside = 0, done_at = ? WHERE n = ?");

  const conditions = (filter: DeliveryFilter | { n: number }): Condition[] =>
    "n" in filter ? [{ sql: "d.n = ?", values: [filter.n] }] : conditionsOf(engine, filter);

  const find = (where: Condition[], limit: number): Found[] =>
    engine
      .query<(string | number | null)[], Found>(
        `SELECT d.n, d.lane FROM delivery d CROSS JOIN event e ON e.seq = d.event_seq${whereOf(where)} ORDER BY d.n LIMIT ?`,
      )
      .all(...valuesOf(where), limit);

  /** Changes each and brings their lanes up to date, in one transaction. */
  const change = (found: Found[], one: (n: number) => void): number =>
    engine.transaction(() => {
      for (const { n } of found) one(n);
      for (const lane of new Set(found.map((delivery) => delivery.lane))) heads.recount(lane);
      return found.length;
    });

  const hasEndpoint = { sql: "d.endpoint IN (SELECT n FROM endpoint WHERE removed_at IS NULL)", values: [] };

  return {
    replay: call((filter, now, limit) => {
      const at = now.getTime();
      const where = [...conditions(filter), { sql: "d.state >= 2", values: [] }, hasEndpoint];
      // What this job made due before, and what was delivered since, is not found again.
      if (!("n" in filter)) where.push({ sql: "coalesce(d.replayed_at, -1) < ?", values: [at] });
      return change(find(where, limit), (n) => void again.run(at, at, n));
    }),
    dismiss: async (filter, now) => {
      const where = [...conditions(filter), { sql: "d.state IN (0, 1, 4)", values: [] }];
      let dismissed = 0;
      for (;;) {
        const found = inStoreWords(() => {
          const batch = find(where, STEP);
          change(batch, (n) => void giveUp.run(now.getTime(), n));
          return batch.length;
        });
        dismissed += found;
        if (found < STEP) return dismissed;
        await nextTurn();
      }
    },
  };
}
