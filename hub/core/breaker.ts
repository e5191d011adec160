/**
 * When an endpoint is left alone. Pure: every answer moves a `Breaker` (kept in the store) and a window of recent
 * answers (remembered only). Waiting events lose no attempt while it is not closed.
 */
import { closedBreaker, type Breaker } from "./endpoint.ts";

/** Pauses before each probe, the last one repeated. */
const PROBE_PAUSES_SECONDS = [5, 15, 30, 60, 120, 300] as const;
const LONGEST_PAUSE_SECONDS = 300;
const FAILURES_TO_OPEN = 5;
const SUCCESSES_TO_CLOSE = 2;
/** Share of failures among recent answers that opens it although some succeed. */
const SHARE_TO_OPEN = 0.7;
const LEAST_ANSWERS = 10;
const WINDOW_SECONDS = 300;
const BUCKET_SECONDS = 10;
/** Answers that must succeed at one width before it doubles after an outage. */
const SUCCESSES_PER_STEP = 4;

/** Counts of answers in slices of time, oldest first. */
export interface RecentAnswers {
  buckets: { start: number; good: number; bad: number }[];
}

export const noAnswers: RecentAnswers = { buckets: [] };

export interface Watch {
  breaker: Breaker;
  recent: RecentAnswers;
}

/** How many requests may be on their way now; 0 while it is open and its pause is not over. */
export function allowance({
  breaker,
  concurrency,
  now,
}: {
  breaker: Breaker;
  concurrency: number;
  now: Date;
}): number {
  if (breaker.state === "probing") return 1;
  if (breaker.state === "open") return breaker.until !== null && breaker.until > now ? 0 : 1;
  // Close to opening, no more are sent than it takes: an outage costs five attempts, not five plus what was under way.
  const untilOpen = Math.max(1, FAILURES_TO_OPEN - breaker.failures);
  return Math.min(concurrency, untilOpen, breaker.openings === 0 ? concurrency : width(breaker.successes));
}

/** Requests at a time after an outage: 1, 2, 4 … */
const width = (successes: number): number =>
  2 ** Math.floor((successes - SUCCESSES_TO_CLOSE) / SUCCESSES_PER_STEP);

/** A request is about to leave: an open breaker whose pause is over begins to probe. */
export const startProbe = (breaker: Breaker): Breaker =>
  breaker.state === "open" ? { ...breaker, state: "probing", until: null } : breaker;

export function afterSuccess({ breaker, recent }: Watch, concurrency: number, now: Date): Watch {
  const window = counted(recent, now, true);
  if (breaker.state === "closed") {
    if (breaker.openings === 0)
      return { breaker: breaker.failures === 0 ? breaker : closedBreaker, recent: window };
    const successes = breaker.successes + 1;
    return {
      breaker: width(successes) >= concurrency ? closedBreaker : { ...breaker, failures: 0, successes },
      recent: window,
    };
  }
  const successes = breaker.successes + 1;
  const state = successes >= SUCCESSES_TO_CLOSE ? "closed" : "probing";
  return { breaker: { ...breaker, state, until: null, failures: 0, successes }, recent: noAnswers };
}

/** `waitSeconds` is what the endpoint asked for, already within reason. */
export function afterFailure({ breaker, recent }: Watch, now: Date, waitSeconds = 0): Watch {
  const failures = breaker.failures + 1;
  const window = counted(recent, now, false);
  const opens = breaker.state === "probing" || failures >= FAILURES_TO_OPEN || mostlyBad(window);
  // One that was under way when it opened: the pause that runs is not made longer.
  if (breaker.state === "open") return { breaker: { ...breaker, failures }, recent };
  if (!opens) return { breaker: { ...breaker, failures, successes: SUCCESSES_TO_CLOSE }, recent: window };
  return { breaker: opened(breaker, failures, now, waitSeconds), recent: noAnswers };
}

/** Opens it whatever was counted: the answers together say what none says alone. */
export const openNow = ({ breaker }: Watch, now: Date): Watch => ({
  breaker: opened(breaker, Math.max(breaker.failures, FAILURES_TO_OPEN), now, 0),
  recent: noAnswers,
});

/** A probe that said nothing about the endpoint: the next one comes after the shortest pause. */
export const afterNeither = ({ breaker, recent }: Watch, now: Date): Watch => ({
  breaker:
    breaker.state === "probing"
      ? { ...breaker, state: "open", until: secondsAfter(now, PROBE_PAUSES_SECONDS[0]) }
      : breaker,
  recent,
});

function opened(breaker: Breaker, failures: number, now: Date, waitSeconds: number): Breaker {
  const pause = PROBE_PAUSES_SECONDS[breaker.openings] ?? LONGEST_PAUSE_SECONDS;
  return {
    state: "open",
    until: secondsAfter(now, Math.max(pause, waitSeconds)),
    openings: breaker.openings + 1,
    failures,
    successes: 0,
  };
}

const secondsAfter = (now: Date, seconds: number): Date => new Date(now.getTime() + seconds * 1000);

function counted({ buckets }: RecentAnswers, now: Date, good: boolean): RecentAnswers {
  const seconds = now.getTime() / 1000;
  const start = seconds - (seconds % BUCKET_SECONDS);
  const last = buckets.at(-1);
  if (last?.start === start) {
    // In place: one answer in thousands a second must not copy the window.
    if (good) last.good += 1;
    else last.bad += 1;
    return { buckets };
  }
  const kept = buckets.filter((bucket) => bucket.start > seconds - WINDOW_SECONDS);
  return { buckets: [...kept, { start, good: good ? 1 : 0, bad: good ? 0 : 1 }] };
}

function mostlyBad({ buckets }: RecentAnswers): boolean {
  const good = buckets.reduce((sum, bucket) => sum + bucket.good, 0);
  const bad = buckets.reduce((sum, bucket) => sum + bucket.bad, 0);
  return good + bad >= LEAST_ANSWERS && bad / (good + bad) >= SHARE_TO_OPEN;
}
