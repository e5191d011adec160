/** How far a database has got, and what becomes of one that turns out to be a copy of an earlier moment. */
import type { Store, Watermark } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Db } from "./connection.ts";
import type { Engine } from "./engine.ts";
import { STALE, SUPERSEDED } from "./logins.ts";

/** More than a hub can number between its last watermark, or the copy, and its end. Sessions are few, and people read their numbers. */
const JUMPS = { event: 1_000_000, delivery: 1_000_000, chat: 1_000_000, session: 1000 };

interface LoginRow {
  session: number;
  session_id: string;
  fp: string | null;
  gen: number;
  key_version: number;
}

const LAST_SEQ = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
const LOGINS = `SELECT l.session, s.session_id, l.fp, l.gen, l.key_version
  FROM login l JOIN session s ON s.id = l.session ORDER BY l.session`;

export function readWatermark(db: Db): Watermark {
  const meta = db.prepare<[string], { value: string }>("SELECT value FROM meta WHERE key = ?");
  return {
    hubId: meta.get("hub_id")?.value ?? "",
    epoch: Number(meta.get("epoch")?.value ?? 0),
    seq: db.prepare<[], { seq: number }>(LAST_SEQ).get()?.seq ?? 0,
    logins: db
      .prepare<[], LoginRow>(LOGINS)
      .all()
      .map((row) => ({
        sessionId: row.session_id,
        fingerprint: row.fp,
        generation: row.gen,
        keyVersion: row.key_version,
      })),
  };
}

export function createRestored(
  engine: Engine,
  meta: { read(key: string): string; write(key: string, value: string): void },
): Pick<Store, "watermark" | "declareRestored"> {
  const { db } = engine;
  const lastNumber = db.prepare<[string], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = ?");
  const firstNumber = db.prepare("INSERT INTO sqlite_sequence(seq, name) VALUES(?, ?)");
  const setNumber = db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = ?");
  const logins = db.prepare<[], LoginRow>(LOGINS);
  const paired = db.prepare<[], { session: number }>("SELECT session FROM auth_creds");
  const mark = db.prepare(
    `INSERT INTO login(session, stale) VALUES(?, ?) ON CONFLICT(session) DO UPDATE SET stale = excluded.stale`,
  );
  // Sent, done, or ended since: the copy knows nothing of it and would do it a second time.
  const begunBefore = ["letter", "replay_job WHERE finished_at IS NULL", "audit_begun", "sign_in"].map(
    (rows) => db.prepare(`DELETE FROM ${rows}`),
  );
  // What waited, or was out without an answer, may have left and arrived since: only WhatsApp's word says what became of it.
  const leftSince = db.prepare("UPDATE outgoing SET relayed_at = ?, tries_left = 0");

  const jump = (kind: keyof typeof JUMPS, least: number): void => {
    const last = lastNumber.get(kind)?.seq;
    const next = Math.max(last ?? 0, least) + JUMPS[kind];
    if (last === undefined) firstNumber.run(next, kind);
    else setNumber.run(next, kind);
  };

  return {
    watermark: call(() => readWatermark(db)),
    declareRestored: call((since, { areLoginsKnown }) => {
      engine.transaction(() => {
        jump("event", since.seq);
        jump("session", 0);
        jump("chat", 0);
        jump("delivery", 0);
        for (const remove of begunBefore) remove.run();
        leftSince.run(engine.clock.now().getTime());
        meta.write("epoch", String(Math.max(Number(meta.read("epoch")), since.epoch) + 1));
        const known = new Map(logins.all().map((row) => [row.session, row]));
        for (const { session } of paired.all()) {
          const row = known.get(session);
          const standing = row === undefined ? STALE : standingOf(row, since, areLoginsKnown);
          if (standing !== 0) mark.run(session, standing);
        }
      });
      engine.forgetSeq();
    }),
  };
}

function standingOf(row: LoginRow, since: Watermark, areLoginsKnown: boolean): number {
  const last = since.logins.find(({ sessionId }) => sessionId === row.session_id);
  // Another login, or none, took its place since: WhatsApp may have unlinked this one long ago.
  if (last !== undefined && last.fingerprint !== row.fp) return SUPERSEDED;
  // Nobody knows what was sent with these keys since: a ratchet that goes back would be used twice.
  if (!areLoginsKnown || last === undefined) return STALE;
  return row.key_version < last.keyVersion || row.gen < last.generation ? STALE : 0;
}
