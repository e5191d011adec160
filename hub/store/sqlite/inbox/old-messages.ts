/**
 * Old messages go, with all that is kept of them; their chat stays, and knows how many went and who had written. A batch looks
 * at so many messages from a place on, in the order of time, and costs the same however many there are.
 */
import type { InboxStore, MessageAge } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import { bit, toJson } from "../json.ts";
import { statusNumber } from "./message-rows.ts";

interface OldRow {
  n: number;
  ts: number;
  chat: number;
  from_me: number;
  status: number;
  stays: number;
}

/** What a chat is told of its messages that go. */
interface Parting {
  chat: number;
  removed: number;
  heard: number;
  written: number;
}

const FROM_THE_START: MessageAge = { ts: Number.MIN_SAFE_INTEGER, n: 0 };
const GONE = "(SELECT value FROM json_each(?))";

type Query = Parameters<InboxStore["removeOld"]>[0];
type Removed = Awaited<ReturnType<InboxStore["removeOld"]>>;

export function createRemoveOld(engine: Engine): (query: Query) => Removed {
  const { db } = engine;
  // Not what is on its way to WhatsApp, what a webhook still owes, nor what came or changed a moment ago.
  const next = db.prepare<
    [MessageAge & { session: number; before: number; settled: number; limit: number }],
    OldRow
  >(
    `SELECT m.n, m.ts, m.chat, m.from_me, m.status, m.updated_at >= @settled
       OR EXISTS(SELECT 1 FROM outgoing o WHERE o.message = m.n)
       OR EXISTS(SELECT 1 FROM delivery d WHERE d.event_seq = m.event_seq AND d.state < 2) AS stays
     FROM message m WHERE m.session = @session AND (m.ts, m.n) > (@ts, @n) AND m.ts < @before
     ORDER BY m.ts, m.n LIMIT @limit`,
  );
  const partsOf = [
    `INSERT OR IGNORE INTO media_left SELECT media_id FROM media WHERE message IN ${GONE}`,
    `DELETE FROM media_token WHERE media_id IN (SELECT media_id FROM media WHERE message IN ${GONE})`,
    `DELETE FROM media WHERE message IN ${GONE}`,
    `DELETE FROM message_raw WHERE message IN ${GONE}`,
    `DELETE FROM early_change WHERE n IN (SELECT e.n FROM json_each(?) JOIN message m ON m.n = value
       JOIN chat c ON c.id = m.chat JOIN early_change e ON e.session = m.session AND e.chat = c.jid AND e.id = m.id)`,
    `DELETE FROM message WHERE n IN ${GONE}`,
  ].map((sql) => db.prepare<[string]>(sql));
  const part = db.prepare<[Parting]>(
    `UPDATE chat SET removed_count = removed_count + @removed, heard = max(heard, @heard), written = max(written, @written)
     WHERE id = @chat`,
  );
  // Its number is given again: a chat must not show what is somebody else's by then.
  const showLast = db.prepare<[{ chat: number }]>(
    `UPDATE chat SET last_message = (SELECT n FROM message WHERE chat = @chat ORDER BY ts DESC, n DESC LIMIT 1),
       last_ts = coalesce((SELECT ts FROM message WHERE chat = @chat ORDER BY ts DESC, n DESC LIMIT 1), 0)
     WHERE id = @chat AND NOT EXISTS(SELECT 1 FROM message WHERE n = chat.last_message)`,
  );

  return ({ sessionId, before, settledBefore, after, limit }) => {
    const { id: session } = engine.session(sessionId);
    return engine.transaction(() => {
      const rows = next.all({
        session,
        before: Math.floor(before.getTime() / 1000),
        settled: settledBefore.getTime(),
        ...(after ?? FROM_THE_START),
        limit,
      });
      const old = rows.filter(({ stays }) => stays === 0);
      const last = rows.at(-1);
      const place = last === undefined || rows.length < limit ? null : { ts: last.ts, n: last.n };
      if (old.length === 0) return { removed: 0, place };
      const numbers = toJson(old.map(({ n }) => n));
      for (const parts of partsOf) parts.run(numbers);
      for (const parting of partingsOf(old)) {
        part.run(parting);
        showLast.run({ chat: parting.chat });
      }
      return { removed: old.length, place };
    });
  };
}

/** As long as a message is there, it says itself who wrote. */
function partingsOf(old: OldRow[]): Iterable<Parting> {
  const chats = new Map<number, Parting>();
  for (const { chat, from_me, status } of old) {
    const parting = chats.get(chat) ?? { chat, removed: 0, heard: 0, written: 0 };
    const left = from_me === 1 && status !== statusNumber("failed");
    chats.set(chat, {
      chat,
      removed: parting.removed + 1,
      heard: Math.max(parting.heard, bit(from_me === 0)),
      written: Math.max(parting.written, bit(left)),
    });
  }
  return chats.values();
}
