/** What the bridge remembers means nothing any more, for the hub is another one or counts anew: it begins from what the hub has now. */
import type { Clock } from "./clock.ts";
import type { HubClient } from "./hub-client.ts";
import { nextPositionBase } from "./position-base.ts";
import type { Connections } from "./registry/connections.ts";
import type { BridgeState } from "./state/bridge-state.ts";
import type { ResetReason } from "./sync/feed.ts";
import type { SyncQueue } from "./sync/sync-queue.ts";

/** Older than any event: all that comes as one says more. */
const BEFORE_ALL = 0;

export function createAfterReset({
  hub,
  state,
  connections,
  queue,
  syncOnConnect,
  clock,
}: {
  hub: Pick<HubClient, "sessions">;
  state: BridgeState;
  connections: Pick<Connections, "seen">;
  queue: Pick<SyncQueue, "request">;
  syncOnConnect: boolean;
  clock: Clock;
}): (why: ResetReason) => Promise<void> {
  return async (why) => {
    if (why !== "expired")
      await state.update((data) => {
        data.positionBase = nextPositionBase(data.positionBase, clock.now());
      });
    // A hub never read before has told nothing that could have been missed: filling the CRM from it is a choice.
    const mayFill = why !== "new_hub" || syncOnConnect;
    for (const session of await hub.sessions()) {
      // Known before the CRM has its records: from then on the CRM may send, also while the hub is away.
      await connections.seen(session, BEFORE_ALL);
      if (mayFill && session.isConnected) await queue.request(session.sessionId, "reset");
    }
  };
}
