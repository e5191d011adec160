/** Whole logins: what is known of them, and how they are put in, taken out of use, brought back and destroyed. */
import { HubError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { Session } from "../../core/session.ts";
import type { AuthStore, LoginRows, LoginStanding } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { SESSION_COLUMNS, sessionValues } from "./session-rows.ts";

interface LoginRow {
  fp: string | null;
  gen: number;
  key_version: number;
  stale: number;
}

interface QuarantineRow {
  id: string;
  reason: string;
  at: number;
  creds: Buffer | null;
  fp: string | null;
  undo_until: number | null;
}

const STANDINGS: LoginStanding[] = ["current", "stale", "superseded"];
export const STALE = STANDINGS.indexOf("stale");
export const SUPERSEDED = STANDINGS.indexOf("superseded");

/** A login is a few megabytes at most: it is read and written in one go. */
export function createLogins(engine: Engine): Omit<AuthStore, "creds" | "keys" | "commit"> {
  const { db } = engine;
  const login = db.prepare<[number], LoginRow>("SELECT * FROM login WHERE session = ?");
  const creds = db.prepare<[number], { v: Buffer }>("SELECT v FROM auth_creds WHERE session = ?");
  const keys = db.prepare<[number], { type: string; id: string; value: Buffer }>(
    "SELECT type, id, v AS value FROM auth_key WHERE session = ? ORDER BY type, id",
  );
  const anyKey = db.prepare<[number], { one: number }>(
    "SELECT 1 AS one FROM auth_key WHERE session = ? LIMIT 1",
  );
  const putCreds = db.prepare("INSERT INTO auth_creds(session, v) VALUES(?, ?)");
  const putKey = db.prepare("INSERT INTO auth_key(session, type, id, v) VALUES(?, ?, ?, ?)");
  const deleteCreds = db.prepare("DELETE FROM auth_creds WHERE session = ?");
  const deleteKeys = db.prepare("DELETE FROM auth_key WHERE session = ?");
  const holder = db.prepare<[string], { session: number }>("SELECT session FROM login WHERE fp = ?");
  /** The login is another one now, or none. */
  const turn = db.prepare(
    `INSERT INTO login(session, fp, gen, key_version) VALUES(?, ?, 1, 1)
     ON CONFLICT(session) DO UPDATE SET fp = excluded.fp, gen = gen + 1, key_version = key_version + 1, stale = 0`,
  );
  const setStale = db.prepare(
    "UPDATE login SET stale = 1, key_version = key_version + 1 WHERE session = ? AND fp IS NOT NULL",
  );
  const epoch = db.prepare<[], { value: string }>("SELECT value FROM meta WHERE key = 'epoch'");
  const insertSession = db.prepare<unknown[], { id: number }>(
    `INSERT INTO session(${SESSION_COLUMNS.join(", ")}) VALUES(${SESSION_COLUMNS.map(() => "?").join(", ")}) RETURNING id`,
  );
  const updateSession = db.prepare(
    `UPDATE session SET ${SESSION_COLUMNS.map((column) => `${column} = ?`).join(", ")} WHERE id = ?`,
  );
  const putAway = db.prepare(
    "INSERT INTO quarantine(id, session, reason, at, creds, fp, undo_until) VALUES(?, ?, ?, ?, ?, ?, ?)",
  );
  const putAwayKeys = db.prepare(
    "INSERT INTO quarantine_key(quarantine, type, id, v) SELECT ?, type, id, v FROM auth_key WHERE session = ?",
  );
  const listAway = db.prepare<[number], QuarantineRow>(
    "SELECT id, reason, at, creds, fp, undo_until FROM quarantine WHERE session = ? ORDER BY at DESC, id DESC",
  );
  const bringBackKeys = db.prepare(
    "INSERT INTO auth_key(session, type, id, v) SELECT ?, type, id, v FROM quarantine_key WHERE quarantine = ?",
  );
  const old = db.prepare<[number], { id: string }>("SELECT id FROM quarantine WHERE at < ?");
  const destroyKeys = db.prepare("DELETE FROM quarantine_key WHERE quarantine = ?");
  const destroy = db.prepare("DELETE FROM quarantine WHERE id = ?");

  function assertRoom(session: number, fingerprint: string | null): void {
    if (creds.get(session) !== undefined || anyKey.get(session) !== undefined)
      throw new HubError("STATE_CONFLICT", "This session has a login already.");
    const other = fingerprint === null ? undefined : holder.get(fingerprint);
    if (other !== undefined && other.session !== session)
      throw new HubError(
        "STATE_CONFLICT",
        `This very login is in use in session "${engine.sessionName(other.session)}"; two at once throw each other out.`,
      );
  }

  function assertNumberIsFree({ sessionId, phoneNumber }: Omit<Session, "id">): void {
    const other = engine
      .sessions()
      .find(
        (each) =>
          each.phoneNumber === phoneNumber &&
          each.sessionId !== sessionId &&
          each.deletedAt === null &&
          each.state !== "logged_out",
      );
    if (other !== undefined)
      throw new HubError("STATE_CONFLICT", `The number is linked in session "${other.sessionId}" already.`);
  }

  /** The row of this session: a new one, or the one there is, with what is known now. */
  function sessionOf(session: Omit<Session, "id">): number {
    const former = engine.sessionIfAny(session.sessionId);
    if (former === undefined) return insertSession.get(...sessionValues(session))?.id ?? 0;
    const { phoneNumber, lid, pushName, state, reason } = session;
    const next = { ...former, phoneNumber, lid, pushName, state, reason, deletedAt: null };
    updateSession.run(...sessionValues(next), former.id);
    return former.id;
  }

  function install(session: number, { creds: bytes, keys: all }: LoginRows, fingerprint: string): void {
    assertRoom(session, fingerprint);
    if (bytes !== null) putCreds.run(session, bytes);
    for (const { type, id, value } of all) putKey.run(session, type, id, value);
    turn.run(session, fingerprint);
  }

  function quarantine(
    session: number,
    { reason, now, undoUntil }: { reason: string; now: Date; undoUntil: Date | null },
  ): string | null {
    const id = newId("qr", now);
    const kept = creds.get(session)?.v ?? null;
    const fingerprint = login.get(session)?.fp ?? null;
    const { changes } = putAwayKeys.run(id, session);
    const isThere = kept !== null || changes > 0;
    if (isThere)
      putAway.run(id, session, reason, now.getTime(), kept, fingerprint, undoUntil?.getTime() ?? null);
    deleteKeys.run(session);
    deleteCreds.run(session);
    if (isThere || fingerprint !== null) turn.run(session, null);
    return isThere ? id : null;
  }

  return {
    login: call((sessionId) => {
      const { id: session } = engine.session(sessionId);
      const row = login.get(session);
      return {
        fingerprint: row?.fp ?? null,
        epoch: Number(epoch.get()?.value ?? 0),
        generation: row?.gen ?? 0,
        keyVersion: row?.key_version ?? 0,
        standing: STANDINGS[row?.stale ?? 0] ?? "superseded",
        isThere: creds.get(session) !== undefined,
      };
    }),
    loginRows: call((sessionId) => {
      const { id: session } = engine.session(sessionId);
      const rows = { creds: creds.get(session)?.v ?? null, keys: keys.all(session) };
      return rows.creds === null && rows.keys.length === 0 ? null : rows;
    }),
    install: call((session, rows, { instead, isStale = false } = {}) => {
      engine.transaction(() => {
        assertNumberIsFree(session);
        const id = sessionOf(session);
        if (instead !== undefined) quarantine(id, instead);
        install(id, rows, rows.fingerprint);
        if (isStale) setStale.run(id);
      });
      engine.forget("sessions");
    }),
    markStale: call((sessionId) => {
      setStale.run(engine.session(sessionId).id);
    }),
    quarantine: call((sessionId, reason, now, undoUntil) => {
      const { id: session } = engine.session(sessionId);
      return engine.transaction(() => quarantine(session, { reason, now, undoUntil: undoUntil ?? null }));
    }),
    quarantined: call((sessionId) =>
      listAway.all(engine.session(sessionId).id).map(({ id, reason, at, undo_until }) => ({
        id,
        reason,
        at: new Date(at),
        undoUntil: undo_until === null ? null : new Date(undo_until),
      })),
    ),
    release: call((sessionId, quarantineId, instead) => {
      const { id: session } = engine.session(sessionId);
      engine.transaction(() => {
        const row = listAway.all(session).find(({ id }) => id === quarantineId);
        if (row === undefined)
          throw new HubError("NOT_FOUND", "There is no such quarantine of this session.");
        quarantine(session, instead);
        assertRoom(session, row.fp);
        if (row.creds !== null) putCreds.run(session, row.creds);
        bringBackKeys.run(session, quarantineId);
        turn.run(session, row.fp);
        destroyKeys.run(quarantineId);
        destroy.run(quarantineId);
      });
    }),
    forgetQuarantined: call((before) =>
      engine.transaction(() =>
        old.all(before.getTime()).map(({ id }) => {
          destroyKeys.run(id);
          destroy.run(id);
          return id;
        }),
      ),
    ),
  };
}
