/** Totals of a session that triggers keep, so that lists need not count. */
import type { MessageStatus } from "../../contract/message-status.ts";
import type { Engine } from "./engine.ts";
import { statusNumber } from "./inbox/message-rows.ts";

export interface Tally {
  chats: number;
  contacts: number;
  unread: number;
  messages: number;
  /** By status. */
  incoming(status?: MessageStatus): number;
  own(status?: MessageStatus): number;
}

const INCOMING = 10;
const OWN = 20;

export function readTally(engine: Engine, session: number): Tally {
  const rows = engine
    .query<[number], { kind: number; n: number }>("SELECT kind, n FROM tally WHERE session = ?")
    .all(session);
  const byKind = new Map(rows.map(({ kind, n }) => [kind, n]));
  const of = (kind: number): number => byKind.get(kind) ?? 0;
  const sum = (from: number): number =>
    rows.reduce((total, { kind, n }) => (kind > from && kind < from + 10 ? total + n : total), 0);
  const incoming = (status?: MessageStatus): number =>
    status === undefined ? sum(INCOMING) : of(INCOMING + statusNumber(status));
  const own = (status?: MessageStatus): number =>
    status === undefined ? sum(OWN) : of(OWN + statusNumber(status));
  return { chats: of(0), contacts: of(1), unread: of(2), messages: incoming() + own(), incoming, own };
}
