/** Runs one worker per endpoint: starts and stops them, wakes them, keeps their health on disk. */
import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { OutboxStore, Settlement } from "../core/store.ts";
import type { AddressGuard } from "../core/webhook-address.ts";
import { createAttempts } from "./attempt.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Health } from "./health.ts";
import { createSettler } from "./settler.ts";
import { createSlots } from "./slots.ts";
import { createTimeline } from "./timeline.ts";
import { createStanding } from "./standing.ts";
import { createWorker, type Worker } from "./worker.ts";

/** Requests on their way over all endpoints. */
const TOTAL = 64;
const TICK_MS = 1000;
/** The first ring is heard at once; those that come so close behind it are one. */
const RING_MS = 4;
const STOP_MS = 5000;
/** An endpoint that fails for so long is worth calling somebody. */
const TOLD_MS = 15 * 60_000;

export interface Dispatcher {
  start(): Promise<void>;
  /** Takes nothing more, lets requests under way finish for a few seconds, writes down their results. */
  stop(): Promise<void>;
  /** Resolves when nothing can be done now: all delivered, waiting for its time, or held back by a breaker. */
  idle(): Promise<void>;
}

export interface DispatcherParts {
  outbox: OutboxStore;
  endpoints: Pick<Endpoints, "list" | "signing" | "saveHealth" | "onChange">;
  guard: AddressGuard;
  clock: Clock;
  nudge: Nudge;
  log: Log;
  /** `InboxHub/<version>` */
  userAgent: string;
  random?: () => number;
  onSettled?: (settlement: Settlement) => void;
  /** An endpoint was paused by its own word, takes nothing for longer than a deployment lasts, or had an event parked. */
  onTrouble?: (endpointId: string, what: "failing" | "paused" | "parked") => void;
}

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { outbox, endpoints, guard, clock, nudge, log, userAgent, random = Math.random } = parts;
  const timeline = createTimeline({ clock, log });
  const settler = createSettler({ outbox, timeline, log, onSettled: parts.onSettled ?? (() => undefined) });
  const slots = createSlots(TOTAL);
  const workers = new Map<string, Worker>();
  const saved = new Map<string, Health>();
  const errands = new Set<Promise<void>>();
  let atRest: (() => void)[] = [];
  let tick: NodeJS.Timeout | null = null;
  let ring: NodeJS.Timeout | null = null;
  let heardAt = -Infinity;
  let unsubscribe: (() => void)[] = [];

  const isResting = (): boolean =>
    errands.size === 0 && ring === null && [...workers.values()].every((worker) => worker.isResting());
  const onRest = (): void => {
    if (atRest.length === 0) return;
    // Somebody waits for rest: what came back meanwhile is written down now rather than with more to come.
    settler.hurry();
    if (!isResting()) return;
    const waiting = atRest;
    atRest = [];
    for (const resolve of waiting) resolve();
  };

  /** Work nobody waits for; its failure is told once. */
  const errand = (what: string, work: Promise<unknown>): void => {
    const running: Promise<void> = work
      .then(
        () => undefined,
        (error: unknown) => log.error({ err: error }, what),
      )
      .finally(() => {
        errands.delete(running);
        onRest();
      });
    errands.add(running);
  };

  const saveHealth = (id: string, health: Health, becomes: Endpoint["state"] | null): void => {
    saved.set(id, health);
    if (becomes === "paused") parts.onTrouble?.(id, "paused");
    else if (health.failingSince !== null && clock.now().getTime() - health.failingSince.getTime() >= TOLD_MS)
      parts.onTrouble?.(id, "failing");
    errand("endpoint.health_not_saved", endpoints.saveHealth(id, health, becomes));
  };

  const othersReachedAt = (but: string): Date | null => {
    const times = [...workers].map(([id, worker]) => (id === but ? null : worker.health().lastSuccessAt));
    return times.reduce((last, at) => (last === null || (at !== null && at > last) ? at : last), null);
  };

  const workerFor = (endpoint: Endpoint): Worker =>
    createWorker({
      outbox,
      attempts: createAttempts({
        outbox,
        guard,
        clock,
        log,
        userAgent,
        signing: (of) => endpoints.signing(of),
      }),
      standing: createStanding(endpoint, {
        ...{ log, random, onHealth: saveHealth },
        othersReachedAt: () => othersReachedAt(endpoint.id),
      }),
      settler,
      slots,
      timeline,
      log,
      onParked: (due, error) => {
        log.warn({ deliveryId: due.n, endpointId: due.endpointId, seq: due.seq, error }, "delivery.parked");
        parts.onTrouble?.(due.endpointId, "parked");
        // The others are told of it.
        nudge.ring();
      },
      onRest,
    });

  const changed = (id: string, endpoint: Endpoint | null, isAfresh: boolean): void => {
    const worker = workers.get(id);
    if (endpoint === null) {
      worker?.stop();
      worker?.close();
      workers.delete(id);
    } else if (worker === undefined) {
      const created = workerFor(endpoint);
      workers.set(id, created);
      created.wake();
    } else worker.update(endpoint, isAfresh);
  };

  const wakeAll = (): void => {
    for (const worker of workers.values()) worker.wake();
  };
  const hear = (): void => {
    ring = null;
    heardAt = performance.now();
    wakeAll();
    onRest();
  };
  const rung = (): void => {
    if (ring !== null) return;
    const waitMs = heardAt + RING_MS - performance.now();
    if (waitMs > 0) ring = setTimeout(hear, waitMs);
    else hear();
  };

  const saveChanged = (): void => {
    for (const [id, worker] of workers) {
      const health = worker.health();
      const before = saved.get(id);
      if (before?.lastSuccessAt === health.lastSuccessAt && before.lastError === health.lastError) continue;
      if (before === undefined && health.lastSuccessAt === null && health.lastError === null) continue;
      saveHealth(id, health, null);
    }
  };

  /** Somebody may not have been called for it: killed in between, or parked by a version that called nobody. */
  const tellParked = async (all: Endpoint[]): Promise<void> => {
    for (const { id, enabled } of all)
      if (enabled && (await outbox.count({ endpointId: id, state: "dead" })) > 0)
        parts.onTrouble?.(id, "parked");
  };

  return {
    start: async () => {
      const all = await endpoints.list();
      for (const endpoint of all) changed(endpoint.id, endpoint, false);
      errand("endpoint.parked_not_told", tellParked(all));
      unsubscribe = [nudge.onRing(rung), endpoints.onChange(changed)];
      tick = setInterval(() => {
        wakeAll();
        saveChanged();
      }, TICK_MS);
    },
    stop: async () => {
      for (const end of unsubscribe) end();
      unsubscribe = [];
      if (tick !== null) clearInterval(tick);
      if (ring !== null) clearTimeout(ring);
      tick = ring = null;
      for (const worker of workers.values()) worker.stop();
      await Promise.race([resting(), patience(STOP_MS)]);
      for (const worker of workers.values()) worker.close();
      await settler.stop();
      saveChanged();
      await Promise.all(errands);
      workers.clear();
    },
    idle: async () => {
      wakeAll();
      await resting();
    },
  };

  function resting(): Promise<void> {
    settler.hurry();
    return isResting() ? Promise.resolve() : new Promise((resolve) => atRest.push(resolve));
  }
}

const patience = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
