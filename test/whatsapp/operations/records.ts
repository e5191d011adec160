/** Looking at what happened: ledger, what was sent, counters, events; and forgetting it. */
import type { CountersSnapshot } from "../state/counters.ts";
import type { EmulatorEvent, EventFilter, EventListener } from "../state/events.ts";
import type { LedgerEntry, LedgerQuery, LedgerSummary } from "../state/ledger.ts";
import type { SentMessage, SentQuery } from "../state/sent.ts";
import type { World } from "../world.ts";
import { accountOf } from "./find.ts";

export interface WaitRequest extends EventFilter {
  /** Events up to this number are old news; left out: whatever is kept. */
  after?: number | undefined;
  timeoutMs?: number | undefined;
}

export interface RecordOperations {
  ledger(query?: LedgerQuery): LedgerEntry[];
  ledgerSummary(account?: string): LedgerSummary;
  /** What the program under test sent, as decrypted by who it was for. */
  sent(query?: SentQuery): SentMessage[];
  counters(): CountersSnapshot;
  /** In the same tick as the event: the way to aim at a moment. Returns the way to stop. */
  on(filter: EventFilter, listener: EventListener): () => void;
  events(after?: number, filter?: EventFilter): EmulatorEvent[];
  /** The next that fits (or fitted, after the given number); empty when the time is over. */
  waitFor(request: WaitRequest): Promise<EmulatorEvent[]>;
  lastEvent(): number;
  /** Forgets ledger, sent messages, events, counters and faults; accounts and links stay. */
  clear(account?: string): void;
}

const DEFAULT_WAIT_MS = 30_000;

export function recordOperations(world: World): RecordOperations {
  const { ledger, sent, counters, events, faults } = world;
  return {
    ledger: (query = {}) => ledger.query(query),
    ledgerSummary: (account) =>
      ledger.summary(account === undefined ? undefined : accountOf(account, world).number),
    sent: (query = {}) => sent.query(query),
    counters: () => counters.snapshot(),
    on: (filter, listener) => events.on(filter, listener),
    events: (after = 0, filter = {}) => events.since(after, filter),
    waitFor: ({ after = 0, timeoutMs = DEFAULT_WAIT_MS, ...filter }) => events.wait(after, filter, timeoutMs),
    lastEvent: () => events.lastSeq(),
    clear(account) {
      ledger.clear(account);
      sent.clear(account);
      faults.clear(account);
      if (account !== undefined) return;
      counters.clear();
      events.clear();
    },
  };
}
