/** What happened, as it happens: tests wait for these instead of sleeping, and aim a kill at the very moment of one. */

export type EventType =
  | "connection.opened"
  | "connection.closed"
  | "connection.broken"
  | "qr.offered"
  | "code.requested"
  | "pairing.refused"
  | "paired"
  | "login.refused"
  | "online"
  | "history.received"
  | "message.received"
  | "message.refused"
  | "message.retried"
  | "sent"
  | "sent.undecryptable"
  | "receipt.sent"
  | "read"
  | "presence"
  | "unlinked"
  | "burst.finished"
  | "fault.used"
  | "unknown.query";

export interface EmulatorEvent {
  seq: number;
  /** Milliseconds since 1970. */
  at: number;
  type: EventType;
  /** Phone number of the account it is about. */
  account?: string;
  /** Companion id. */
  device?: number;
  /** Message id. */
  id?: string;
  detail?: Record<string, unknown>;
}

export interface EventFilter {
  types?: readonly string[] | undefined;
  account?: string | undefined;
  id?: string | undefined;
}

export type EventListener = (event: EmulatorEvent) => void;

export interface Events {
  emit(event: Omit<EmulatorEvent, "seq" | "at">): void;
  /** Called in the same tick as the event. Returns the way to stop. */
  on(filter: EventFilter, listener: EventListener): () => void;
  /** Kept events after that number, oldest first. */
  since(seq: number, filter?: EventFilter): EmulatorEvent[];
  /** Events after that number as soon as there is one; empty when the time is over. */
  wait(seq: number, filter: EventFilter, timeoutMs: number): Promise<EmulatorEvent[]>;
  lastSeq(): number;
  clear(): void;
}

/** Older ones are forgotten: a burst of messages must not fill the memory. */
const KEPT = 50_000;

const matches = (event: EmulatorEvent, filter: EventFilter): boolean =>
  (!filter.types || filter.types.length === 0 || filter.types.includes(event.type)) &&
  (filter.account === undefined || filter.account === event.account) &&
  (filter.id === undefined || filter.id === event.id);

export function createEvents(): Events {
  let kept: EmulatorEvent[] = [];
  let last = 0;
  const listeners = new Set<EventListener>();

  const since = (seq: number, filter: EventFilter = {}): EmulatorEvent[] => {
    const first = kept[0]?.seq ?? 0;
    return kept.slice(Math.max(0, seq + 1 - first)).filter((event) => matches(event, filter));
  };
  const on = (filter: EventFilter, listener: EventListener): (() => void) => {
    const filtered: EventListener = (event) => {
      if (matches(event, filter)) listener(event);
    };
    listeners.add(filtered);
    return () => void listeners.delete(filtered);
  };

  return {
    emit(event) {
      const numbered: EmulatorEvent = { seq: ++last, at: Date.now(), ...event };
      kept.push(numbered);
      // Cut in halves: cutting one at a time would cost a copy per event.
      if (kept.length > 2 * KEPT) kept = kept.slice(-KEPT);
      for (const listener of [...listeners]) listener(numbered);
    },
    on,
    since,
    wait: (seq, filter, timeoutMs) =>
      new Promise((resolve) => {
        const found = since(seq, filter);
        if (found.length > 0) {
          resolve(found);
          return;
        }
        const finish = (events: EmulatorEvent[]): void => {
          clearTimeout(timer);
          stop();
          resolve(events);
        };
        const timer = setTimeout(() => finish([]), timeoutMs);
        const stop = on(filter, (event) => finish([event]));
      }),
    lastSeq: () => last,
    clear: () => void (kept = []),
  };
}
