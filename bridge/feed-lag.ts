/** What the hub has told and the bridge has not applied: one cheap question to the hub, asked once for many who want to know. */
import { adviceOnHub } from "./advice.ts";
import type { Clock } from "./clock.ts";
import { createElapsed } from "./elapsed.ts";
import { HubUnavailable } from "./errors.ts";
import type { HubClient } from "./hub-client.ts";
import type { BridgeState } from "./state/bridge-state.ts";

export interface FeedLag {
  isReachable: boolean;
  /** Why it is not. */
  problem: string | null;
  /** What helps. */
  advice: string | null;
  /** Every event up to here is applied, and more may be. */
  mark: number;
  /** Newest event of the hub; null while nobody can say. */
  hubSeq: number | null;
  /** Events that are not applied; null while nobody can say. */
  lag: number | null;
}

/** What is known of the events without asking: those up to `top` are applied, but for `missing` of them. */
export interface AppliedSoFar {
  top: number;
  missing: number;
}

const FRESH_MS = 2_000;
/** Whoever asks wants an answer now: a hub that makes the bridge wait longer is as good as away. */
const PATIENCE_MS = 4_000;

type Answer = Pick<FeedLag, "isReachable" | "problem" | "advice" | "hubSeq"> & {
  /** Newest event that the bridge may see, as far as the hub was asked; null: none beyond what is applied. */
  newest: number | null;
};

export function createFeedLag({
  hub,
  state,
  applied,
  clock,
}: {
  hub: Pick<HubClient, "events">;
  state: BridgeState;
  applied: () => AppliedSoFar;
  clock: Clock;
}): () => Promise<FeedLag> {
  const elapsed = createElapsed(clock);
  let last: { at: number; hub: Promise<Answer> } | null = null;
  return async () => {
    const now = elapsed();
    if (last === null || now - last.at >= FRESH_MS)
      last = { at: now, hub: Promise.race([ask(hub, applied().top), late()]) };
    const { newest, ...answer } = await last.hub;
    // Looked at after the answer: what was applied while it came is not behind.
    const { top, missing } = applied();
    const lag = answer.hubSeq === null ? null : missing + Math.max(0, (newest ?? 0) - top);
    return { ...answer, mark: state.read().mark, lag };
  };
}

async function ask(hub: Pick<HubClient, "events">, after: number): Promise<Answer> {
  try {
    const { latestSeq, events } = await hub.events({ after, limit: 1, deadlineMs: PATIENCE_MS - 500 });
    // Without one, all that comes after is of sessions that the bridge's key may not see.
    const newest = events.length === 0 && latestSeq > after ? null : latestSeq;
    return { isReachable: true, problem: null, advice: null, hubSeq: latestSeq, newest };
  } catch (cause) {
    if (!(cause instanceof HubUnavailable)) throw cause;
    // The hub answered: only what the bridge has read is older than what it keeps.
    const isReachable = cause.code === "EVENTS_EXPIRED";
    const problem = isReachable ? null : cause.message;
    const advice = isReachable ? null : adviceOnHub(cause);
    return { isReachable, problem, advice, hubSeq: null, newest: null };
  }
}

const late = (): Promise<Answer> =>
  new Promise((resolve) => {
    const problem = `The hub did not answer within ${PATIENCE_MS / 1000} seconds.`;
    const advice = adviceOnHub(new HubUnavailable(problem));
    const answer = { isReachable: false, problem, advice, hubSeq: null, newest: null };
    setTimeout(() => resolve(answer), PATIENCE_MS).unref();
  });
