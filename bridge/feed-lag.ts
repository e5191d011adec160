/** How far the hub is ahead of what the bridge has read: one cheap question to the hub, asked once for many who want to know. */
import type { Clock } from "./clock.ts";
import { createElapsed } from "./elapsed.ts";
import { HubUnavailable } from "./errors.ts";
import type { HubClient } from "./hub-client.ts";
import type { BridgeState } from "./state/bridge-state.ts";

export interface FeedLag {
  isReachable: boolean;
  /** Why it is not. */
  problem: string | null;
  /** Every event up to here is applied. */
  mark: number;
  /** Newest event of the hub; null while nobody can say. */
  hubSeq: number | null;
}

const FRESH_MS = 2_000;
/** Whoever asks wants an answer now: a hub that makes the bridge wait longer is as good as away. */
const PATIENCE_MS = 4_000;

export function createFeedLag({
  hub,
  state,
  clock,
}: {
  hub: HubClient;
  state: BridgeState;
  clock: Clock;
}): () => Promise<FeedLag> {
  const elapsed = createElapsed(clock);
  let last: { at: number; hub: Promise<Omit<FeedLag, "mark">> } | null = null;
  return async () => {
    const now = elapsed();
    if (last === null || now - last.at >= FRESH_MS)
      last = { at: now, hub: Promise.race([ask(hub, state.read().mark), late()]) };
    return { ...(await last.hub), mark: state.read().mark };
  };
}

async function ask(hub: HubClient, mark: number): Promise<Omit<FeedLag, "mark">> {
  try {
    const { latestSeq } = await hub.events({ after: mark, limit: 1 });
    return { isReachable: true, problem: null, hubSeq: latestSeq };
  } catch (cause) {
    if (!(cause instanceof HubUnavailable)) throw cause;
    // The hub answered: only what the bridge has read is older than what it keeps.
    if (cause.code === "EVENTS_EXPIRED") return { isReachable: true, problem: null, hubSeq: null };
    return { isReachable: false, problem: cause.message, hubSeq: null };
  }
}

const late = (): Promise<Omit<FeedLag, "mark">> =>
  new Promise((resolve) => {
    const problem = `The hub did not answer within ${PATIENCE_MS / 1000} seconds.`;
    setTimeout(() => resolve({ isReachable: false, problem, hubSeq: null }), PATIENCE_MS).unref();
  });
