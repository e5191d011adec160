/** Sends in progress, and the answers already given under an idempotency key. */
import type { Acquaintance, IdempotencyClaim, IdempotencyKey, SendStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import type { Messages } from "./inbox/messages.ts";
import type { Recorder } from "./inbox/record.ts";

interface OutgoingRow {
  id: string;
  jid: string;
  send: string;
  accepted_at: number;
  expires_at: number;
  has_left: number;
}

interface ClaimRow {
  body_hash: string;
  reserved_id: string;
  life: number;
  at: number;
  status: number | null;
  body: string | null;
}

/** As the step of the schema says. */
const TRIES = 3;
const ANSWER_LIFE_MS = 24 * 3600 * 1000;

/** Of an own message `m`: it is out, as far as we know. Status 2 is "failed". */
const LEFT =
  "m.status <> 2 AND NOT EXISTS(SELECT 1 FROM outgoing o WHERE o.message = m.n AND o.relayed_at IS NULL)";

/** Somebody in chat `c` wrote. */
const HEARD = "(c.heard OR EXISTS(SELECT 1 FROM message h WHERE h.chat = c.id AND h.from_me = 0))";

const IS_PERSON = "(substr(c.jid, -15) = '@s.whatsapp.net' OR substr(c.jid, -4) = '@lid')";

export function createSendStore(engine: Engine, recorder: Recorder, messages: Messages): SendStore {
  const { db, life } = engine;
  const accept = db.prepare(
    "INSERT INTO outgoing(message, session, send, accepted_at, expires_at) VALUES(?, ?, ?, ?, ?)",
  );
  const relayed = db.prepare(
    "UPDATE outgoing SET relayed_at = ?, tries_left = tries_left - 1 WHERE message = ?",
  );
  const waitsAgain = db.prepare(
    `UPDATE outgoing SET relayed_at = NULL
     WHERE session = ? AND relayed_at < ? AND tries_left > 0 AND expires_at > ?`,
  );
  const isWaiting = db.prepare<[number, string]>(
    `SELECT 1 FROM message m JOIN outgoing o ON o.message = m.n
     WHERE m.session = ? AND m.id = ? AND m.from_me = 1 AND o.relayed_at IS NULL`,
  );
  const select = `SELECT m.id, c.jid, o.send, o.accepted_at, o.expires_at, o.tries_left < ${TRIES} AS has_left FROM outgoing o
    JOIN message m ON m.n = o.message JOIN chat c ON c.id = m.chat`;
  const waiting = db.prepare<[number], OutgoingRow>(
    `${select} WHERE o.session = ? AND o.relayed_at IS NULL ORDER BY o.message`,
  );
  const unconfirmed = db.prepare<[number, number], OutgoingRow>(
    `${select} WHERE o.session = ? AND o.relayed_at < ? ORDER BY o.message`,
  );
  const countWaiting = db.prepare<[number], { n: number }>(
    "SELECT count(*) AS n FROM outgoing WHERE session = ? AND relayed_at IS NULL",
  );
  // A chat is looked into once, however much waits for it.
  const countWaitingBy = db.prepare<[number], { strangers: number; others: number }>(
    `SELECT coalesce(sum(CASE WHEN is_stranger THEN k END), 0) AS strangers,
       coalesce(sum(CASE WHEN is_stranger THEN 0 ELSE k END), 0) AS others
     FROM (SELECT w.k, ${IS_PERSON} AND NOT ${HEARD} AS is_stranger FROM
       (SELECT m.chat, count(*) AS k FROM outgoing o JOIN message m ON m.n = o.message
        WHERE o.session = ? AND o.relayed_at IS NULL GROUP BY m.chat) w JOIN chat c ON c.id = w.chat)`,
  );
  const postpone = db.prepare(
    `UPDATE outgoing SET expires_at = @expiresAt WHERE session = @session AND relayed_at IS NULL
     AND message IN (SELECT n FROM message WHERE session = @session AND id = @id AND from_me = 1)`,
  );
  // In this order: in a chat of thousands of messages that others wrote, one of ours may be the last of them.
  const acquaintance = db.prepare<[number, string], { known: Acquaintance }>(
    `SELECT CASE WHEN ${HEARD} THEN 'heard'
       WHEN c.written OR EXISTS(SELECT 1 FROM message m WHERE m.chat = c.id AND m.from_me = 1 AND ${LEFT}) THEN 'written'
       ELSE 'none' END AS known
     FROM chat c WHERE c.session = ? AND c.jid = ?`,
  );
  const opened = db.prepare<[number, number, number], { jid: string; at: number }>(
    `SELECT c.jid, c.first_at AS at FROM chat c WHERE c.session = ? AND c.last_at >= ? AND c.first_at >= ?
     AND (SELECT m.from_me FROM message m WHERE m.chat = c.id ORDER BY m.ts, m.n LIMIT 1) = 1
     AND EXISTS(SELECT 1 FROM message m WHERE m.chat = c.id AND m.from_me = 1 AND ${LEFT})`,
  );
  const lately = db.prepare<[number, number], { ts: number }>(
    `SELECT m.ts FROM message m WHERE m.session = ? AND m.ts >= ? AND m.from_me = 1 AND ${LEFT}
     ORDER BY m.ts DESC LIMIT 100`,
  );
  const claimed = db.prepare<[string, string, string], ClaimRow>(
    "SELECT * FROM idempotency WHERE owner = ? AND route = ? AND key = ?",
  );
  const claim = db.prepare(
    `INSERT INTO idempotency(owner, route, key, body_hash, reserved_id, life, at) VALUES(?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT(owner, route, key) DO UPDATE SET life = excluded.life`,
  );
  const finish = db.prepare(
    "UPDATE idempotency SET status = ?, body = ? WHERE owner = ? AND route = ? AND key = ?",
  );
  const abandon = db.prepare(
    "DELETE FROM idempotency WHERE owner = ? AND route = ? AND key = ? AND status IS NULL",
  );
  // No opening of the file has the number 0: to every one of them it is a claim of somebody who is gone.
  const keep = db.prepare(
    "UPDATE idempotency SET life = 0 WHERE owner = ? AND route = ? AND key = ? AND status IS NULL",
  );
  const isAccepted = db.prepare<[string], { n: number }>(
    "SELECT m.n FROM session s CROSS JOIN message m ON m.session = s.id WHERE m.id = ? LIMIT 1",
  );
  const forget = db.prepare("DELETE FROM idempotency WHERE at <= ?");

  const forgetAnswers = (now: Date): void => {
    forget.run(now.getTime() - ANSWER_LIFE_MS);
  };

  const takeOver = (
    key: IdempotencyKey,
    bodyHash: string,
    reservedId: string,
    now: Date,
  ): IdempotencyClaim => {
    claim.run(key.owner, key.route, key.key, bodyHash, reservedId, life, now.getTime());
    return { result: "new", reservedId };
  };

  return {
    accept: call(({ message, order, expiresAt, now }) => {
      const session = engine.session(message.sessionId);
      engine.transaction(() => {
        const applied = recorder.apply(session, [{ kind: "message", message, live: true }], {
          now,
          repeated: false,
        });
        for (const { n } of applied.messages)
          accept.run(n, session.id, order, now.getTime(), expiresAt.getTime());
      });
    }),
    relayed: call((sessionId, messageId, sent, now) => {
      const session = engine.session(sessionId);
      engine.transaction(() => {
        const n = messages.completed(session, messageId, sent, now);
        if (n !== null) relayed.run(now.getTime(), n);
      });
    }),
    waiting: call((sessionId) =>
      waiting.all(engine.session(sessionId).id).map((row) => ({
        messageId: row.id,
        chatId: row.jid,
        order: row.send,
        acceptedAt: new Date(row.accepted_at),
        expiresAt: new Date(row.expires_at),
        hasLeft: row.has_left === 1,
      })),
    ),
    waitsAgain: call((sessionId, now) => {
      const at = now.getTime();
      return waitsAgain.run(engine.session(sessionId).id, at, at).changes;
    }),
    isWaiting: call(
      (sessionId, messageId) => isWaiting.get(engine.session(sessionId).id, messageId) !== undefined,
    ),
    countWaiting: call((sessionId) => countWaiting.get(engine.session(sessionId).id)?.n ?? 0),
    countWaitingBy: call(
      (sessionId) => countWaitingBy.get(engine.session(sessionId).id) ?? { strangers: 0, others: 0 },
    ),
    postpone: call((sessionId, id, expiresAt) => {
      postpone.run({ session: engine.session(sessionId).id, id, expiresAt: expiresAt.getTime() });
    }),
    acquaintance: call(
      (sessionId, chatId) => acquaintance.get(engine.session(sessionId).id, chatId)?.known ?? "none",
    ),
    opened: call((sessionId, since) => {
      const from = Math.floor(since.getTime() / 1000);
      return opened
        .all(engine.session(sessionId).id, from, from)
        .sort((one, other) => one.at - other.at)
        .map(({ jid, at }) => ({ chatId: jid, at: new Date(at * 1000) }));
    }),
    lately: call((sessionId, since) =>
      lately
        .all(engine.session(sessionId).id, Math.floor(since.getTime() / 1000))
        .map(({ ts }) => new Date(ts * 1000))
        .reverse(),
    ),
    unconfirmed: call((sessionId, before) =>
      unconfirmed
        .all(engine.session(sessionId).id, before.getTime())
        .map(({ id, jid }) => ({ messageId: id, chatId: jid })),
    ),
    claim: call((key, bodyHash, reservedId, now) =>
      engine.transaction((): IdempotencyClaim => {
        forgetAnswers(now);
        const row = claimed.get(key.owner, key.route, key.key);
        if (row === undefined) return takeOver(key, bodyHash, reservedId, now);
        if (row.body_hash !== bodyHash) return { result: "conflict" };
        if (row.status !== null) return { result: "same", status: row.status, body: row.body ?? "" };
        // Its process died before answering: the same id goes on, so that nothing is sent twice.
        return row.life === life
          ? { result: "running", reservedId: row.reserved_id }
          : takeOver(key, bodyHash, row.reserved_id, now);
      }),
    ),
    finish: call(({ owner, route, key }, { status, body }) => {
      finish.run(status, body, owner, route, key);
    }),
    release: call(({ owner, route, key }) =>
      engine.transaction(() => {
        const reservedId = claimed.get(owner, route, key)?.reserved_id ?? "";
        const end = isAccepted.get(reservedId) === undefined ? abandon : keep;
        end.run(owner, route, key);
      }),
    ),
    abandon: call(({ owner, route, key }) => {
      abandon.run(owner, route, key);
    }),
    forgetAnswers: call(forgetAnswers),
  };
}
