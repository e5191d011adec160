/**
 * Events at which readings of the feed break, and when one of them is given up: it must not keep all that came after it, of
 * every account, from the CRM. As long as the CRM takes nothing else of its kind either, it is not the event that is to blame.
 */
import type { HubEvent } from "../../hub/contract/index.ts";
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";
import { CrmMisconfigured, CrmUnavailable, HubUnavailable, isPassing } from "../errors.ts";
import type { Action } from "../applied.ts";

/** Readings that an event may break. */
const MOST_BROKEN = 3;
/** For so long it may be the CRM's or the hub's own trouble with one record, which passes: a lock, a file that is being written. */
const PASSES_WITHIN_MS = 5 * 60_000;
/** Answers by which the hub says that it is away, busy, or wants another key. Any other is about what was asked. */
const NOT_ABOUT_ONE = [401, 403, 429, 502, 503, 504];
/** The same of a CRM: a proxy before it, a limit, a database that is busy or away. */
const CRM_NOT_ABOUT_ONE = [
  ...NOT_ABOUT_ONE.map((status) => `HTTP_${status}`),
  "HTTP_408",
  "QueryTimeoutError",
  "QueryDeadlockError",
  "TooManyWritesError",
  "RateLimitExceededError",
  "OperationalError",
  "InterfaceError",
  "InternalError",
];
/** No answer came (`ETIMEDOUT`), or the CRM's file as a whole fails: what is wrong with one record has no such code. */
const NO_ANSWER = /^(E[A-Z]+(_[A-Z]+)*|SQLITE_\w+)$/;

/** What an event did by which the CRM showed that it takes such records. The other actions write nothing, or prove nothing. */
const WRITTEN: readonly Action[] = ["created", "updated", "status_updated"];

type Named = Pick<HubEvent, "seq" | "event">;

/** What one table takes says nothing about another. A group is a contact and a chat; its chat is what is told most. */
function familyOf({ event }: Named): string {
  const family = event.slice(0, event.indexOf("."));
  return family === "group" ? "chat" : family;
}

interface Broken {
  times: number;
  firstAt: number;
  /** How many events of its kind the CRM had taken when it first broke one. */
  since: number;
}

export interface BrokenEvents {
  applied(event: Named, action: Action): void;
  /** The event broke a reading. True: it is to be set aside, and the others go on. */
  isGivenUp(event: Named, cause: unknown): Promise<boolean>;
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
  const taken = new Map<string, number>();
  const takenLike = (event: Named): number => taken.get(familyOf(event)) ?? 0;

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
    if (cause instanceof CrmUnavailable) return !isOfAll(cause) && isCrmWell();
    return !(cause instanceof CrmMisconfigured) || isCrmWell();
  };

  return {
    applied: (event, action) => {
      events.delete(event.seq);
      if (WRITTEN.includes(action)) taken.set(familyOf(event), takenLike(event) + 1);
    },
    isGivenUp: async (event, cause) => {
      const { seq } = event;
      const takenNow = takenLike(event);
      if (!(await mayBeOfTheEvent(cause))) return false;
      const before = events.get(seq) ?? { times: 0, firstAt: elapsed(), since: takenNow };
      const { times, firstAt, since } = { ...before, times: before.times + 1 };
      events.set(seq, { times, firstAt, since });
      const isOurs = !isPassing(cause);
      const isLasting = elapsed() - firstAt >= PASSES_WITHIN_MS && takenLike(event) > since;
      if (times < MOST_BROKEN || !(isOurs || isLasting)) return false;
      events.delete(seq);
      return true;
    },
    clear: () => events.clear(),
  };
}

const isOfAll = ({ retryAfterSeconds, code }: CrmUnavailable): boolean =>
  retryAfterSeconds !== null || (code !== null && (CRM_NOT_ABOUT_ONE.includes(code) || NO_ANSWER.test(code)));
