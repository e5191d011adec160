/** What the adapter remembers while it runs, bounded: names it looked up, and the newest position of each record. */
import type { Position } from "../../adapter.ts";

export interface Bounded<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  clear(): void;
  keys(): string[];
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
    keys: () => [...entries.keys()],
  };
}

/** Of one key no more than a question to the site can name. */
const NAMES_OF_A_KEY = 200;

/** Names of documents that have something in common; of each key the newest. */
export interface NameLists {
  of(key: string): string[];
  /** False when the key had more names than are kept. */
  isWhole(key: string): boolean;
  add(key: string, name: string): void;
  /** With its last name the key is forgotten. */
  remove(key: string, names: Iterable<string>): void;
}

export function createNameLists(keys: number): NameLists {
  const lists = bounded<{ names: Set<string>; isWhole: boolean }>(keys);
  return {
    of: (key) => [...(lists.get(key)?.names ?? [])],
    isWhole: (key) => lists.get(key)?.isWhole ?? true,
    add: (key, name) => {
      const list = lists.get(key) ?? { names: new Set(), isWhole: true };
      list.names.add(name);
      if (list.names.size > NAMES_OF_A_KEY) {
        const [oldest = ""] = list.names;
        list.names.delete(oldest);
        list.isWhole = false;
      }
      lists.set(key, list);
    },
    remove: (key, names) => {
      const list = lists.get(key);
      if (list === undefined) return;
      for (const name of names) list.names.delete(name);
      if (list.names.size === 0) lists.delete(key);
    },
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
