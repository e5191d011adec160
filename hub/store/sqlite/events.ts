/** The log of everything that happened, as the feed reads it. */
import type { EventName } from "../../contract/events.ts";
import type { EventStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { theHub, type EventLog } from "./event-log.ts";

interface EventRow {
  seq: number;
  body: string;
}

export function createEventStore(engine: Engine, log: EventLog): EventStore {
  const { db } = engine;
  const byId = db.prepare<[string], EventRow & { session: number; type: EventName }>(
    "SELECT seq, session, type, body FROM event WHERE id = ?",
  );
  const bySeq = db.prepare<[number], EventRow>("SELECT seq, body FROM event WHERE seq = ?");
  const oldest = db.prepare<[], { seq: number | null }>("SELECT MIN(seq) AS seq FROM event");
  const latest = db.prepare<[], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'event'");

  const ofTypes = (types: string[] | undefined): string =>
    types === undefined ? "" : ` AND type IN (${types.map(() => "?").join(", ")})`;
  const ofAll = (after: number, types: string[] | undefined, limit: number): EventRow[] =>
    engine
      .query<(number | string)[], EventRow>(
        `SELECT seq, body FROM event WHERE seq > ?${ofTypes(types)} ORDER BY seq LIMIT ?`,
      )
      .all(after, ...(types ?? []), limit);
  const seqsOf = (session: number, after: number, types: string[] | undefined, limit: number): number[] =>
    engine
      .query<(number | string)[], { seq: number }>(
        `SELECT seq FROM event WHERE session = ? AND seq > ?${ofTypes(types)} ORDER BY seq LIMIT ?`,
      )
      .all(session, after, ...(types ?? []), limit)
      .map(({ seq }) => seq);

  return {
    append: call((sessionId, events, now) =>
      engine.transaction(() => {
        const about = engine.sessionNumber(sessionId) === 0 ? theHub : engine.session(sessionId);
        return log.append(about, events, now);
      }),
    ),
    after: call(({ after, limit, sessions, types }) => {
      if (sessions === "*") return ofAll(after, types, limit);
      // Each session's own index, merged: a quiet session among busy ones costs no scan.
      return [...new Set(sessions)]
        .flatMap((name) => engine.sessionIfAny(name)?.id ?? [])
        .flatMap((id) => seqsOf(id, after, types, limit))
        .sort((a, b) => a - b)
        .slice(0, limit)
        .flatMap((seq) => bySeq.get(seq) ?? []);
    }),
    byId: call((eventId) => {
      const row = byId.get(eventId);
      return row === undefined
        ? null
        : { seq: row.seq, event: row.type, sessionId: engine.sessionName(row.session), body: row.body };
    }),
    range: call(() => {
      const latestSeq = latest.get()?.seq ?? 0;
      return { oldestSeq: oldest.get()?.seq ?? latestSeq + 1, latestSeq };
    }),
  };
}
