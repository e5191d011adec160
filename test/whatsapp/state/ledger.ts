/**
 * The book of every message that contacts and the phone sent to a companion: when it was queued, went out, was acknowledged,
 * refused, asked for again. Losses are judged by it: what has a receipt must be with the program under test.
 */
import type { Events } from "./events.ts";

export interface LedgerEntry {
  id: string;
  account: string;
  device: number;
  /** Number of the sender; the account's own number for what was typed on the phone. */
  contact: string;
  group?: string | undefined;
  kind: string;
  text?: string | undefined;
  /** All times in milliseconds since 1970. */
  queuedAt: number;
  sentAt: number[];
  receiptedAt?: number;
  /** `delivered`, `inactive`, `sender`, … as the companion put it. */
  receiptType?: string;
  receipts: number;
  ackedAt?: number;
  nackedAt?: number;
  nackCode?: number;
  retriedAt: number[];
}

export interface LedgerSummary {
  queued: number;
  /** Messages that went out at least once. */
  sent: number;
  /** Acknowledged without a receipt. */
  acked: number;
  receipted: number;
  /** Still owed: neither receipt nor ack nor refusal. */
  unacked: number;
  /** Refused for good: the companion gave the message up. */
  nacked: number;
  /** Times a message went out beyond its first. */
  duplicatesOfId: number;
  /** Resends that the companion asked for. */
  retries: number;
  /** Receipts beyond the first of a message. */
  extraReceipts: number;
}

export interface LedgerQuery {
  account?: string | undefined;
  contact?: string | undefined;
  id?: string | undefined;
  state?: "unacked" | "receipted" | "nacked" | "acked" | undefined;
  /** Only what was queued after that many entries (paging). */
  after?: number | undefined;
  limit?: number | undefined;
}

export interface Ledger {
  queued(
    entry: Pick<LedgerEntry, "id" | "account" | "device" | "contact" | "group" | "kind" | "text">,
  ): LedgerEntry;
  find(account: string, device: number, id: string): LedgerEntry | undefined;
  sent(entry: LedgerEntry): void;
  receipted(entry: LedgerEntry, type: string): void;
  acked(entry: LedgerEntry): void;
  nacked(entry: LedgerEntry, code: number): void;
  retried(entry: LedgerEntry): void;
  query(query: LedgerQuery): LedgerEntry[];
  summary(account?: string): LedgerSummary;
  clear(account?: string): void;
}

const EMPTY: LedgerSummary = {
  queued: 0,
  sent: 0,
  acked: 0,
  receipted: 0,
  unacked: 0,
  nacked: 0,
  duplicatesOfId: 0,
  retries: 0,
  extraReceipts: 0,
};
const SUMS = Object.keys(EMPTY) as (keyof LedgerSummary)[]; // of the value itself
const DEFAULT_LIMIT = 1000;

function add(sum: LedgerSummary, changes: Partial<LedgerSummary>): void {
  for (const name of SUMS) sum[name] += changes[name] ?? 0;
}

const fits = (entry: LedgerEntry, { account, contact, id, state }: LedgerQuery): boolean =>
  (account === undefined || entry.account === account) &&
  (contact === undefined || entry.contact === contact) &&
  (id === undefined || entry.id === id) &&
  (state === undefined || stateOf(entry) === state);

const stateOf = (entry: LedgerEntry): "receipted" | "acked" | "nacked" | "unacked" =>
  entry.receiptedAt !== undefined
    ? "receipted"
    : entry.ackedAt !== undefined
      ? "acked"
      : entry.nackedAt !== undefined
        ? "nacked"
        : "unacked";

export function createLedger(events: Events): Ledger {
  let entries = new Map<string, LedgerEntry>();
  const sums = new Map<string, LedgerSummary>();
  const keyOf = (account: string, device: number, id: string): string => `${account}:${device}:${id}`;

  /** Counts as it goes: a summary over 100,000 messages must not walk them. */
  const count = (account: string, changes: Partial<LedgerSummary>): void => {
    const sum = sums.get(account) ?? { ...EMPTY };
    add(sum, changes);
    sums.set(account, sum);
  };
  const tell = (
    type: "message.received" | "message.refused" | "message.retried",
    entry: LedgerEntry,
    detail: Record<string, unknown>,
  ): void =>
    events.emit({
      type,
      account: entry.account,
      device: entry.device,
      id: entry.id,
      detail: { contact: entry.contact, ...detail },
    });
  /** A later, better fate replaces the refusal that came first (a nack, then the resend was read). */
  const leaveState = (entry: LedgerEntry): Partial<LedgerSummary> => {
    const state = stateOf(entry);
    return { [state]: -1 };
  };

  return {
    queued(fresh) {
      const key = keyOf(fresh.account, fresh.device, fresh.id);
      const known = entries.get(key);
      if (known) return known;
      const entry: LedgerEntry = { ...fresh, queuedAt: Date.now(), sentAt: [], receipts: 0, retriedAt: [] };
      entries.set(key, entry);
      count(fresh.account, { queued: 1, unacked: 1 });
      return entry;
    },
    find: (account, device, id) => entries.get(keyOf(account, device, id)),
    sent(entry) {
      count(entry.account, entry.sentAt.length === 0 ? { sent: 1 } : { duplicatesOfId: 1 });
      entry.sentAt.push(Date.now());
    },
    receipted(entry, type) {
      entry.receipts += 1;
      if (entry.receiptedAt === undefined) {
        count(entry.account, leaveState(entry));
        count(entry.account, { receipted: 1 });
        entry.receiptedAt = Date.now();
        entry.receiptType = type;
      } else count(entry.account, { extraReceipts: 1 });
      tell("message.received", entry, { receipt: type });
    },
    acked(entry) {
      if (stateOf(entry) !== "unacked") return;
      count(entry.account, { unacked: -1, acked: 1 });
      entry.ackedAt = Date.now();
      tell("message.received", entry, { receipt: "ack" });
    },
    nacked(entry, code) {
      if (stateOf(entry) === "unacked") {
        count(entry.account, { unacked: -1, nacked: 1 });
        entry.nackedAt = Date.now();
        entry.nackCode = code;
      }
      tell("message.refused", entry, { code });
    },
    retried(entry) {
      entry.retriedAt.push(Date.now());
      count(entry.account, { retries: 1 });
      tell("message.retried", entry, { times: entry.retriedAt.length });
    },
    query({ after = 0, limit = DEFAULT_LIMIT, ...wanted }) {
      const found: LedgerEntry[] = [];
      let position = 0;
      for (const entry of entries.values()) {
        if (++position <= after || !fits(entry, wanted)) continue;
        found.push(entry);
        if (found.length >= limit) break;
      }
      return found;
    },
    summary(account) {
      if (account !== undefined) return { ...(sums.get(account) ?? EMPTY) };
      const total = { ...EMPTY };
      for (const sum of sums.values()) add(total, sum);
      return total;
    },
    clear(account) {
      entries = new Map(
        [...entries].filter(([, entry]) => account !== undefined && entry.account !== account),
      );
      if (account === undefined) sums.clear();
      else sums.delete(account);
    },
  };
}
