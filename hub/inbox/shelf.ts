/** Answers kept for a while: the same question is asked once, also when many ask it at the same moment. */
import type { Clock } from "../core/clock.ts";

export interface Shelf<T> {
  /** A failure is not kept: the next one asks again. */
  get(name: string, ask: () => Promise<T>): Promise<T>;
}

export function createShelf<T>(rules: { clock: Clock; keepMs: number; max: number }): Shelf<T> {
  const kept = new Map<string, { until: number; answer: Promise<T> }>();

  return {
    get: async (name, ask) => {
      const now = rules.clock.now().getTime();
      const known = kept.get(name);
      if (known !== undefined && known.until > now) return known.answer;
      const entry = { until: now + rules.keepMs, answer: ask() };
      kept.delete(name);
      kept.set(name, entry);
      for (const oldest of kept.keys()) {
        if (kept.size <= rules.max) break;
        kept.delete(oldest);
      }
      try {
        return await entry.answer;
      } catch (error) {
        if (kept.get(name) === entry) kept.delete(name);
        throw error;
      }
    },
  };
}
