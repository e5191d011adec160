/** A bridge's reading of the events of a hub in memory, and what came of it. */
import { systemClock } from "../../bridge/clock.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { createFeed, type FeedParts, type ResetReason } from "../../bridge/sync/feed.ts";
import type { Action } from "../../bridge/applied.ts";
import type { EventName, HubEvent } from "../../hub/contract/index.ts";
import { createFakeHub } from "./fake-hub.ts";
import { logBook } from "./log-book.ts";

export const HOLE_MS = 30;

export async function openFeed({
  events = 0,
  mark = 0,
  known = true,
  ...change
}: Partial<FeedParts> & { events?: number; mark?: number; known?: boolean } = {}) {
  const hub = createFakeHub();
  hub.store.addSession({ sessionId: "s1" });
  const happens = (count: number): void => {
    for (let n = 0; n < count; n += 1) hub.receives("s1", { chatId: `3460000000${n % 5}@c.us` });
  };
  happens(events);
  const state = createMemoryState();
  await state.update((data) => {
    data.mark = mark;
    if (known) data.hub = { hubId: hub.hubId, epoch: hub.epoch };
  });
  const applied: number[] = [];
  const resets: ResetReason[] = [];
  const aside: number[] = [];
  const log = logBook();
  const feed = createFeed({
    hub,
    state,
    apply: ({ seq }: HubEvent) => {
      applied.push(seq);
      return Promise.resolve({ action: "created" });
    },
    setAside: ({ seq }) => {
      aside.push(seq);
      return Promise.resolve();
    },
    onReset: (why) => {
      resets.push(why);
      return Promise.resolve();
    },
    checkCrm: () => Promise.resolve(),
    clock: systemClock,
    log,
    holeMs: HOLE_MS,
    ...change,
  });
  const asked = () =>
    hub.calls
      .filter(({ method }) => method === "events")
      .map(({ args }) => args[0] as { after: number; limit: number }); // what the method takes
  /** Came by webhook, and was written. */
  const pushed = (seq: number, event: EventName = "message.received", action: Action = "created"): void =>
    feed.noticed({ seq, event }, action);
  return { hub, happens, state, feed, pushed, applied, aside, resets, log, asked };
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
