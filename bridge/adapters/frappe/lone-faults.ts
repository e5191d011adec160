/**
 * A kind of write, new documents of a type or changes of its documents, with which one record alone fails, and no other is
 * written that would show whose fault it is: a quiet account with one contact that changed. It is to blame once it has failed for
 * some minutes while the site took records of other kinds. As soon as a second record of the kind fails it is the kind that fails,
 * until the site takes one.
 */
import type { Clock } from "../../clock.ts";
import { createElapsed } from "../../elapsed.ts";

const FAILS_FOR_MS = 5 * 60_000;

export interface LoneFaults {
  failed(kind: string, key: string): void;
  /** The site wrote something of the kind. */
  written(kind: string): void;
  isToBlame(kind: string, key: string): boolean;
}

export function createLoneFaults(clock: Clock): LoneFaults {
  const elapsed = createElapsed(clock);
  /** `key`: null when several failed. */
  const failing = new Map<string, { key: string | null; at: number; since: number }>();
  let count = 0;
  return {
    failed: (kind, key) => {
      const before = failing.get(kind) ?? { key, at: elapsed(), since: count };
      failing.set(kind, before.key === key ? before : { ...before, key: null });
    },
    written: (kind) => {
      failing.delete(kind);
      count += 1;
    },
    isToBlame: (kind, key) => {
      const one = failing.get(kind);
      return one?.key === key && elapsed() - one.at >= FAILS_FOR_MS && count > one.since;
    },
  };
}
