/**
 * A document type of which one record alone fails, and no other is written that would show whose fault it is: a quiet account
 * with one contact that changed. It is to blame once it has failed for some minutes while the site took records of other types.
 * As soon as a second record of the type fails it is the type that fails, until the site takes one.
 */
import type { Clock } from "../../clock.ts";
import { createElapsed } from "../../elapsed.ts";

const FAILS_FOR_MS = 5 * 60_000;

export interface LoneFaults {
  failed(doctype: string, key: string): void;
  /** The site wrote something of the type. */
  written(doctype: string): void;
  isToBlame(doctype: string, key: string): boolean;
}

export function createLoneFaults(clock: Clock): LoneFaults {
  const elapsed = createElapsed(clock);
  /** `key`: null when several failed. */
  const failing = new Map<string, { key: string | null; at: number; since: number }>();
  let count = 0;
  return {
    failed: (doctype, key) => {
      const before = failing.get(doctype) ?? { key, at: elapsed(), since: count };
      failing.set(doctype, before.key === key ? before : { ...before, key: null });
    },
    written: (doctype) => {
      failing.delete(doctype);
      count += 1;
    },
    isToBlame: (doctype, key) => {
      const one = failing.get(doctype);
      return one?.key === key && elapsed() - one.at >= FAILS_FOR_MS && count > one.since;
    },
  };
}
