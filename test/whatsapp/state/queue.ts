/**
 * What a companion has not acknowledged yet, in order. It survives connections: a stanza leaves only by a receipt or an ack,
 * and everything left goes out again at the next login. Keyed by tag and id; a resend of the same id takes its place.
 */
import type { Stanza } from "../wire/stanza.ts";

export interface Queued {
  key: string;
  stanza: Stanza;
  /** The phone's own messages (history, keys) go out after the offline batch: inside it Baileys rc14 would not start its history sync. */
  afterOffline: boolean;
  /** The connection it last went out on. */
  sentOn?: number | undefined;
  /** Told each time the stanza really goes out. */
  onSent?: (() => void) | undefined;
}

export interface StanzaQueue {
  put(item: Queued): void;
  has(key: string): boolean;
  take(key: string): Queued | undefined;
  all(): Queued[];
  size(): number;
  clear(): void;
}

export function createStanzaQueue(): StanzaQueue {
  const items = new Map<string, Queued>();
  return {
    put(item) {
      items.delete(item.key);
      items.set(item.key, item);
    },
    has: (key) => items.has(key),
    take(key) {
      const item = items.get(key);
      items.delete(key);
      return item;
    },
    all: () => [...items.values()],
    size: () => items.size,
    clear: () => items.clear(),
  };
}
