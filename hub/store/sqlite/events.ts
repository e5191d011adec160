/** The log of everything that happened, as the feed reads it. */
import type { EventName } from "../../contract/events.ts";
import type { EventStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { theHub, type EventLog } from "./event-log.ts";
import type { FeedFloor } from "./feed-floor.ts";
import { toJson } from "./json.ts";

interface EventRow {
  seq: number;
  body: string;
}

interface Walk {
  after: number;
  limit: number;
  types?: EventName[] | undefined;
}

export function createEventStore(
  engine: Engine,
  log: EventLog,
  floor: FeedFloor,
): Omit<EventStore, "forget"> {
  const { db } = engine;
  const byId = db.prepare<[string], EventRow & { session: number; type: EventName }>(
    "SELECT seq, session, type, body FROM event WHERE id = ?",
  );
  const bySeqs = db.prepare<[string], EventRow>(
    "SELECT seq, body FROM event WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq",
  );
  const oldest = db.prepare<[number], { seq: number | null }>(
    "SELECT MIN(seq) AS seq FROM event WHERE seq >= ?",
  );
  const latest = db.prepare<[], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'event'");

  const ofTypes = (types: string[] | undefined): string =>
    types === undefined ? "" : ` AND type IN (${types.map(() => "?").join(", ")})`;
  /** Of one session, or of all. */
  const walk = <Row>(columns: string, session: number | null, { after, types, limit }: Walk): Row[] =>
    engine
      .query<(number | string)[], Row>(
        `SELECT ${columns} FROM event WHERE ${session === null ? "" : "session = ? AND "}seq > ?${ofTypes(types)} ORDER BY seq LIMIT ?`,
      )
      .all(...(session === null ? [] : [session]), after, ...(types ?? []), limit);

  return {
    append: call((sessionId, events, now) =>
      engine.transaction(() => {
        const about = engine.sessionNumber(sessionId) === 0 ? theHub : engine.session(sessionId);
        return log.append(about, events, now);
      }),
    ),
    after: call(({ sessions, ...asked }) => {
      // What stands below the floor is there for its deliveries, and for no reader of the feed.
      const query = { ...asked, after: Math.max(asked.after, floor.read() - 1) };
      if (sessions === "*") return walk<EventRow>("seq, body", null, query);
      const ids = [...new Set(sessions)].flatMap((name) => engine.sessionIfAny(name)?.id ?? []);
      const [only, ...more] = ids;
      if (only !== undefined && more.length === 0) return walk<EventRow>("seq, body", only, query);
      // Each session's own index, merged: a quiet session among busy ones costs no scan.
      const seqs = ids
        .flatMap((id) => walk<{ seq: number }>("seq", id, query).map(({ seq }) => seq))
        .sort((a, b) => a - b)
        .slice(0, query.limit);
      return bySeqs.all(toJson(seqs));
    }),
    byId: call((eventId) => {
      const row = byId.get(eventId);
      return row === undefined
        ? null
        : { seq: row.seq, event: row.type, sessionId: engine.sessionName(row.session), body: row.body };
    }),
    range: call(() => {
      const latestSeq = latest.get()?.seq ?? 0;
      return { oldestSeq: oldest.get(floor.read())?.seq ?? latestSeq + 1, latestSeq };
    }),
  };
}
