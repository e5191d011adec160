/** What a session does while the hub cannot write: no link, so that WhatsApp keeps the messages, until a write commits. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { isActive } from "../core/session-state.ts";
import type { Loss } from "./loss.ts";
import { REASONS } from "./reasons.ts";
import { reasonAt, type SessionRecord } from "./session-record.ts";
import type { StoreWatch } from "./store-watch.ts";

/** Returns what to do when the store failed. Never fails itself, and may be called again at any time. */
export function createStoreOutage({
  record,
  loss,
  cut,
  reconnect,
  later,
  parts: { storeWatch, clock, log },
}: {
  record: SessionRecord;
  loss: Loss;
  /** Ends the link and all timers. */
  cut: () => Promise<void>;
  reconnect: () => void;
  /** Runs work in the session's order. */
  later: (work: () => Promise<void>) => void;
  parts: { storeWatch: StoreWatch; clock: Clock; log: Log };
}): (cause: unknown) => Promise<void> {
  let isWaiting = false;

  async function begin(cause: unknown): Promise<void> {
    const { sessionId, state } = record.session();
    if (!isActive(state)) return;
    log.error({ sessionId, err: cause }, "session.store_failed");
    await cut();
    record.moveUnsaved(
      { type: "store_failed" },
      { reason: reasonAt(REASONS.storeFailed, clock.now()), connectedAt: null, lostAt: loss.since() },
    );
    if (isWaiting) return;
    isWaiting = true;
    void storeWatch.whenWritable().then(() => {
      isWaiting = false;
      later(end);
    });
  }

  async function end(): Promise<void> {
    if (record.session().state !== "store_down") return;
    await record.move({ type: "start" }, {}, { quiet: loss.isQuiet() });
    loss.resumeGrace();
    reconnect();
  }

  return begin;
}
