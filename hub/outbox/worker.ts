/**
 * Delivers to one endpoint: takes the heads of lanes that are due, sends as many at a time as the breaker allows, and
 * hands each result to the settler. A lane's next event leaves only after the result of the one before is on disk.
 */
import { allowance } from "../core/breaker.ts";
import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Log } from "../core/log.ts";
import type { DueDelivery, OutboxStore } from "../core/store.ts";
import type { Attempts, Tried } from "./attempt.ts";
import type { Health } from "./health.ts";
import type { Settler } from "./settler.ts";
import type { Slots } from "./slots.ts";
import type { Standing } from "./standing.ts";

/** Heads taken ahead of their turn, so that one question to the store serves several requests. */
const AHEAD = 64;
/** Our own network failed: the endpoint is left alone this long, doubled each time. */
const HOLD_MS = 1000;
const MAX_HOLD_MS = 30_000;
const LONGEST_WAIT_MS = 60_000;

export interface Worker {
  /** Look now: something may be due. */
  wake(): void;
  /** `isAfresh`: what was learnt of it before says nothing any more. */
  update(endpoint: Endpoint, isAfresh: boolean): void;
  health(): Health;
  /** Nothing is under way or unsettled, and nothing can be sent now. */
  isResting(): boolean;
  /** Takes nothing more; what was taken and not sent is given back. */
  stop(): void;
  /** Cuts what is under way; its results are of no interest any more. */
  close(): void;
}

export interface WorkerParts {
  outbox: Pick<OutboxStore, "leaseDue" | "nextDueAt" | "isBlocked" | "release">;
  attempts: Attempts;
  standing: Standing;
  settler: Settler;
  slots: Slots;
  timeline: Clock;
  log: Log;
  /** An event was given up, and that is on disk. */
  onParked: (due: DueDelivery, error: string) => void;
  /** Something may have come to rest. */
  onRest: () => void;
}

export function createWorker(parts: WorkerParts): Worker {
  const { outbox, attempts, standing, settler, slots, timeline, log, onParked, onRest } = parts;
  let ready: DueDelivery[] = [];
  let underWay = 0;
  let unsettled = 0;
  /** Those of them behind which their lanes wait: only for these is the disk hurried. */
  let blocking = 0;
  let looking = false;
  let lookAgain = false;
  /** The last look found less than it asked for: until something changes, another finds nothing. */
  let drained = false;
  /** A look found nothing while requests were under way: what made us look may stand behind one of them. */
  let crowded = false;
  let stopped = false;
  let closed = false;
  let holdMs = 0;
  let heldUntil = 0;
  let timer: NodeJS.Timeout | null = null;

  const mayWork = (): boolean => {
    const { enabled, state } = standing.endpoint();
    return !stopped && enabled && state !== "paused" && !settler.isFailing();
  };
  const capacity = (): number => {
    const now = timeline.now();
    if (!mayWork() || heldUntil > now.getTime()) return 0;
    const { concurrency } = standing.endpoint();
    return allowance({ breaker: standing.health().breaker, concurrency, now }) - underWay;
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
    const ms = Math.min(Math.max(at.getTime() - timeline.now().getTime(), 1), LONGEST_WAIT_MS);
    timer = setTimeout(wake, ms);
    timer.unref();
  };
  const hold = (): void => {
    holdMs = Math.min(Math.max(holdMs * 2, HOLD_MS), MAX_HOLD_MS);
    heldUntil = timeline.now().getTime() + holdMs;
    giveBack();
    wakeAt(new Date(heldUntil));
  };

  /** A lane waits for results to be on disk: at once when nothing else could be sent meanwhile. */
  const urge = (): void => {
    if (underWay === 0) settler.hurry();
    else settler.soon();
  };

  const sendReady = (): void => {
    let free = ready.length > 0 ? capacity() : 0;
    for (; free > 0 && ready.length > 0; free -= 1) {
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
    const free = ready.length > 0 ? 0 : capacity();
    if (free <= 0 || drained) {
      if (blocking > 0 && (drained || underWay === 0)) urge();
      return;
    }
    const { id: endpointId } = standing.endpoint();
    const { breaker } = standing.health();
    // While it is being tried out, nothing is taken that may have to be given back.
    const limit = breaker.state === "closed" && breaker.failures === 0 ? Math.max(free, AHEAD) : free;
    const due = await outbox.leaseDue({ endpointId, now: timeline.now(), limit });
    ready.push(...due);
    drained = due.length < limit;
    crowded = due.length === 0 && underWay > 0;
    if (!mayWork()) giveBack();
    else if (due.length > 0) lookAgain = true;
    else if (unsettled > 0) {
      // What made us look may stand behind a result that is not on disk yet.
      if (await outbox.isBlocked(endpointId, timeline.now())) urge();
    } else wakeAt(await outbox.nextDueAt(endpointId));
  };
  const askedAgain = (): boolean => {
    const asked = lookAgain;
    lookAgain = false;
    return asked;
  };
  const lookUntilNothing = async (): Promise<void> => {
    looking = true;
    try {
      do await fill();
      while (askedAgain());
    } catch (error) {
      log.error({ err: error, endpointId: standing.endpoint().id }, "outbox.look_failed");
    } finally {
      looking = false;
    }
    onRest();
  };
  function look(): void {
    if (looking) lookAgain = true;
    else if (!stopped) void lookUntilNothing();
  }
  function wake(): void {
    drained = false;
    look();
  }

  const send = async (due: DueDelivery): Promise<void> => {
    underWay += 1;
    slots.take();
    standing.leaving();
    const endpoint = standing.endpoint();
    let tried: Tried | null = null;
    try {
      tried = await attempts.make(due, endpoint);
    } catch (error) {
      log.error({ err: error, endpointId: endpoint.id, deliveryId: due.n }, "delivery.not_tried");
    }
    underWay -= 1;
    slots.give();
    if (closed) return;
    if (tried === null) {
      outbox.release([due.laneId]);
      hold();
    } else conclude(due, tried);
    if (ready.length > 0) sendReady();
    else look();
    if (stopped) onRest();
  };

  const conclude = (due: DueDelivery, tried: Tried): void => {
    const { settlement, parkedBecause, stops, isOurs } = standing.conclude(due, tried, timeline.now());
    if (isOurs) hold();
    else holdMs = 0;
    if (stops && ready.length > 0) giveBack();
    if (stops) wakeAt(standing.health().breaker.until);
    if (crowded) drained = false;
    const blocks = due.hasFollowers ? 1 : 0;
    unsettled += 1;
    blocking += blocks;
    settler.add(settlement, () => {
      unsettled -= 1;
      blocking -= blocks;
      drained = false;
      if (parkedBecause !== null) onParked(due, parkedBecause);
      // With heads at hand, whatever is under way goes on with them when it is done.
      if (ready.length === 0 || underWay === 0) look();
      if (stopped) onRest();
    });
  };

  return {
    wake,
    update: (endpoint, isAfresh) => {
      attempts.retarget();
      standing.update(endpoint, isAfresh);
      heldUntil = 0;
      if (!mayWork()) giveBack();
      wake();
    },
    health: () => standing.health(),
    isResting: () => underWay === 0 && unsettled === 0 && !looking && (ready.length === 0 || capacity() <= 0),
    stop: () => {
      stopped = true;
      giveBack();
      wakeAt(null);
    },
    close: () => {
      closed = true;
      attempts.close();
    },
  };
}
