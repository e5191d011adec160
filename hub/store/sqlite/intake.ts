/** What WhatsApp handed us, kept until it is recorded, and what redelivered ciphertexts are answered from. */
import type { IntakeEntry, IntakeStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { date } from "./json.ts";

interface OpenRow {
  n: number;
  digest: Buffer;
  stanza_id: string;
  chat: string;
  participant: string;
  seen_at: number;
  stanza: Buffer;
}

export interface IntakeRows {
  port: IntakeStore;
  /** Inside the caller's transaction; a digest that is known already keeps its row. */
  insert(session: number, entry: IntakeEntry): void;
  /**
   * Inside the caller's transaction. `repeated` when every one of them was closed before: what they hold was recorded
   * then, and must not be told again.
   */
  close(session: number, digests: Uint8Array[], now: Date): { repeated: boolean };
}

export function createIntake(engine: Engine): IntakeRows {
  const { db, life } = engine;
  const insert = db.prepare(
    `INSERT INTO intake(session, digest, life, ord, stanza_id, chat, participant, seen_at, stanza)
     VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(session, digest) DO NOTHING`,
  );
  const find = db.prepare<[number, Uint8Array], { n: number; state: number }>(
    "SELECT n, state FROM intake WHERE session = ? AND digest = ?",
  );
  const insertPlain = db.prepare(
    `INSERT INTO intake_plain(intake, enc_id, session, v) VALUES(?, ?, ?, ?)
     ON CONFLICT(intake, enc_id) DO UPDATE SET v = excluded.v`,
  );
  const plaintext = db.prepare<[number, Uint8Array], { v: Buffer }>(
    "SELECT v FROM intake_plain WHERE session = ? AND enc_id = ?",
  );
  const open = db.prepare<[number], OpenRow>(
    `SELECT n, digest, stanza_id, chat, participant, seen_at, stanza FROM intake
     WHERE session = ? AND state = 0 ORDER BY life, ord`,
  );
  const oldestReadable = db.prepare<[number], { at: number | null }>(
    `SELECT MIN(seen_at) AS at FROM intake i
     WHERE session = ? AND state = 0 AND EXISTS (SELECT 1 FROM intake_plain WHERE intake = i.n)`,
  );
  const countOpen = db.prepare<[], { n: number }>("SELECT COUNT(*) AS n FROM intake WHERE state = 0");
  const close = db.prepare(
    "UPDATE intake SET state = 1, done_at = ? WHERE session = ? AND digest = ? AND state = 0",
  );
  const blank = db.prepare(
    `UPDATE intake SET stanza = NULL WHERE n IN (SELECT n FROM intake
       WHERE state = 1 AND stanza IS NOT NULL AND done_at < ? ORDER BY done_at LIMIT ?)`,
  );
  const oldest =
    "SELECT n FROM intake WHERE state = 1 AND stanza IS NULL AND done_at < ? ORDER BY done_at, n LIMIT ?";
  const forgetPlain = db.prepare(`DELETE FROM intake_plain WHERE intake IN (${oldest})`);
  const forget = db.prepare(`DELETE FROM intake WHERE n IN (${oldest})`);
  const forgetEarly = db.prepare(
    "DELETE FROM early_change WHERE n IN (SELECT n FROM early_change WHERE at < ? ORDER BY n LIMIT ?)",
  );

  const rows: IntakeRows = {
    insert: (session, entry) => {
      const { changes, lastInsertRowid } = insert.run(
        session,
        entry.digest,
        life,
        entry.order,
        entry.stanzaId,
        entry.chat,
        entry.participant,
        entry.seenAt.getTime(),
        entry.stanza,
      );
      if (entry.plaintexts.length === 0) return;
      const n = changes === 1 ? Number(lastInsertRowid) : find.get(session, entry.digest)?.n;
      for (const { encId, sealed } of entry.plaintexts) insertPlain.run(n, encId, session, sealed);
    },
    close: (session, digests, now) => {
      let known = 0;
      let closed = 0;
      for (const digest of digests) {
        const { changes } = close.run(now.getTime(), session, digest);
        closed += changes;
        if (changes === 0 && find.get(session, digest) !== undefined) known++;
      }
      return { repeated: closed === 0 && known > 0 && known === digests.length };
    },
    port: {
      plaintext: call((sessionId, encId) => plaintext.get(engine.session(sessionId).id, encId)?.v ?? null),
      open: call((sessionId) =>
        open.all(engine.session(sessionId).id).map((row) => ({
          n: row.n,
          digest: row.digest,
          stanzaId: row.stanza_id,
          chat: row.chat,
          participant: row.participant,
          seenAt: new Date(row.seen_at),
          stanza: row.stanza,
        })),
      ),
      oldestReadable: call((sessionId) => date(oldestReadable.get(engine.session(sessionId).id)?.at ?? null)),
      countOpen: call(() => countOpen.get()?.n ?? 0),
      close: call((sessionId, digests) => {
        const { id } = engine.session(sessionId);
        engine.transaction(() => rows.close(id, digests, engine.clock.now()));
      }),
      prune: call(({ blobsBefore, rowsBefore, limit }) =>
        engine.transaction(() => {
          const until = rowsBefore.getTime();
          const blanked = blank.run(blobsBefore.getTime(), limit).changes;
          forgetPlain.run(until, limit);
          const early = forgetEarly.run(until, limit).changes;
          return blanked + early + forget.run(until, limit).changes;
        }),
      ),
    },
  };
  return rows;
}
