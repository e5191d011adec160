/**
 * Delivers to one endpoint: takes the heads of lanes that are due, sends as many at a time as the breaker allows, and
 * hands each result to the settler. A lane's next event leaves only after the result of the one before is on disk.
 */
import { allowance, startProbe } from "../core/breaker.ts";
import { isSoftError, judge } from "../core/acknowledgement.ts";
import type { Clock } from "../core/clock.ts";
import type { Attempt, AttemptResult } from "../core/delivery.ts";
import { settleAttempt } from "../core/delivery-state.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Log } from "../core/log.ts";
import type { DueDelivery, OutboxStore } from "../core/store.ts";
import type { AddressGuard } from "../core/webhook-address.ts";
import { healthOf, isFailing, learn, type Health } from "./health.ts";
import { isOvertaken } from "./overtaken.ts";
import { createSender, type Exchange, type Sender } from "./sender.ts";
import type { Settler } from "./settler.ts";
import type { Slots } from "./slots.ts";
import { webhookHeaders, type Signing } from "./wire-headers.ts";

/** Heads taken ahead of their turn, so that one question to the store serves several requests. */
const AHEAD = 32;
/** Our own network failed: the endpoint is left alone this long, doubled each time. */
const HUB_PAUSE_MS = 1000;
const MAX_HUB_PAUSE_MS = 30_000;
const RESPONSE_HEAD = 2048;
/** Signatures fail at five minutes of difference; people should hear of it before. */
const CLOCK_SKEW_MS = 60_000;

export interface WorkerParts {
  outbox: OutboxStore;
  guard: AddressGuard;
  settler: Settler;
  slots: Slots;
  /** Wall time, for signatures and the log. */
  clock: Clock;
  /** Time of schedules. */
  timeline: Clock;
  log: Log;
  userAgent: string;
  random: () => number;
  /** Secrets that sign now; throws when they cannot be opened. */
  signing: (endpoint: Endpoint) => Signing;
  /** An event was given up. */
  onParked: (due: DueDelivery, error: string) => void;
  /** State or breaker changed: worth writing down at once. */
  onHealth: (endpointId: string, health: Health, becomes: Endpoint["state"] | null) => void;
  /** Something may have come to rest. */
  onRest: () => void;
}

export interface Worker {
  /** Look now: something may be due. */
  wake(): void;
  update(endpoint: Endpoint): void;
  health(): Health;
  /** Nothing is on its way, unsettled, or due now. */
  isResting(): boolean;
  /** Takes nothing more; what was taken and not sent is given back. */
  stop(): void;
  /** Cuts what is still on its way. */
  close(): void;
}

