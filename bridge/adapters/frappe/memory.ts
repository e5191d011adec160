/** What the adapter remembers while it runs, bounded: names it looked up, and the newest position of each record. */
import type { Position } from "../../adapter.ts";

export interface Bounded<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  clear(): void;
}

/** Forgets the entry that was not asked for longest. */
export function bounded<V>(limit: number): Bounded<V> {
  const entries = new Map<string, V>();
  return {
    get: (key) => {
      const value = entries.get(key);
      if (value !== undefined) {
        entries.delete(key);
        entries.set(key, value);
      }
      return value;
    },
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= limit) return;
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    },
    delete: (key) => entries.delete(key),
    clear: () => entries.clear(),
  };
}

const REMEMBERED_POSITIONS = 50_000;

export interface Positions {
  /**
   * True when something newer than `position` was already shown; `kept` is what the row itself says. A position that is
   * not known never counts as newer than one that is.
   */
  isStale(key: string, position: Position, kept: number | undefined): boolean;
  shown(key: string, position: Position): void;
}

/** The row's own mark is only moved by writes: an unchanged record is not written to move it. */
export function createPositions(): Positions {
  const newest = bounded<number>(REMEMBERED_POSITIONS);
  const known = (key: string): number => newest.get(key) ?? -1;
  return {
    isStale: (key, position, kept = -1) => (position ?? -1) < Math.max(known(key), kept),
    shown: (key, position) => {
      if (position !== null && position > known(key)) newest.set(key, position);
    },
  };
}
