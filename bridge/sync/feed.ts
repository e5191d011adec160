/**
 * The hub's event feed, read from a mark: what proves that nothing is missing. The mark moves only here, after a page is in
 * the CRM. Pushed events overtake one another and never move it; the holes they leave are read as exactly those ranges.
 */
import type { HubEvent } from "../../hub/contract/index.ts";
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";
import { failureFacts, HubUnavailable } from "../errors.ts";
import type { EventsPage, HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import type { BridgeData, BridgeState } from "../state/bridge-state.ts";
import type { Action, Apply } from "../applied.ts";
import { applyInOrder } from "./apply-in-order.ts";
import { createBrokenEvents } from "./broken-events.ts";
import { createHoles } from "./holes.ts";

/**
 * new_hub    never read before, or another hub answers
 * new_epoch  the hub was restored from a backup
 * expired    the hub keeps no events as old as the mark
 * ahead      the mark, or an event that was pushed, is beyond the newest event: a backup again, or a copy of the hub
 */
export type ResetReason = "new_hub" | "new_epoch" | "expired" | "ahead";

export interface Feed {
  /** A pushed event is in the CRM. A hole below it that stays open is pulled. */
  noticed(event: Pick<HubEvent, "seq" | "event">, action: Action): void;
  /**
   * From the mark to the end; calls that meet share one run.
   * @throws what stopped it (CrmUnavailable, CrmMisconfigured, HubUnavailable): the mark stays before what was not applied
   */
  read(): Promise<{ applied: number; from: number; to: number }>;
  /** Events up to `top` are in the CRM, but for `missing` of them. */
  reached(): { top: number; missing: number };
  stop(): Promise<void>;
  idle(): Promise<void>;
}

export interface FeedParts {
  hub: Pick<HubClient, "events">;
  state: BridgeState;
  apply: Apply;
  /** Keeps an event that cannot be applied where a person sees it. */
  setAside: (event: HubEvent, cause: unknown) => Promise<void>;
  /**
   * The events up to now are not to be had one by one: everything must be compared. Called again when it fails or the
   * process dies in it. It may ask for that work but must not wait for a reading: it is called within one.
   */
  onReset: (why: ResetReason) => Promise<void>;
  /** Proves that the CRM can be worked with, whatever becomes of one event. @throws CrmUnavailable, CrmMisconfigured */
  checkCrm: () => Promise<void>;
  clock: Clock;
  log: Log;
  /** How long a hole may wait for the events that were overtaken. */
  holeMs?: number;
}

const PAGE = 500;
/** Those of hub and bridge. */
const CLOCKS_DIFFER_SECONDS = 2 * 60;
const HOLE_MS = 10_000;
/** Events applied and not yet passed by the mark; forgetting one costs a write that changes nothing. */
const MOST_REMEMBERED = 100_000;

export function createFeed(parts: FeedParts): Feed {
  const { hub, state, apply, setAside, onReset, clock, log, holeMs = HOLE_MS } = parts;
  const elapsed = createElapsed(clock);
  const applied = new Set<number>();
  const broken = createBrokenEvents(parts);
  /** Newest event that was pushed; 0 before the first one. */
  let newestPushed = 0;
  let holes = createHoles(state.read().mark);
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;
  let reading: Promise<{ applied: number; from: number; to: number }> | null = null;
  /** Readings and pulls, one after the other. */
  let tail: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work, work);
    tail = result.catch(() => undefined);
    return result;
  };

  const remember = (seq: number): void => {
    applied.add(seq);
    if (applied.size <= MOST_REMEMBERED) return;
    for (const oldest of applied) {
      applied.delete(oldest);
      return;
    }
  };

  /** @returns how many were new here */
  const applyAll = async (events: HubEvent[]): Promise<number> => {
    const fresh = events.filter(({ seq }) => !applied.has(seq));
    await applyInOrder(fresh, { apply: applyOne, mayPass: setAsideIfGivenUp });
    return fresh.length;
  };

  const applyOne = async (event: HubEvent): Promise<void> => {
    const { action, rejected } = await apply(event);
    broken.applied(event, action);
    if (rejected !== undefined) log.warn({ seq: event.seq, event: event.event }, "feed.rejected");
    remember(event.seq);
  };

  const setAsideIfGivenUp = async (event: HubEvent, cause: unknown): Promise<boolean> => {
    if (!(await broken.isGivenUp(event, cause))) return false;
    const { seq } = event;
    log.error({ seq, event: event.event, ...failureFacts(cause) }, "feed.set_aside");
    await setAside(event, cause);
    remember(seq);
    return true;
  };

  /** Why the mark means nothing for this page, or null. `pushed`: the newest that was pushed before the page was asked for. */
  const resetReason = ({ hubId, epoch, latestSeq }: EventsPage, pushed: number): ResetReason | null => {
    const { hub: known, mark } = state.read();
    if (known === null || known.hubId !== hubId) return "new_hub";
    if (known.epoch !== epoch) return "new_epoch";
    return Math.max(mark, pushed) > latestSeq ? "ahead" : null;
  };

  /** The mark moves to where the hub was before everything was asked for anew: what happens meanwhile comes as events. */
  const reset = async (why: ResetReason): Promise<number> => {
    const resetAt = Math.floor(clock.now().getTime() / 1000) - CLOCKS_DIFFER_SECONDS;
    const { hubId, epoch, latestSeq } = await hub.events({ after: 0, limit: 1 });
    log.warn({ why, hubId, epoch, latestSeq }, "feed.reset");
    await state.update((data) => {
      data.syncedUntil = {};
      if (why === "expired") {
        noteLost(data);
        return;
      }
      data.lostEvents = {};
      // Numbers of another count: compared with new ones they would hide them.
      for (const row of Object.values(data.connections))
        Object.assign(row, { seq: 0, disconnectOrderedSeq: null, connectOrderedSeq: null });
      data.failedItems = data.failedItems.filter(({ kind }) => kind !== "event");
    });
    await onReset(why);
    await state.update((data) => {
      data.hub = { hubId, epoch };
      data.mark = latestSeq;
      data.markAt = resetAt;
    });
    applied.clear();
    broken.clear();
    newestPushed = 0;
    holes = createHoles(latestSeq);
    return latestSeq;
  };

  const moveMark = async (mark: number, last: HubEvent | undefined): Promise<void> => {
    await state.update((data) => {
      data.mark = mark;
      if (last !== undefined) data.markAt = Math.floor(Date.parse(last.timestamp) / 1000);
    });
    for (const seq of applied) if (seq <= mark) applied.delete(seq);
    holes.settledUpTo(mark);
  };

  const pageAfter = async (after: number, limit: number): Promise<EventsPage | ResetReason> => {
    const pushed = newestPushed;
    try {
      const page = await hub.events({ after, limit });
      return resetReason(page, pushed) ?? page;
    } catch (error) {
      if (error instanceof HubUnavailable && error.code === "EVENTS_EXPIRED") return "expired";
      throw error;
    }
  };

  const readAll = async (): Promise<{ applied: number; from: number; to: number }> => {
    const from = state.read().mark;
    let count = 0;
    for (let hasMore = true; hasMore && !isStopped;) {
      const page = await pageAfter(state.read().mark, PAGE);
      if (typeof page === "string") return { applied: count, from, to: await reset(page) };
      count += await applyAll(page.events);
      if (page.nextAfter !== state.read().mark) await moveMark(page.nextAfter, page.events.at(-1));
      ({ hasMore } = page);
    }
    const to = state.read().mark;
    if (count > 0) log.info({ applied: count, from, to }, "feed.read");
    return { applied: count, from, to };
  };

  const read = (): Promise<{ applied: number; from: number; to: number }> => {
    reading ??= inTurn(readAll).finally(() => {
      reading = null;
    });
    return reading;
  };

  /** True when it was reset: what else was to be pulled has numbers of another count. */
  const pull = async (range: { from: number; to: number }): Promise<boolean> => {
    let count = 0;
    for (let after = range.from - 1; after < range.to && !isStopped;) {
      const page = await pageAfter(after, Math.min(PAGE, range.to - after));
      if (typeof page === "string") {
        await reset(page);
        return true;
      }
      count += await applyAll(page.events.filter(({ seq }) => seq <= range.to));
      // Asked again at once, it would lead nowhere again.
      if (page.nextAfter <= after) throw new HubUnavailable("The hub's events do not go on.");
      after = page.nextAfter;
    }
    holes.closed(range);
    if (count > 0) log.info({ ...range, applied: count }, "feed.hole_filled");
    return false;
  };

  const pullDue = async (): Promise<void> => {
    for (const range of holes.due(elapsed(), holeMs)) {
      try {
        if (await pull(range)) return;
      } catch (error) {
        holes.postponed(range, elapsed());
        log.warn({ ...range, ...failureFacts(error) }, "feed.hole_stays");
      }
    }
  };

  const watch = (): void => {
    if (timer !== null || isStopped || holes.isEmpty) return;
    timer = setTimeout(() => {
      timer = null;
      void inTurn(pullDue).then(watch);
    }, holeMs);
    timer.unref();
  };

  return {
    noticed: (event, action) => {
      const { seq } = event;
      newestPushed = Math.max(newestPushed, seq);
      broken.applied(event, action);
      remember(seq);
      if (holes.noticed(seq, elapsed())) watch();
    },
    read,
    // What is pushed before the first reading says nothing of what was before it.
    reached: () => (state.read().hub === null ? { top: state.read().mark, missing: 0 } : holes.reached),
    stop: async () => {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
      await tail;
    },
    idle: async () => {
      await tail;
    },
  };
}

/**
 * All that was told after the mark, of each session; what was lost before and not made good yet lies further back. A hub's
 * clock that was set back in between gave later changes earlier times.
 */
function noteLost({ markAt, connections, lostEvents }: BridgeData): void {
  if (markAt === null) return;
  const from = markAt - CLOCKS_DIFFER_SECONDS;
  for (const sessionId of Object.keys(connections)) {
    const since = Math.min(from, lostEvents[sessionId]?.since ?? from);
    lostEvents[sessionId] = { since, cursor: null };
  }
}
