/**
 * How an endpoint is doing, and whose fault a failure is: single answers do not tell, those around them do. Pure: each
 * answer makes a new `Health`; what the store keeps of it is part of the endpoint.
 */
import {
  afterFailure,
  afterNeither,
  afterSuccess,
  noAnswers,
  openNow,
  type RecentAnswers,
} from "../core/breaker.ts";
import type { AttemptResult, FailureClass } from "../core/delivery.ts";
import { clampRetryAfter, POISON_ATTEMPTS, RETRY_SCHEDULE_SECONDS } from "../core/delivery-state.ts";
import type { Breaker, Endpoint } from "../core/endpoint.ts";
import type { DueDelivery } from "../core/store.ts";

export interface Health {
  breaker: Breaker;
  recent: RecentAnswers;
  failingSince: Date | null;
  /** Start of an unbroken run of failures that are laid to our own network; only remembered. */
  oursSince: Date | null;
  lastSuccessAt: Date | null;
  lastError: string | null;
  /** Lanes of the events refused since the last success. */
  refusedLanes: number[];
  /** The breaker opened because the endpoint refuses every event, not because it is away. */
  refusesAll: boolean;
}

export const healthOf = ({ breaker, failingSince, lastSuccessAt, lastError }: Endpoint): Health => ({
  breaker,
  recent: noAnswers,
  failingSince,
  oursSince: null,
  lastSuccessAt,
  lastError,
  refusedLanes: [],
  refusesAll: false,
});

/** Refused events, on this many lanes, that together say something about the endpoint. */
const REFUSALS = 5;
const REFUSED_LANES = 3;
/** So long without a single success, and people are told. */
const FAILING_MS = 72 * 3_600_000;

/** A name that does not resolve for so long is hardly our own network's fault, or nobody else noticed that it is. */
const OURS_MS = 15 * 60_000;

const isSince = (since: Date | null, ms: number, now: Date): boolean =>
  since !== null && now.getTime() - since.getTime() >= ms;

export const isFailing = ({ failingSince, oursSince }: Health, now: Date): boolean =>
  isSince(failingSince, FAILING_MS, now) || isSince(oursSince, OURS_MS, now);

export interface Learned {
  health: Health;
  /** The result with the class that the circumstances give it. */
  result: AttemptResult;
  /** The breaker was not closed: the attempt was a probe, or under way when it opened. */
  probing: boolean;
}

interface Answered {
  due: Pick<DueDelivery, "attempts" | "failure" | "laneId">;
  result: AttemptResult;
  concurrency: number;
  now: Date;
  /** When another endpoint took something last; null: there is none, or it never did. */
  othersReachedAt: Date | null;
}

export function learn(before: Health, answered: Answered): Learned {
  const { result, now, concurrency } = answered;
  const health = afterOurs(before, result);
  const probing = health.breaker.state !== "closed";
  if (result.outcome !== "failed" || result.failure === "soft")
    return { health: succeeded(health, concurrency, now), result, probing };

  const failure = classOf(health, answered, result.failure);
  const classed: AttemptResult = { ...result, failure };
  switch (failure) {
    case "hub":
      return { health: unreached(health, result.error, answered), result: classed, probing };
    case "event":
      return { health: refused(health, answered), result: classed, probing };
    case "endpoint": {
      const refusesAll = result.failure === "event";
      const planned = RETRY_SCHEDULE_SECONDS[0];
      const wait = result.retryAfterSeconds === null ? 0 : clampRetryAfter(result.retryAfterSeconds, planned);
      const watch = refusesAll && !probing ? openNow(health, now) : afterFailure(health, now, wait);
      return {
        health: {
          ...health,
          ...watch,
          refusesAll: refusesAll || (probing && health.refusesAll),
          failingSince: health.failingSince ?? now,
          lastError: result.error,
        },
        result: classed,
        probing,
      };
    }
  }
}

/** Whose failure it is by itself, whatever happens around it. */
export const isOurs = (result: AttemptResult): boolean =>
  result.outcome === "failed" && result.failure === "hub";

/** Whatever else it was, something got out. */
const afterOurs = (health: Health, result: AttemptResult): Health =>
  health.oursSince === null || isOurs(result) ? health : { ...health, oursSince: null };

const succeeded = (health: Health, concurrency: number, now: Date): Health => ({
  ...health,
  ...afterSuccess(health, concurrency, now),
  failingSince: null,
  lastSuccessAt: now,
  refusedLanes: health.refusedLanes.length === 0 ? health.refusedLanes : [],
  refusesAll: false,
});

/**
 * Nothing left this machine, so the endpoint is not blamed and no attempt is used: yet it gets nothing, and a name that its own
 * servers do not answer for, or that of a stopped container, looks the same as an outage of ours.
 */
function unreached(health: Health, error: string, { now, othersReachedAt }: Answered): Health {
  const oursSince = health.oursSince ?? now;
  const isLong = isSince(oursSince, OURS_MS, now);
  const others =
    othersReachedAt !== null && othersReachedAt > oursSince
      ? "other endpoints are reached meanwhile"
      : "no other endpoint was reached meanwhile: it may be the network or the DNS of the hub's own machine";
  return {
    ...health,
    ...afterNeither(health, now),
    oursSince,
    failingSince: isLong ? (health.failingSince ?? oursSince) : health.failingSince,
    lastError: isLong ? `${error}; ${others}` : error,
  };
}

/** The endpoint answers, only not as wished: while probing that is what was to be found out. */
function refused(health: Health, { due, concurrency, now }: Answered): Health {
  const refusedLanes = [...health.refusedLanes, due.laneId].slice(-REFUSALS);
  if (health.breaker.state === "closed") return { ...health, refusedLanes };
  return { ...health, ...afterSuccess(health, concurrency, now), refusedLanes };
}

function classOf(
  health: Health,
  { due, now }: Answered,
  failure: Exclude<FailureClass, "soft">,
): Exclude<FailureClass, "soft"> {
  if (failure === "event") {
    if (health.breaker.state !== "closed") return health.refusesAll ? "endpoint" : "event";
    const lanes = [...health.refusedLanes, due.laneId].slice(-REFUSALS);
    return lanes.length >= REFUSALS && new Set(lanes).size >= REFUSED_LANES ? "endpoint" : "event";
  }
  if (failure === "endpoint" && isPoison(health, due, now)) return "event";
  return failure;
}

/** It failed as its endpoint's fault again and again, and since its last try others got through. */
function isPoison({ lastSuccessAt }: Health, { attempts, failure }: Answered["due"], now: Date): boolean {
  if (attempts + 1 < POISON_ATTEMPTS || (failure !== "endpoint" && failure !== "event")) return false;
  const pauseSeconds = RETRY_SCHEDULE_SECONDS[attempts - 1] ?? 0;
  // The shortest pause there can have been, so that a success before the last try is not taken for one after it.
  return lastSuccessAt !== null && now.getTime() - lastSuccessAt.getTime() <= pauseSeconds * 800;
}
