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
import {
  clampRetryAfter,
  leastPauseSeconds,
  POISON_ATTEMPTS,
  RETRY_SCHEDULE_SECONDS,
} from "../core/delivery-state.ts";
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
  /** The events refused since the last success. */
  refusals: Refusal[];
  /** The breaker opened because the endpoint refuses every event, not because it is away. */
  refusesAll: boolean;
  /** Since when it is there and yet fails, or since a head last gave way meanwhile; null while it may be away. Only remembered. */
  answersSince: Date | null;
  /** How many heads gave way since the last success; only remembered. */
  gaveWay: number;
}

type Refusal = Pick<DueDelivery, "n" | "laneId">;

export const healthOf = ({ breaker, failingSince, lastSuccessAt, lastError }: Endpoint): Health => ({
  breaker,
  recent: noAnswers,
  failingSince,
  oursSince: null,
  lastSuccessAt,
  lastError,
  refusals: [],
  refusesAll: false,
  answersSince: null,
  gaveWay: 0,
});

/** Refused events, on this many lanes, that together say something about the endpoint. */
const REFUSALS = 5;
const REFUSED_LANES = 3;
/**
 * Of one queue only its head is tried, so that nothing tells one bad event from an endpoint that takes nothing: after so long
 * the next in line is tried, too. Longer where it may be in trouble itself, and twice as long each time: who takes nothing for
 * days is to find the order of a queue nearly as it was.
 */
const GIVES_WAY_MS = { refused: 3_600_000, failed: 24 * 3_600_000 };
/** What stands before an endpoint says that it is away. */
const AWAY_STATUSES = new Set([502, 503, 504]);
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
  /** Those behind it are tried before it is tried again. */
  stepsAside: boolean;
}

interface Answered {
  due: Pick<DueDelivery, "n" | "attempts" | "failure" | "laneId" | "hasFollowers">;
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
    return { health: succeeded(health, concurrency, now), result, probing, stepsAside: false };

  const failure = classOf(health, answered, result.failure);
  const classed: AttemptResult = { ...result, failure };
  switch (failure) {
    case "hub":
      return {
        health: unreached(health, result.error, answered),
        result: classed,
        probing,
        stepsAside: false,
      };
    case "event":
      return {
        ...{ health: refused(health, result.error, answered), result: classed, probing },
        stepsAside: false,
      };
    case "endpoint": {
      const refusesAll = result.failure === "event";
      const planned = RETRY_SCHEDULE_SECONDS[0];
      const wait = result.retryAfterSeconds === null ? 0 : clampRetryAfter(result.retryAfterSeconds, planned);
      const answersSince = withAnswer(health, result.status, now);
      const stepsAside = probing && hasHeldUp({ ...health, answersSince }, answered);
      const watch = refusesAll && !probing ? openNow(health, now) : afterFailure(health, now, wait);
      return {
        health: {
          ...health,
          ...watch,
          refusesAll: refusesAll || (probing && health.refusesAll),
          failingSince: health.failingSince ?? now,
          lastError: result.error,
          answersSince: stepsAside ? now : answersSince,
          gaveWay: health.gaveWay + (stepsAside ? 1 : 0),
        },
        result: classed,
        probing,
        stepsAside,
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
  refusals: health.refusals.length === 0 ? health.refusals : [],
  refusesAll: false,
  answersSince: null,
  gaveWay: 0,
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
    answersSince: null,
    failingSince: isLong ? (health.failingSince ?? oursSince) : health.failingSince,
    lastError: isLong ? `${error}; ${others}` : error,
  };
}

/** The endpoint answers, only not as wished: while probing that is what was to be found out. */
function refused(health: Health, lastError: string, { due, concurrency, now }: Answered): Health {
  const known = { ...health, lastError, refusals: withRefusal(health, due) };
  return known.breaker.state === "closed" ? known : { ...known, ...afterSuccess(health, concurrency, now) };
}

const withRefusal = ({ refusals }: Health, { n, laneId }: Refusal): Refusal[] =>
  [...refusals, { n, laneId }].slice(-REFUSALS);

/** On several queues at once, or one after the other on one: there the second was tried when the first was given up. */
function isOfAll(refusals: Refusal[], { n, laneId }: Refusal): boolean {
  if (refusals.length < REFUSALS) return false;
  const lanes = new Set(refusals.map((one) => one.laneId));
  return lanes.size >= REFUSED_LANES || refusals.some((one) => one.laneId === laneId && one.n !== n);
}

const withAnswer = ({ answersSince }: Health, status: number | null, now: Date): Date | null =>
  status === null || AWAY_STATUSES.has(status) ? null : (answersSince ?? now);

/** It answers, and yet the same event has kept its queue waiting since the last one gave way. */
function hasHeldUp({ answersSince, gaveWay, refusesAll }: Health, { due, now }: Answered): boolean {
  const patienceMs = refusesAll ? GIVES_WAY_MS.refused : GIVES_WAY_MS.failed;
  return due.hasFollowers && isSince(answersSince, patienceMs * 2 ** gaveWay, now);
}

function classOf(
  health: Health,
  { due, now }: Answered,
  failure: Exclude<FailureClass, "soft">,
): Exclude<FailureClass, "soft"> {
  if (failure === "event") {
    if (health.breaker.state !== "closed") return health.refusesAll ? "endpoint" : "event";
    return isOfAll(withRefusal(health, due), due) ? "endpoint" : "event";
  }
  if (failure === "endpoint" && isPoison(health, due, now)) return "event";
  return failure;
}

/** It failed as its endpoint's fault again and again, and since its last try others got through. */
function isPoison({ lastSuccessAt }: Health, { attempts, failure }: Answered["due"], now: Date): boolean {
  if (attempts + 1 < POISON_ATTEMPTS || (failure !== "endpoint" && failure !== "event")) return false;
  // The shortest, so that a success before the last try is not taken for one after it.
  const pauseMs = leastPauseSeconds(attempts, failure) * 1000;
  return lastSuccessAt !== null && now.getTime() - lastSuccessAt.getTime() <= pauseMs;
}
