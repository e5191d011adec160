/** What becomes true of a delivery after an attempt. Pure; the only maker of `DeliveryPatch`. */
import type { AttemptResult, DeliveryPatch } from "./delivery.ts";

/** Pauses after the first attempt and after each one that follows: 13 attempts, about 76 hours. */
export const RETRY_SCHEDULE_SECONDS = [
  5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400, 86_400,
] as const;
/** An event that its receiver refuses is tried this often, then it gives way to those behind it. */
const EVENT_ATTEMPTS = 6;
/** An event that failed this often as its endpoint's fault, while others got through, is itself the fault. */
export const POISON_ATTEMPTS = 5;
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
  /** The breaker was open: this attempt was a probe and is not counted. */
  probing: boolean;
  /** Soft failures in a row before this one. */
  softFailures: number;
  now: Date;
  /** 0 to 1, for the spread of pauses. */
  random: number;
}

export function settleAttempt({ attempts, result, probing, softFailures, now, random }: Tried): Settled {
  if (result.outcome !== "failed") return settled(ended(result, attempts + 1, now));
  const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
  const again = (counted: number, at: Date, aside = false): Settled =>
    settled({ ...failure(result, counted), state: "retrying", nextAttemptAt: at, doneAt: null }, aside);

  if (result.failure === "hub") return again(attempts, after(HUB_SECONDS));
  if (result.failure === "endpoint" && (probing || result.pause)) return again(attempts, now);
  const counted = attempts + 1;
  if (result.failure === "soft") {
    const pause = SOFT_PAUSES[softFailures];
    return pause === undefined
      ? settled({ ...failure(result, counted), state: "skipped", nextAttemptAt: null, doneAt: now })
      : again(counted, after(pause.seconds), pause.aside);
  }
  const base = RETRY_SCHEDULE_SECONDS[attempts];
  if (base === undefined || (result.failure === "event" && counted >= EVENT_ATTEMPTS))
    return settled({ ...failure(result, counted), state: "dead", nextAttemptAt: null, doneAt: now });
  return again(counted, after(pauseSeconds(base, result, random)));
}

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
