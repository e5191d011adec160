/** What the bridge missed while it was not running. A hub or a CRM that is not there yet is asked again until it is. */
import { setTimeout as pause } from "node:timers/promises";
import { adviceOnHub } from "./advice.ts";
import { failureFacts, HubUnavailable, isPassing } from "./errors.ts";
import type { Log } from "./log.ts";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** Repeats `work` until it was done once, or `signal` is aborted. */
export async function catchUp({
  work,
  log,
  signal,
}: {
  work: () => Promise<void>;
  log: Log;
  signal: AbortSignal;
}): Promise<void> {
  const isOver = (): boolean => signal.aborted;
  for (let pauseMs = FIRST_PAUSE_MS; !isOver(); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      await work();
      return;
    } catch (cause) {
      if (isOver()) return;
      const advice = cause instanceof HubUnavailable ? adviceOnHub(cause) : null;
      const facts = {
        ...failureFacts(cause),
        ...(advice === null ? {} : { advice }),
        nextTryInMs: pauseMs,
      };
      if (isPassing(cause)) log.warn(facts, "catch_up.waits");
      else log.error(facts, "catch_up.failed");
      await pause(pauseMs, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
    }
  }
}
