/** Figures of a session's messages. */
import type { MessageStatus } from "../../../contract/message-status.ts";
import type { Session } from "../../../core/session.ts";
import type { HistoryCoverage, InboxStore, InboxTotals, MessageStats } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import { valuesOf, when, whereOf } from "../pager.ts";
import { readTally, type Tally } from "../tally.ts";
import type { Imports } from "./imports.ts";
import { statusNumber } from "./message-rows.ts";

type Range = Parameters<InboxStore["stats"]>[1];

export interface Stats {
  of(session: Session, range: Range): MessageStats;
  totals(session: Session): InboxTotals;
  /** What the hub holds of a session, from when to when. */
  coverage(session: Session): HistoryCoverage;
}

interface CountRow {
  from_me: number;
  status: number;
  n: number;
}

export function createStats(engine: Engine, imports: Imports): Stats {
  const { db } = engine;
  const oldest = db.prepare<[number], { ts: number }>(
    "SELECT ts FROM message WHERE session = ? ORDER BY ts LIMIT 1",
  );
  const withOlder = db.prepare<[number], { n: number }>(
    "SELECT COUNT(*) AS n FROM chat WHERE session = ? AND past = 1",
  );
  const newest = db.prepare<[number], { ts: number }>(
    "SELECT ts FROM message WHERE session = ? ORDER BY ts DESC LIMIT 1",
  );

  /** By counting: for a range, which is a part of the index. */
  const counted = (session: number, since: number | undefined, until: number | undefined) => {
    const conditions = [
      ...when("session = ?", session),
      ...when("ts >= ?", since),
      ...when("ts <= ?", until),
    ];
    const rows = engine
      .query<(number | string | null)[], CountRow>(
        `SELECT from_me, status, COUNT(*) AS n FROM message${whereOf(conditions)} GROUP BY from_me, status`,
      )
      .all(...valuesOf(conditions));
    const sum = (fromMe: number, status?: MessageStatus): number =>
      rows
        .filter((row) => row.from_me === fromMe)
        .filter((row) => status === undefined || row.status === statusNumber(status))
        .reduce((total, { n }) => total + n, 0);
    return {
      incoming: (status?: MessageStatus) => sum(0, status),
      own: (status?: MessageStatus) => sum(1, status),
    };
  };

  return {
    of: ({ id }, { since, until, dayStart }) => {
      const tally = readTally(engine, id);
      const all: Pick<Tally, "incoming" | "own"> =
        since === undefined && until === undefined ? tally : counted(id, since, until);
      const today = counted(id, dayStart, undefined);
      return {
        total: all.incoming() + all.own(),
        sent: all.own(),
        received: all.incoming(),
        delivered: all.own("delivered"),
        read: all.own("read"),
        failed: all.own("failed"),
        pending: all.own("pending"),
        unread: tally.unread,
        chats: tally.chats,
        contacts: tally.contacts,
        today: { sent: today.own(), received: today.incoming() },
      };
    },
    totals: ({ id }) => {
      const { contacts, chats, messages, unread } = readTally(engine, id);
      return { contacts, chats, messages, unread };
    },
    coverage: ({ id }) => {
      const { chats, messages } = readTally(engine, id);
      return {
        oldest: oldest.get(id)?.ts ?? null,
        newest: newest.get(id)?.ts ?? null,
        chats,
        messages,
        complete: imports.isComplete(id),
        chatsWithOlder: withOlder.get(id)?.n ?? 0,
      };
    },
  };
}
