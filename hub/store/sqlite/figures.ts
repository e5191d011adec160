/** Figures of sessions, and marks in time. */
import type { SessionFigures } from "../../core/session-figures.ts";
import type { FigureStore, MarkStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { date, fromJson, toJson } from "./json.ts";

/** Comes after all others in the order of names. */
const LAST_SIGN = "\u{10FFFF}";

export function createFigureStore({ db, ...engine }: Pick<Engine, "db" | "session">): FigureStore {
  const read = db.prepare<[number], { v: string }>("SELECT v FROM session_figures WHERE session = ?");
  const write = db.prepare(
    "INSERT INTO session_figures(session, v) VALUES(?, ?) ON CONFLICT(session) DO UPDATE SET v = excluded.v",
  );
  return {
    get: call((sessionId) => {
      const row = read.get(engine.session(sessionId).id);
      return row === undefined ? null : fromJson<SessionFigures>(row.v);
    }),
    save: call((sessionId, figures) => {
      write.run(engine.session(sessionId).id, toJson(figures));
    }),
  };
}

export function createMarkStore({ db }: Pick<Engine, "db">): MarkStore {
  const read = db.prepare<[string], { at: number }>("SELECT at FROM mark WHERE name = ?");
  const write = db.prepare(
    "INSERT INTO mark(name, at) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET at = excluded.at",
  );
  const range = db.prepare<[string, string], { name: string; at: number }>(
    "SELECT name, at FROM mark WHERE name >= ? AND name < ?",
  );
  const forget = db.prepare("DELETE FROM mark WHERE at < ?");
  return {
    get: call((name) => date(read.get(name)?.at ?? null)),
    set: call((name, at) => {
      write.run(name, at.getTime());
    }),
    named: call((prefix) =>
      range.all(prefix, `${prefix}${LAST_SIGN}`).map(({ name, at }) => ({ name, at: new Date(at) })),
    ),
    forget: call((before) => forget.run(before.getTime()).changes),
  };
}
