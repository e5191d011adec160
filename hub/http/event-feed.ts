/** Reading the log of events: everything after a number, in order, waiting for news when asked to. */
import type { Response } from "express";
import type { EventName } from "../contract/events.ts";
import { HubError } from "../core/errors.ts";
import type { HttpContext } from "./context.ts";

export interface FeedQuery {
  /** Everything later than this; null for "only the position". */
  after: number | null;
  limit: number;
  waitMs: number;
  /** What the caller may hear of what he asked for, when he came. */
  first: FeedReach;
  /** The same after each wait. @throws HubError when he may no more */
  again(): Promise<FeedReach>;
}

export interface FeedReach {
  sessions: "*" | string[];
  types: EventName[];
}

type FeedContext = Pick<HttpContext, "store" | "nudge" | "stopping">;

/** The answer's `data` as JSON text: events go out as the bytes they were frozen in. */
export async function readFeed(query: FeedQuery, response: Response, ctx: FeedContext): Promise<string> {
  const { hubId, epoch } = await ctx.store.identity();
  const position = async (): Promise<{ oldestSeq: number; latestSeq: number }> => ctx.store.events.range();
  if (query.after === null) {
    const { oldestSeq, latestSeq } = await position();
    return feedText([], { nextAfter: latestSeq, hasMore: false, latestSeq, oldestSeq, hubId, epoch });
  }
  const { limit } = query;
  const deadline = performance.now() + query.waitMs;
  let from = query.after;
  for (let reach = query.first; ; reach = await query.again()) {
    // Asked for before the events: nothing up to it can become visible later, so that the reader may move there.
    const range = await position();
    const after = Math.min(from, range.latestSeq);
    refuseExpired(after, range);
    const events = await ctx.store.events.after({ ...reach, after, limit });
    const remainingMs = deadline - performance.now();
    if (
      events.length > 0 ||
      remainingMs <= 0 ||
      (await isOver(Math.min(remainingMs, LOOK_MS), response, ctx))
    ) {
      const hasMore = events.length === limit;
      const last = events.at(-1)?.seq ?? after;
      const nextAfter = hasMore ? last : Math.max(last, range.latestSeq);
      return feedText(
        events.map(({ body }) => body),
        { nextAfter, hasMore, ...range, latestSeq: Math.max(range.latestSeq, last), hubId, epoch },
      );
    }
    // Nothing he may hear lies before: a whole log without it is not read again at each ring.
    from = range.latestSeq;
  }
}

const feedText = (bodies: string[], rest: object): string =>
  `{"events":[${bodies.join(",")}],${JSON.stringify(rest).slice(1)}`;

/** 0 means "from the oldest there is"; any other place must still be there. */
function refuseExpired(after: number, { oldestSeq }: { oldestSeq: number }): void {
  if (after > 0 && after < oldestSeq - 1)
    throw new HubError(
      "EVENTS_EXPIRED",
      "Events after this number are no longer kept; read everything again.",
      {
        details: { oldestSeq },
      },
    );
}

/**
 * A ring can fall between reading and listening, and who waits may be sent away meanwhile: looking again costs less than a
 * reader who waits for nothing, or for what he may not hear.
 */
const LOOK_MS = 1_000;

/** Waits for a ring, or so long; true when nobody waits any more: the caller hung up, or the hub stops. */
function isOver(ms: number, response: Response, { nudge, stopping }: FeedContext): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      stopListening();
      response.off("close", end);
      stopping.removeEventListener("abort", end);
      resolve(response.destroyed || stopping.aborted);
    };
    const timer = setTimeout(end, ms);
    const stopListening = nudge.onRing(end);
    response.once("close", end);
    stopping.addEventListener("abort", end);
    if (response.destroyed || stopping.aborted) end();
  });
}