export function createWorker(first: Endpoint, parts: WorkerParts): Worker {
  const { outbox, settler, slots, clock, timeline, log } = parts;
  let endpoint = first;
  let sender: Sender | null = null;
  let signing: { value: Signing; until: Date | null } | null = null;
  let health = healthOf(first);
  let ready: DueDelivery[] = [];
  let onTheirWay = 0;
  let unsettled = 0;
  let looking = false;
  let lookAgain = false;
  /** The last look found less than it asked for: until something changes, another finds nothing. */
  let drained = false;
  let stopped = false;
  let hubPauseMs = 0;
  let heldUntil = 0;
  let timer: NodeJS.Timeout | null = null;
  let skewCheckedAt = 0;

  const isOpenForWork = (): boolean =>
    !stopped && endpoint.enabled && endpoint.state !== "paused" && !settler.isFailing();

  const capacity = (): number => {
    const now = timeline.now();
    if (!isOpenForWork() || heldUntil > now.getTime()) return 0;
    return allowance({ breaker: health.breaker, concurrency: endpoint.concurrency, now }) - onTheirWay;
  };

  const giveBack = (): void => {
    if (ready.length > 0) outbox.release(ready.map(({ laneId }) => laneId));
    ready = [];
    drained = false;
  };

  /** The next moment at which looking makes sense by itself; the dispatcher's tick is the safety net. */
  const wakeAt = (at: Date | null): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (at === null || stopped) return;
    const ms = Math.min(Math.max(at.getTime() - timeline.now().getTime(), 1), 60_000);
    timer = setTimeout(wake, ms);
    timer.unref();
  };

  const sendReady = (): void => {
    while (ready.length > 0 && capacity() > 0) {
      if (slots.free() <= 0) {
        slots.await(look);
        return;
      }
      const due = ready.shift();
      if (due !== undefined) void send(due);
    }
  };

  const fill = async (): Promise<void> => {
    sendReady();
    const free = capacity();
    if (free <= 0 || ready.length > 0) return;
    if (drained) {
      if (unsettled > 0) settler.hurry();
      return;
    }
    // While it is being tried out, nothing is taken that may have to be given back.
    const limit =
      health.breaker.state === "closed" && health.breaker.failures === 0 ? Math.max(free, AHEAD) : free;
    const due = await outbox.leaseDue({ endpointId: endpoint.id, now: timeline.now(), limit });
    ready.push(...due);
    drained = due.length < limit;
    if (!isOpenForWork()) giveBack();
    else if (due.length > 0) lookAgain = true;
    else if (unsettled > 0) settler.hurry();
    else wakeAt(await outbox.nextDueAt(endpoint.id));
  };

  const lookUntilNothing = async (): Promise<void> => {
    looking = true;
    try {
      do {
        lookAgain = false;
        await fill();
      } while (lookAgain);
    } catch (error) {
      log.error({ err: error, endpointId: endpoint.id }, "outbox.look_failed");
    } finally {
      looking = false;
    }
    parts.onRest();
  };
  function look(): void {
    if (looking) lookAgain = true;
    else if (!stopped) void lookUntilNothing();
  }
  function wake(): void {
    drained = false;
    look();
  }

  const currentSigning = (): Signing => {
    if (signing === null || (signing.until !== null && signing.until <= clock.now()))
      signing = { value: parts.signing(endpoint), until: endpoint.previousSecret?.until ?? null };
    if (endpoint.previousSecret !== null && endpoint.previousSecret.until <= clock.now())
      signing.until = null;
    return signing.value;
  };

  const send = async (due: DueDelivery): Promise<void> => {
    onTheirWay += 1;
    slots.take();
    health = { ...health, breaker: startProbe(health.breaker) };
    const at = clock.now();
    let concluded: { result: AttemptResult; exchange: Exchange | null };
    try {
      concluded = await attempt(due, at);
    } catch (error) {
      // Nothing was sent: the store or the vault failed. Their own checks tell; this lane tries again.
      log.error({ err: error, endpointId: endpoint.id, deliveryId: due.n }, "delivery.not_tried");
      outbox.release([due.laneId]);
      hold();
      return;
    } finally {
      onTheirWay -= 1;
      slots.give();
    }
    if (closed) return;
    await conclude(due, concluded.result, concluded.exchange, at);
    sendReady();
    if (ready.length === 0) look();
  };

  const attempt = async (
    due: DueDelivery,
    at: Date,
  ): Promise<{ result: AttemptResult; exchange: Exchange | null }> => {
    if (due.failure === "soft" && (await isOvertaken(due, outbox)))
      return {
        result: { outcome: "skipped", status: 0, note: "a later status was delivered" },
        exchange: null,
      };
    sender ??= createSender(endpoint, parts.guard);
    const body = Buffer.from(due.body);
    const headers = webhookHeaders(
      { ...due, attempt: due.attempts + 1, body },
      { endpoint, signing: currentSigning(), userAgent: parts.userAgent, at },
    );
    const exchange = await sender.post(body, headers);
    return { result: judge(exchange.answer, endpoint.ack, clock.now()), exchange };
  };

  let closed = false;

  const conclude = async (
    due: DueDelivery,
    judged: AttemptResult,
    exchange: Exchange | null,
    at: Date,
  ): Promise<void> => {
    const now = timeline.now();
    const softFailures =
      judged.outcome === "failed" && judged.failure === "soft" ? await softFailuresOf(due) : 0;
    const before = health;
    const {
      result,
      probing,
      health: after,
    } = learn(health, { due, result: judged, concurrency: endpoint.concurrency, now });
    health = after;
    const { patch, aside } = settleAttempt({
      attempts: due.attempts,
      result,
      probing,
      softFailures,
      now,
      random: parts.random(),
    });
    if (result.outcome === "failed" && result.failure === "hub") hold();
    else hubPauseMs = 0;
    if (exchange !== null) noticeSkew(exchange.date);
    if (result.outcome === "failed") tell(due, result, patch.nextAttemptAt);

    unsettled += 1;
    const tried = exchange !== null && !(result.outcome === "failed" && result.failure === "hub");
    settler.add(
      {
        n: due.n,
        laneId: due.laneId,
        patch,
        attempt: tried ? logged(due, result, exchange, at) : null,
        aside,
      },
      () => {
        unsettled -= 1;
        drained = false;
        if (patch.state === "dead" && result.outcome === "failed") parts.onParked(due, result.error);
        look();
      },
    );
    react(before, result, now);
  };

  /** What a result changes beyond its own delivery. */
  const react = (before: Health, result: AttemptResult, now: Date): void => {
    const paused = result.outcome === "failed" && result.pause;
    const failing = endpoint.state === "active" && isFailing(health, now);
    const recovered = endpoint.state === "failing" && health.failingSince === null;
    const becomes = paused ? "paused" : failing ? "failing" : recovered ? "active" : null;
    const opened = health.breaker.state === "open" && before.breaker.state !== "open";
    if (becomes !== null) endpoint = { ...endpoint, state: becomes };
    if (opened || paused) giveBack();
    if (opened) {
      wakeAt(health.breaker.until);
      log.warn(
        { endpointId: endpoint.id, error: health.lastError, until: health.breaker.until },
        "endpoint.breaker_opened",
      );
    }
    if (before.breaker.state !== "closed" && health.breaker.state === "closed")
      log.info({ endpointId: endpoint.id }, "endpoint.breaker_closed");
    if (paused) log.warn({ endpointId: endpoint.id }, "endpoint.paused_by_410");
    if (failing)
      log.error({ endpointId: endpoint.id, failingSince: health.failingSince }, "endpoint.failing");
    if (becomes !== null || health.breaker.state !== before.breaker.state)
      parts.onHealth(endpoint.id, health, becomes);
  };

  const hold = (): void => {
    hubPauseMs = Math.min(Math.max(hubPauseMs * 2, HUB_PAUSE_MS), MAX_HUB_PAUSE_MS);
    heldUntil = timeline.now().getTime() + hubPauseMs;
    giveBack();
    wakeAt(new Date(heldUntil));
  };

  /** Failures of this kind in a row, from the delivery log; they are rare enough to ask. */
  const softFailuresOf = async (due: DueDelivery): Promise<number> => {
    if (due.failure !== "soft") return 0;
    const known = await outbox.get(due.n);
    const errors = known?.attempts.map(({ error }) => error ?? "") ?? [];
    return errors.length - 1 - errors.findLastIndex((error) => !isSoftError(error));
  };

  const noticeSkew = (date: string | null): void => {
    const now = clock.now().getTime();
    if (date === null || now - skewCheckedAt < CLOCK_SKEW_MS) return;
    skewCheckedAt = now;
    const skewMs = now - Date.parse(date);
    if (Math.abs(skewMs) > CLOCK_SKEW_MS)
      log.warn({ endpointId: endpoint.id, skewMs }, "endpoint.clock_skew");
  };

  const tell = (
    due: DueDelivery,
    result: AttemptResult & { outcome: "failed" },
    nextAttemptAt: Date | null,
  ): void => {
    const { status, error, failure } = result;
    log.info(
      {
        deliveryId: due.n,
        endpointId: endpoint.id,
        attempt: due.attempts + 1,
        status,
        error,
        failure,
        nextAttemptAt,
      },
      "delivery.failed",
    );
  };

  const retireSender = (): void => {
    // Requests under way keep their connections; only idle ones are closed with the agent when they come back.
    const old = sender;
    sender = null;
    if (old !== null && onTheirWay === 0) old.close();
  };

  return {
    wake,
    update: (changed) => {
      if (
        changed.url !== endpoint.url ||
        changed.timeoutMs !== endpoint.timeoutMs ||
        changed.ack !== endpoint.ack ||
        changed.concurrency !== endpoint.concurrency
      )
        retireSender();
      // A person changed where or how: what was learnt about the old target says little about the new one.
      if (changed.url !== endpoint.url || (endpoint.state === "paused" && changed.state !== "paused"))
        health = healthOf(changed);
      endpoint = changed;
      signing = null;
      if (!isOpenForWork()) giveBack();
      wake();
    },
    health: () => health,
    isResting: () =>
      onTheirWay === 0 && unsettled === 0 && !looking && (ready.length === 0 || capacity() <= 0),
    stop: () => {
      stopped = true;
      giveBack();
      wakeAt(null);
    },
    close: () => {
      closed = true;
      sender?.close();
    },
  };
}

const logged = (due: DueDelivery, result: AttemptResult, { answer, ms }: Exchange, at: Date): Attempt => ({
  n: due.attempts + 1,
  at,
  ms,
  status: result.status,
  error: result.outcome === "failed" ? result.error : result.note,
  responseHead: answer.kind === "answered" ? answer.body.slice(0, RESPONSE_HEAD) : null,
});
