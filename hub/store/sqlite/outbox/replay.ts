/** Sending again, and giving up: what a person decides about finished and waiting deliveries. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { DeliveryFilter, OutboxStore, ReplayJob } from "../../../core/store.ts";
import { call, inStoreWords } from "../calls.ts";
import type { Engine } from "../engine.ts";
import { date, fromJson, toJson } from "../json.ts";
import { createPager, valuesOf, when, whereOf, type Condition } from "../pager.ts";
import { literal, walkOf, type Walk } from "./filter.ts";
import type { LaneHeads } from "./lane-heads.ts";

interface Found {
  n: number;
  lane: number;
}

interface JobRow {
  filter: string;
  position: number;
  last: number;
  replayed: number;
}

interface ToldRow {
  id: string;
  filter: string;
  matched: number;
  replayed: number;
  started_at: number;
  finished_at: number | null;
}

type Port = Pick<
  OutboxStore,
  "replay" | "openReplay" | "continueReplay" | "openReplays" | "replays" | "replayJob" | "dismiss"
>;

/** Others get their turn between such steps. */
const STEP = 1000;
/** So many orders that ended are kept. */
const ENDED = 100;

const TOLD = "id, filter, matched, replayed, started_at, finished_at";

const MAY_BE_SENT_AGAIN: Condition[] = [
  literal("d.state >= 2"),
  literal("d.endpoint IN (SELECT n FROM endpoint WHERE removed_at IS NULL)"),
];

export function createReplay(engine: Engine, heads: LaneHeads): Port {
  const { db } = engine;
  const again = db.prepare(
    `UPDATE delivery SET state = 0, aside = 0, attempts = 0, next_at = ?, last_status = NULL, last_error = NULL,
       failure = NULL, done_at = NULL, replay = 1 WHERE n = ?`,
  );
  const giveUp = db.prepare("UPDATE delivery SET state = 5, aside = 0, done_at = ? WHERE n = ?");
  const keep = db.prepare(
    `INSERT INTO replay_job(id, filter, matched, started_at, last)
     VALUES(?, ?, ?, ?, (SELECT coalesce(MAX(n), 0) FROM delivery))
     ON CONFLICT(filter) WHERE finished_at IS NULL DO NOTHING`,
  );
  const forget = db.prepare(
    `DELETE FROM replay_job WHERE finished_at IS NOT NULL AND id NOT IN
       (SELECT id FROM replay_job WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT ${ENDED})`,
  );
  const job = db.prepare<[string], JobRow>(
    "SELECT filter, position, last, replayed FROM replay_job WHERE id = ? AND finished_at IS NULL",
  );
  const advance = db.prepare("UPDATE replay_job SET position = ?, replayed = ? WHERE id = ?");
  const finish = db.prepare("UPDATE replay_job SET replayed = ?, finished_at = ? WHERE id = ?");
  const kept = db
    .prepare<[], string>("SELECT id FROM replay_job WHERE finished_at IS NULL ORDER BY id")
    .pluck();
  const told = db.prepare<[string], ToldRow>(`SELECT ${TOLD} FROM replay_job WHERE id = ?`);
  const pages = createPager(engine);

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
  const sendAgain = (found: Found[], now: Date): number =>
    change(found, (n) => void again.run(now.getTime(), n));

  return {
    replay: call((n, now) => sendAgain(find(walk({ n }), MAY_BE_SENT_AGAIN, 1), now) === 1),
    openReplay: call(({ id, filter, matched, startedAt }) =>
      engine.transaction(() => {
        if (keep.run(id, nameOf(filter), matched, startedAt.getTime()).changes === 0) return false;
        forget.run();
        return true;
      }),
    ),
    continueReplay: call((id, now, limit) => {
      const row = job.get(id);
      if (row === undefined) throw new Error(`no replay ${id}`);
      const { position, last } = row;
      const meant = walk(fromJson(row.filter));
      const left = [...when("d.n > ?", position), ...when("d.n <= ?", last), ...onwardsFrom(meant, position)];
      return engine.transaction(() => {
        const found = find(meant, [...left, ...MAY_BE_SENT_AGAIN], limit);
        const replayed = row.replayed + sendAgain(found, now);
        // Whatever the walk, deliveries were made in its order.
        const isDone = found.length < limit;
        if (isDone) finish.run(replayed, now.getTime(), id);
        else advance.run(found.at(-1)?.n ?? last, replayed, id);
        return { replayed, isDone };
      });
    }),
    openReplays: call(() => kept.all()),
    replays: call(({ endpoints, ...request }) =>
      pages.read<ToldRow, ReplayJob>({
        list: "replays",
        bound: { endpoints },
        request,
        columns: TOLD,
        from: "replay_job",
        scope:
          endpoints === "*"
            ? []
            : when("filter ->> '$.endpointId' IN (SELECT value FROM json_each(?))", toJson(endpoints)),
        filters: [],
        keys: ["id"],
        direction: "desc",
        keyOf: ({ id }) => [id],
        knownTotal: () => null,
        toItem: toJob,
      }),
    ),
    replayJob: call((id) => {
      const row = told.get(id);
      return row === undefined ? null : toJob(row);
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

const toJob = (row: ToldRow): ReplayJob => ({
  id: row.id,
  filter: fromJson<DeliveryFilter>(row.filter),
  matched: row.matched,
  replayed: row.replayed,
  startedAt: new Date(row.started_at),
  finishedAt: date(row.finished_at),
});

/** Lets a walk from event to event begin where it was left. */
const onwardsFrom = ({ keys }: Walk, position: number): Condition[] =>
  keys.length === 1
    ? []
    : when(`${keys[0]} >= coalesce((SELECT event_seq FROM delivery WHERE n = ?), 0)`, position);

/** The same text for the same filter, however it was put together. */
const nameOf = (filter: DeliveryFilter): string =>
  toJson(Object.fromEntries(Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1))));
