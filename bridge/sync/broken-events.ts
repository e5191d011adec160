/**
 * Events at which readings of the feed break, and when one of them is given up: it must not keep all that came after it, of
 * every account, from the CRM. As long as nothing else is applied either, it is not the event that is to blame.
 */
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";
import { CrmMisconfigured, CrmUnavailable, HubUnavailable, isPassing } from "../errors.ts";

/** Readings that an event may break. */
const MOST_BROKEN = 3;
/** For so long it may be the CRM's or the hub's own trouble with one record, which passes: a lock, a file that is being written. */
const PASSES_WITHIN_MS = 5 * 60_000;
/** Answers by which the hub says that it is away, busy, or wants another key. Any other is about what was asked. */
const NOT_ABOUT_ONE = [401, 403, 429, 502, 503, 504];

interface Broken {
  times: number;
  firstAt: number;
  /** How many events were applied before the first reading that it broke. */
  since: number;
}

export interface BrokenEvents {
  readingBegins(): void;
  applied(seq: number): void;
  /** The event broke a reading. True: it is to be set aside, and the others go on. */
  isGivenUp(seq: number, cause: unknown): Promise<boolean>;
  clear(): void;
}

export function createBrokenEvents({
  checkCrm,
  clock,
}: {
  checkCrm: () => Promise<void>;
  clock: Clock;
}): BrokenEvents {
  const elapsed = createElapsed(clock);
  const events = new Map<number, Broken>();
  let applied = 0;
  let appliedBefore = 0;

  const isCrmWell = async (): Promise<boolean> => {
    try {
      await checkCrm();
      return true;
    } catch (error) {
      if (isPassing(error)) return false;
      throw error;
    }
  };

  /** Whoever is away, or asks for patience, will take it later. */
  const mayBeOfTheEvent = async (cause: unknown): Promise<boolean> => {
    if (cause instanceof HubUnavailable)
      return cause.status !== null && !NOT_ABOUT_ONE.includes(cause.status);
    if (cause instanceof CrmUnavailable) return cause.retryAfterSeconds === null && isCrmWell();
    return !(cause instanceof CrmMisconfigured) || isCrmWell();
  };

  return {
    readingBegins: () => {
      appliedBefore = applied;
    },
    applied: (seq) => {
      events.delete(seq);
      applied += 1;
    },
    isGivenUp: async (seq, cause) => {
      if (!(await mayBeOfTheEvent(cause))) return false;
      const before = events.get(seq) ?? { times: 0, firstAt: elapsed(), since: appliedBefore };
      const { times, firstAt, since } = { ...before, times: before.times + 1 };
      events.set(seq, { times, firstAt, since });
      const isOurs = !isPassing(cause);
      const isLasting = elapsed() - firstAt >= PASSES_WITHIN_MS && applied > since;
      if (times < MOST_BROKEN || !(isOurs || isLasting)) return false;
      events.delete(seq);
      return true;
    },
    clear: () => events.clear(),
  };
}
