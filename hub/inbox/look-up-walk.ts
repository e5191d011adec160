/**
 * Goes through the contacts of a session that were never looked up, a page at a time, so that it holds a page however many there
 * are. Whom WhatsApp was asked about in vain has a second turn at the end, once a day has passed.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { isGroupJid, isLidJid, isPhoneJid, type Jid } from "../core/jid.ts";
import type { LookUpPage, LookUpPlace, LookUpStore } from "../core/store.ts";

const PAGE = 100;
const DAY_MS = 24 * 60 * 60 * 1000;

/** WhatsApp knows no profile of anything else. */
export const hasProfile = (jid: Jid): boolean => isPhoneJid(jid) || isLidJid(jid) || isGroupJid(jid);

export const wasAskedLately = (askedAt: number | null, now: Date): boolean =>
  askedAt !== null && now.getTime() - askedAt < DAY_MS;

export interface LookUpWalk {
  /** Who comes next, the same one until `passed`; null at the end. */
  head(): Promise<Jid | null>;
  passed(): void;
  /**
   * True: an order of so many (null: all) needs no walk of its own, because this one goes as far and looks a second time at
   * everybody. One that began on another day does not do: who is active today would come after all that were then.
   */
  covers(most: number | null): boolean;
  /** At the end: when somebody that was passed over may be asked about (Unix milliseconds); null when nobody was. */
  dueAt(): number | null;
}

interface WalkParts {
  sessionId: string;
  /** Only so many of the most recently active ones; null: all. */
  most: number | null;
  lookUps: Pick<LookUpStore, "page">;
  clock: Clock;
}

export function startWalk({ sessionId, most, lookUps, clock }: WalkParts): LookUpWalk {
  let waiting: Jid[] = [];
  let round: "first" | "again" | "over" = "first";
  let place: LookUpPlace | null = null;
  let seen = 0;
  let dueAt: number | null = null;
  const today = (): number => Math.floor(clock.now().getTime() / DAY_MS);
  const begunOn = today();

  /** Nothing of the second round was read yet. */
  const looksTwice = (): boolean => round === "first" || (round === "again" && place === null);

  const passOver = (askedAt: number): void => {
    dueAt = Math.min(dueAt ?? Infinity, askedAt + DAY_MS);
  };

  const take = ({ contacts }: LookUpPage): void => {
    for (const { jid, askedAt } of contacts) {
      if (!hasProfile(jid)) continue;
      if (askedAt === null || (round === "again" && !wasAskedLately(askedAt, clock.now()))) waiting.push(jid);
      else if (round === "again") passOver(askedAt);
    }
  };

  const read = async (): Promise<void> => {
    const limit = pageAfter(seen, most);
    const page: LookUpPage | null = limit > 0 ? await lookUps.page({ sessionId, place, limit }) : null;
    if (page !== null) take(page);
    seen += page?.seen ?? 0;
    place = page?.place ?? null;
    if (place !== null) return;
    round = round === "first" ? "again" : "over";
    seen = 0;
  };

  return {
    head: async () => {
      while (waiting.length === 0 && round !== "over") {
        await read();
        // The store answers at once: many pages in which nobody is left must not hold up everything else.
        await nextTurn();
      }
      return waiting[0] ?? null;
    },
    passed: () => {
      waiting = waiting.slice(1);
    },
    covers: (wanted) => looksTwice() && begunOn === today() && goesFor(most, wanted),
    dueAt: () => dueAt,
  };
}

const goesFor = (most: number | null, wanted: number | null): boolean =>
  most === null || (wanted !== null && wanted <= most);

/** How many are read after so many were seen. */
export const pageAfter = (seen: number, most: number | null): number =>
  Math.min(PAGE, (most ?? Infinity) - seen);
