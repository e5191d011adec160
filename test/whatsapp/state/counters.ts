/** Plain counts of what the emulator saw and did, and the queries it had no answer for. */

const NAMES = [
  "connections",
  "handshakes",
  "upgradesRejected",
  "registrations",
  "pairings",
  "pairingsRefused",
  "logins",
  "loginsRefused",
  "closed",
  "queries",
  "unknownQueries",
  "unknownStanzas",
  "sentUndecryptable",
  "messagesSent",
  "retriesAsked",
  "mediaUploads",
  "mediaDownloads",
  "faultsUsed",
  "brokenStanzas",
] as const;
export type CounterName = (typeof NAMES)[number];

export interface CountersSnapshot {
  counts: Record<CounterName, number>;
  /** `type xmlns/tag` → how often an empty answer was given for want of a better one. A test run should end with none. */
  unknown: Record<string, number>;
}

export interface Counters {
  add(name: CounterName, by?: number): void;
  unknown(what: string): void;
  snapshot(): CountersSnapshot;
  clear(): void;
}

export function createCounters(): Counters {
  const counts = new Map<CounterName, number>();
  const unknown = new Map<string, number>();
  return {
    add: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
    unknown: (what) => void unknown.set(what, (unknown.get(what) ?? 0) + 1),
    snapshot: () => ({
      counts: Object.fromEntries(NAMES.map((name) => [name, counts.get(name) ?? 0])) as Record<
        CounterName,
        number
      >, // every name is there
      unknown: Object.fromEntries(unknown),
    }),
    clear: () => {
      counts.clear();
      unknown.clear();
    },
  };
}
