/**
 * How many of a session's contacts were never looked up. Counting goes through all of them, and every order to look everybody
 * up asks: they share one count, which holds for a minute.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import type { LookUpPage, LookUpPlace, LookUpStore } from "../core/store.ts";
import { hasProfile, pageAfter } from "./look-up-walk.ts";

const KEEP_MS = 60_000;

export interface LookUpCounts {
  /** Of the `most` most recently active ones (null: of all). */
  left(sessionId: string, most: number | null): Promise<number>;
  /** It is not true any more. */
  forget(sessionId: string): void;
}

interface Kept {
  most: number | null;
  until: number;
  count: Promise<number>;
}

export function createLookUpCounts({
  lookUps,
  clock,
}: {
  lookUps: Pick<LookUpStore, "page">;
  clock: Clock;
}): LookUpCounts {
  const kept = new Map<string, Kept>();

  const count = async (sessionId: string, most: number | null): Promise<number> => {
    let count = 0;
    let seen = 0;
    let place: LookUpPlace | null = null;
    do {
      const page: LookUpPage = await lookUps.page({ sessionId, place, limit: pageAfter(seen, most) });
      count += page.contacts.filter(({ jid }) => hasProfile(jid)).length;
      seen += page.seen;
      place = page.place;
      await nextTurn();
    } while (place !== null && pageAfter(seen, most) > 0);
    return count;
  };

  return {
    left: async (sessionId, most) => {
      const now = clock.now().getTime();
      const known = kept.get(sessionId);
      if (known?.most === most && known.until > now) return known.count;
      const entry = { most, until: now + KEEP_MS, count: count(sessionId, most) };
      kept.set(sessionId, entry);
      const forget = (): void => {
        if (kept.get(sessionId) === entry) kept.delete(sessionId);
      };
      // Nobody left: whoever comes next is not to be passed over.
      if ((await entry.count.catch(() => 0)) === 0) forget();
      return entry.count;
    },
    forget: (sessionId) => {
      kept.delete(sessionId);
    },
  };
}
