/**
 * Old messages go. A batch looks at so many messages from a place on, in the order of time, and costs the same however many
 * there are.
 */
import type { InboxStore, MessageAge } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import type { GoingRow, RemoveMessages } from "./removal.ts";

interface OldRow extends GoingRow {
  ts: number;
  stays: number;
}

const FROM_THE_START: MessageAge = { ts: Number.MIN_SAFE_INTEGER, n: 0 };

type Query = Parameters<InboxStore["removeOld"]>[0];
type Removed = Awaited<ReturnType<InboxStore["removeOld"]>>;

export function createRemoveOld(engine: Engine, remove: RemoveMessages): (query: Query) => Removed {
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
      remove(old);
      return { removed: old.length, place };
    });
  };
}
