/** Who is still to be looked up: the wish of a session, its contacts in the order in which people care for them, and what was asked. */
import type { Jid } from "../../core/jid.ts";
import type { LookUpPage, LookUpPlace, LookUpStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import type { Addresses } from "./inbox/addresses.ts";

interface Row {
  jid: Jid | null;
  looked_up_at: number;
  asked_at: number;
}
interface ChatRow extends Row {
  last_at: number;
  chat: number;
}
interface NameRow extends Row {
  sort_name: string;
  contact: number;
  /** It came with its chat. */
  came: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const NEWEST = { lastAt: Number.MAX_SAFE_INTEGER, chat: 0 };
const FIRST_NAME = { name: "", contact: 0 };

export function createLookUpStore(
  engine: Engine,
  { addresses }: { addresses: Pick<Addresses, "map"> },
): LookUpStore {
  const { db } = engine;
  // Of two numbers the greater; null, which is all, where one of both is.
  const want = db
    .prepare<[number, number | null], number | null>(
      `INSERT INTO look_up(session, most) VALUES(?, ?)
       ON CONFLICT(session) DO UPDATE SET most = max(most, excluded.most) RETURNING most`,
    )
    .pluck();
  const done = db.prepare("DELETE FROM look_up WHERE session = ?");
  const wanted = db.prepare<[], { session: number; most: number | null }>(
    "SELECT session, most FROM look_up",
  );
  const ofChats = db.prepare<[number, number, number, number], ChatRow>(
    `SELECT c.last_at, c.id AS chat, k.jid, k.looked_up_at, k.asked_at
     FROM chat c LEFT JOIN contact k ON k.session = c.session AND k.jid = c.jid
     WHERE c.session = ? AND (c.last_at, c.id) < (?, ?) AND c.last_at > 0
     ORDER BY c.last_at DESC, c.id DESC LIMIT ?`,
  );
  const ofNames = db.prepare<[number, string, number, number], NameRow>(
    `SELECT k.sort_name, k.id AS contact, k.jid, k.looked_up_at, k.asked_at,
       EXISTS(SELECT 1 FROM chat c WHERE c.session = k.session AND c.jid = k.jid AND c.last_at > 0) AS came
     FROM contact k
     WHERE k.session = ? AND (k.sort_name, k.id) > (?, ?)
     ORDER BY k.sort_name, k.id LIMIT ?`,
  );
  const failed = db.prepare("UPDATE contact SET asked_at = ? WHERE session = ? AND jid = ?");
  const asking = db.prepare(
    `INSERT INTO look_up_day(session, day, n) VALUES(?, ?, 1) ON CONFLICT(session)
     DO UPDATE SET n = CASE day WHEN excluded.day THEN n + 1 ELSE 1 END, day = excluded.day`,
  );
  const asked = db
    .prepare<[number, number], number>("SELECT n FROM look_up_day WHERE session = ? AND day = ?")
    .pluck();

  const afterChat = (session: number, { lastAt, chat }: typeof NEWEST, limit: number): LookUpPage => {
    const rows = ofChats.all(session, lastAt, chat, limit);
    const last = rows.at(-1);
    const place = last === undefined || rows.length < limit ? FIRST_NAME : placeOf(last);
    return { contacts: notLookedUp(rows), seen: rows.length, place };
  };
  const afterName = (session: number, { name, contact }: typeof FIRST_NAME, limit: number): LookUpPage => {
    const rows = ofNames.all(session, name, contact, limit);
    const last = rows.at(-1);
    const place =
      last === undefined || rows.length < limit ? null : { name: last.sort_name, contact: last.contact };
    // Filtered here: a statement that looks for those without a chat may pass over all that have one.
    const kept = rows.filter(({ came }) => came === 0);
    return { contacts: notLookedUp(kept), seen: kept.length, place };
  };

  return {
    want: call((sessionId, most) => want.get(engine.session(sessionId).id, most) ?? null),
    done: call((sessionId) => {
      done.run(engine.session(sessionId).id);
    }),
    wanted: call(() =>
      wanted.all().map(({ session, most }) => ({ sessionId: engine.sessionName(session), most })),
    ),
    page: call(({ sessionId, place, limit }) => {
      const { id } = engine.session(sessionId);
      const at = place ?? NEWEST;
      return "name" in at ? afterName(id, at, limit) : afterChat(id, at, limit);
    }),
    failed: call((sessionId, jid, at) => {
      const { id } = engine.session(sessionId);
      failed.run(at.getTime(), id, addresses.map(id, jid));
    }),
    asking: call((sessionId, at) => {
      asking.run(engine.session(sessionId).id, dayOf(at));
    }),
    asked: call((sessionId, day) => asked.get(engine.session(sessionId).id, dayOf(day)) ?? 0),
  };
}

const dayOf = (at: Date): number => Math.floor(at.getTime() / DAY_MS);

const placeOf = ({ last_at: lastAt, chat }: ChatRow): LookUpPlace => ({ lastAt, chat });

/** A chat may have nobody among the contacts. */
const notLookedUp = (rows: Row[]): LookUpPage["contacts"] =>
  rows.flatMap(({ jid, looked_up_at, asked_at }) =>
    jid === null || looked_up_at > 0 ? [] : [{ jid, askedAt: asked_at === 0 ? null : asked_at }],
  );
