/** Sending again, and giving up: what a person decides about finished and waiting deliveries. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { DeliveryFilter, OutboxStore } from "../../../core/store.ts";
import { call, inStoreWords } from "../calls.ts";
import type { Engine } from "../engine.ts";
import { valuesOf, when, whereOf, type Condition } from "../pager.ts";
import { literal, walkOf, type Walk } from "./filter.ts";
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

  const walk = (filter: DeliveryFilter | { n: number }): Walk => {
    if (!("n" in filter)) return walkOf(engine, filter);
    const { from, keys } = walkOf(engine, {});
    return { from, keys, conditions: when("d.n = ?", filter.n) };
  };

  const find = ({ from, keys, conditions }: Walk, extra: Condition[], limit: number): Found[] => {
    const all = [...conditions, ...extra];
    const sql = `SELECT d.n, d.lane FROM ${from}${whereOf(all)} ORDER BY ${keys.join(", ")} LIMIT ?`;
    return engine.query<(string | number | null)[], Found>(sql).all(...valuesOf(all), limit);
  };

  /** Changes each and brings their lanes up to date, in one transaction. */
  const change = (found: Found[], one: (n: number) => void): number =>
    engine.transaction(() => {
      for (const { n } of found) one(n);
      for (const lane of new Set(found.map((delivery) => delivery.lane))) heads.recount(lane);
      return found.length;
    });

  return {
    replay: call((filter, now, limit) => {
      const at = now.getTime();
      const extra = [
        literal("d.state >= 2"),
        literal("d.endpoint IN (SELECT n FROM endpoint WHERE removed_at IS NULL)"),
        // What this job made due before, and what was delivered since, is not found again.
        ...("n" in filter ? [] : when("coalesce(d.replayed_at, -1) < ?", at)),
      ];
      return change(find(walk(filter), extra, limit), (n) => void again.run(at, at, n));
    }),
    dismiss: async (filter, now) => {
      let dismissed = 0;
      for (;;) {
        const found = inStoreWords(() => {
          const batch = find(walk(filter), [literal("d.state IN (0, 1, 4)")], STEP);
          return change(batch, (n) => void giveUp.run(now.getTime(), n));
        });
        dismissed += found;
        if (found < STEP) return dismissed;
        await nextTurn();
      }
    },
  };
}
