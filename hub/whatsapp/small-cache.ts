/**
 * A bounded cache with an age, in the shape Baileys asks for. Baileys' own default costs a timer and several maps for each
 * of five caches of each socket; this one lives as long as the session, so that counters survive reconnects.
 */
import type { CacheStore } from "./baileys.ts";

export interface SmallCache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
  readonly size: number;
}

/** Least recently used goes first; nothing is touched by a timer. */
export function createSmallCache<Value>({ max, ttlMs }: { max: number; ttlMs: number }): SmallCache<Value> {
  const entries = new Map<string, { value: Value; until: number }>();
  return {
    get: (key) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.until <= Date.now()) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, { value, until: Date.now() + ttlMs });
      if (entries.size <= max) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        return;
      }
    },
    delete: (key) => void entries.delete(key),
    get size() {
      return entries.size;
    },
  };
}

export function asBaileysCache({ max, ttlMs }: { max: number; ttlMs: number }): CacheStore {
  let cache = createSmallCache<unknown>({ max, ttlMs });
  return {
    // Baileys reads back what it wrote under the same key, so the type it names is the type it gets.
    get: (key) => cache.get(key) as never,
    set: (key, value) => cache.set(key, value),
    del: (key) => cache.delete(key),
    flushAll: () => {
      cache = createSmallCache({ max, ttlMs });
    },
  };
}
