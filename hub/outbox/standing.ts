/** Where an endpoint stands: what it is, what was learnt of it, and what one more answer changes. */
import { startProbe } from "../core/breaker.ts";
import type { AttemptResult } from "../core/delivery.ts";
import { settleAttempt } from "../core/delivery-state.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Log } from "../core/log.ts";
import type { DueDelivery, Settlement } from "../core/store.ts";
import type { Tried } from "./attempt.ts";
import { healthOf, isFailing, isOurs, learn, type Health } from "./health.ts";
import { parkedEvent } from "./parked.ts";

export interface Standing {
  endpoint(): Endpoint;
  health(): Health;
  /** A person changed it. `isAfresh`: what was learnt of it before says nothing any more. */
  update(endpoint: Endpoint, isAfresh: boolean): void;
  /** A request is about to leave. */
  leaving(): void;
  /** What becomes true of a delivery, and whether sending has to stop. */
  conclude(due: DueDelivery, tried: Tried, now: Date): Conclusion;
}

export interface Conclusion {
  settlement: Settlement;
  /** Set when the event is given up. */
  parkedBecause: string | null;
  /** Nothing more may leave now: the breaker opened, or the endpoint wants no more. */
  stops: boolean;
  /** It was our own network that failed. */
  isOurs: boolean;
}

export interface StandingParts {
  log: Log;
  random: () => number;
  /** When another endpoint took something last. */
  othersReachedAt: () => Date | null;
  /** The state or the breaker changed, or nothing gets out any more: worth writing down at once. */
  onHealth: (endpointId: string, health: Health, becomes: Endpoint["state"] | null) => void;
}

export function createStanding(
  first: Endpoint,
  { log, random, othersReachedAt, onHealth }: StandingParts,
): Standing {
  let endpoint = first;
  let health = healthOf(first);

  /** Says aloud what changed, and returns the state the endpoint gets by it. */
  const announce = (before: Health, result: AttemptResult, now: Date): Endpoint["state"] | null => {
    const endpointId = endpoint.id;
    const [was, is] = [before.breaker.state, health.breaker.state];
    if (is === "open" && was !== "open")
      log.warn(
        { endpointId, error: health.lastError, until: health.breaker.until },
        "endpoint.breaker_opened",
      );
    if (is === "closed" && was !== "closed") log.info({ endpointId }, "endpoint.breaker_closed");
    if (result.outcome === "failed" && result.pause) {
      log.warn({ endpointId }, "endpoint.paused_by_410");
      return "paused";
    }
    if (endpoint.state === "active" && isFailing(health, now)) {
      log.error({ endpointId, failingSince: health.failingSince }, "endpoint.failing");
      return "failing";
    }
    return endpoint.state === "failing" && health.failingSince === null ? "active" : null;
  };

  return {
    endpoint: () => endpoint,
    health: () => health,
    update: (changed, isAfresh) => {
      if (isAfresh) health = healthOf(changed);
      endpoint = changed;
    },
    leaving: () => {
      const breaker = startProbe(health.breaker);
      if (breaker !== health.breaker) health = { ...health, breaker };
    },
    conclude: (due, { result: judged, attempt, softFailures }, now) => {
      const before = health;
      const isHubs = isOurs(judged);
      const learned = learn(health, {
        ...{ due, result: judged, concurrency: endpoint.concurrency, now },
        // Asked only where it says something: all others are looked at.
        othersReachedAt: isHubs ? othersReachedAt() : null,
      });
      const { result, stepsAside } = learned;
      health = learned.health;
      const { attempts } = due;
      const probing = learned.probing && !isHalfBack(before);
      const opens = !probing && health.breaker.state === "open";
      const { patch, aside } = settleAttempt({
        ...{ attempts, result, isFirstRefusal: isFirstRefusal(due, judged) },
        ...{ probing, stepsAside, opens, softFailures, now, random: random() },
      });
      if (stepsAside) log.warn({ endpointId: endpoint.id, deliveryId: due.n }, "delivery.put_aside");
      if (result.outcome === "failed") {
        const { status, error, failure } = result;
        log.info(
          {
            deliveryId: due.n,
            endpointId: endpoint.id,
            attempt: attempts + 1,
            status,
            error,
            failure,
            nextAttemptAt: patch.nextAttemptAt,
          },
          "delivery.failed",
        );
      }
      const becomes = announce(before, result, now);
      if (becomes !== null) endpoint = { ...endpoint, state: becomes };
      if (becomes !== null || isNews(before, health)) onHealth(endpoint.id, health, becomes);
      const parkedBecause = patch.state === "dead" ? patch.lastError : null;
      const settlement = { n: due.n, laneId: due.laneId, patch, attempt: isHubs ? null : attempt, aside };
      const news = parkedBecause === null ? null : parkedEvent(due, parkedBecause);
      return {
        settlement: news === null ? settlement : { ...settlement, news },
        parkedBecause,
        stops: health.breaker.state === "open" || endpoint.state === "paused",
        isOurs: isHubs,
      };
    },
  };
}

/** The breaker changed, or nothing gets out any more. */
const isNews = (before: Health, after: Health): boolean =>
  before.breaker.state !== after.breaker.state || (before.oursSince === null && after.oursSince !== null);

const isFirstRefusal = ({ failure }: DueDelivery, judged: AttemptResult): boolean =>
  failure === "endpoint" && judged.outcome === "failed" && judged.failure === "event";

/** The probe before this one succeeded: what fails now does not fail for the outage alone, and is counted. */
const isHalfBack = ({ breaker }: Health): boolean => breaker.state === "probing" && breaker.successes > 0;
