/** What becomes true of a delivery after an attempt. Pure; the only maker of `DeliveryPatch`. */
import type { AttemptResult, DeliveryPatch, FailureClass } from "./delivery.ts";

/** Pauses after the first attempt and after each one that follows. An event that is refused after the last of them is parked. */
export const RETRY_SCHEDULE_SECONDS = [5, 30, 120, 600, 1800] as const;
/** An event that failed this often as its endpoint's fault, while others got through, is itself the fault. */
export const POISON_ATTEMPTS = 5;
/** At most so many of those count when it is refused later. */
const OUTAGE_ATTEMPTS = 2;
/** An endpoint that may be back is not left alone for longer, as its breaker's probes are. */
const ENDPOINT_PAUSE_SECONDS = 300;
const SPREAD = 0.2;
const SLOW_SECONDS = 60;
const MAX_RETRY_AFTER_SECONDS = 3600;
/** A status that came too early: once more in place, then twice outside its lane. */
const SOFT_PAUSES = [
  { seconds: 2, aside: false },
  { seconds: 30, aside: true },
  { seconds: 300, aside: true },
];
/** Pause after a failure of our own network. */
const HUB_SECONDS = 5;

export interface Settled {
  patch: DeliveryPatch;
  /** It waits outside its lane; those behind it go on. */
  aside: boolean;
}

export interface Tried {
  /** Counted attempts before this one. */
  attempts: number;
  result: AttemptResult;
  /** It is refused now, and failed only as its endpoint's fault before. */
  isFirstRefusal: boolean;
  /** The breaker was open: this attempt was a probe and is not counted. */
  probing: boolean;
  /** It has kept those behind it waiting for so long that one of them has to be tried. */
  stepsAside: boolean;
  /** This attempt opened the breaker: its pauses are the ones that count now. */
  opens: boolean;
  /** Soft failures in a row before this one. */
  softFailures: number;
  now: Date;
  /** 0 to 1, for the spread of pauses. */
  random: number;
}

export function settleAttempt(tried: Tried): Settled {
  const { result, probing, stepsAside, opens, softFailures, now, random } = tried;
  if (result.outcome !== "failed") return settled(ended(result, tried.attempts + 1, now));
  const attempts = attemptsHeldAgainst(tried, result.failure);
  const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
  const again = (counted: number, at: Date, aside = false): Settled =>
    settled({ ...failure(result, counted), state: "retrying", nextAttemptAt: at, doneAt: null }, aside);

  if (result.failure === "hub") return again(attempts, after(HUB_SECONDS));
  if (result.failure === "endpoint" && (probing || result.pause)) return again(attempts, now, stepsAside);
  const counted = attempts + 1;
  if (result.failure === "endpoint" && opens) return again(counted, now, stepsAside);
  if (result.failure === "soft") {
    const pause = SOFT_PAUSES[softFailures];
    return pause === undefined
      ? settled({ ...failure(result, counted), state: "skipped", nextAttemptAt: null, doneAt: now })
      : again(counted, after(pause.seconds), pause.aside);
  }
  const base = plannedSeconds(attempts, result.failure);
  if (base === undefined)
    return settled({ ...failure(result, counted), state: "dead", nextAttemptAt: null, doneAt: now });
  return again(counted, after(pauseSeconds(base, result, random)));
}

/** What an outage used up is not held against an event: a CRM may refuse for a moment while it comes back. */
const attemptsHeldAgainst = ({ attempts, isFirstRefusal }: Tried, failure: FailureClass): number =>
  isFirstRefusal && failure === "event" ? Math.min(attempts, OUTAGE_ATTEMPTS) : attempts;

/** Undefined after the last try; what its endpoint is to blame for is tried for ever. */
function plannedSeconds(attempts: number, failure: FailureClass): number | undefined {
  const seconds = RETRY_SCHEDULE_SECONDS[attempts];
  if (failure !== "endpoint") return seconds;
  return Math.min(seconds ?? ENDPOINT_PAUSE_SECONDS, ENDPOINT_PAUSE_SECONDS);
}

/** The shortest pause there can have been before the try that follows so many. */
export const leastPauseSeconds = (attempts: number, failure: FailureClass): number =>
  (plannedSeconds(attempts - 1, failure) ?? 0) * (1 - SPREAD);

const settled = (patch: DeliveryPatch, aside = false): Settled => ({ patch, aside });

type Failed = AttemptResult & { outcome: "failed" };

const ended = (result: Exclude<AttemptResult, Failed>, attempts: number, now: Date): DeliveryPatch => ({
  state: result.outcome === "skipped" ? "skipped" : "delivered",
  attempts,
  nextAttemptAt: null,
  lastStatus: result.status,
  lastError: result.note,
  failure: null,
  doneAt: now,
});

const failure = (result: Failed, attempts: number) => ({
  attempts,
  lastStatus: result.status,
  lastError: result.error,
  failure: result.failure,
});

/** The schedule, spread by a fifth; at least a minute after a timeout; `Retry-After` within reason. */
function pauseSeconds(base: number, { slow, retryAfterSeconds }: Failed, random: number): number {
  const least = Math.max(base * (1 - SPREAD + 2 * SPREAD * random), slow ? SLOW_SECONDS : 0);
  return retryAfterSeconds === null ? least : clampRetryAfter(retryAfterSeconds, least);
}

/** A wish of the receiver: not earlier than planned, and not later than an hour or twice the plan. */
export const clampRetryAfter = (wished: number, planned: number): number =>
  Math.min(Math.max(wished, planned), Math.max(2 * planned, MAX_RETRY_AFTER_SECONDS));
