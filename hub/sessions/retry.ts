/**
 * When an account tries again after a failure: by itself after waits that grow, and at once when a person says so. Only a few
 * orders in a while are taken that way, or a program that orders in a loop would undo the waits; and the minute after another
 * program took the login over passes in any case, or both would throw each other out without end.
 */
import { nextBackoff } from "../core/backoff.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { freshHistory, type CloseHistory } from "./after-close.ts";
import { createAlarm, type Schedule } from "./schedule.ts";
import { URGENCY, type Urgency } from "./slots.ts";

export interface Retry {
  /** What failed so far, for the decision about the next failure. */
  history(): CloseHistory;
  /** What failed before counts no more. */
  beginAnew(): void;
  /** The same of a new connection by order; but it is the one answer to a program that took the login over not long ago. */
  renewed(): void;
  /** A connection was accepted; when it holds, the failures before it count no more. */
  opened(): void;
  /** The connection that was accepted is gone. */
  lost(): void;
  /** What a failure leaves for the next decision. `isFixed`: no order makes the next try come sooner. */
  failed(history: CloseHistory, next: { isFixed: boolean }): void;
  /** The next try, after so long. */
  after(ms: number): void;
  /** The store is back: at once after its first failure, but failures that follow wait, or one that stays would make a loop. */
  afterOutage(): void;
  /** Somebody ordered a connection: one that is waited for is made now, where that may be. */
  hasten(): void;
  cancel(): void;
}

/** A connection that held this long makes the failures before it history. */
const STABLE_MS = 60_000;
const HASTENED_AT_MOST = 5;
const HASTENED_WINDOW_MS = 600_000;

export function createRetry({
  sessionId,
  connect,
  clock,
  schedule,
  random,
  log,
}: {
  sessionId: string;
  /** Opens the line, unless something else was faster. */
  connect: (urgency: Urgency) => void;
  clock: Clock;
  schedule: Schedule;
  random: () => number;
  log: Log;
}): Retry {
  const due = createAlarm(schedule);
  const probation = createAlarm(schedule);
  let history: CloseHistory = freshHistory;
  let isFixed = false;
  /** When orders went before their time, in milliseconds. */
  let hastened: number[] = [];

  function wait(ms: number): void {
    due.set(ms, () => connect(URGENCY.background));
  }

  return {
    history: () => history,
    beginAnew: () => {
      history = freshHistory;
    },
    renewed: () => {
      history = { ...freshHistory, replacedAt: history.replacedAt };
    },
    opened: () => {
      history = { ...history, outdated: 0 };
      probation.set(STABLE_MS, () => {
        history = { ...history, failures: 0 };
      });
    },
    lost: () => probation.cancel(),
    failed: (next, options) => {
      history = next;
      ({ isFixed } = options);
    },
    after: wait,
    afterOutage: () => {
      const { failures: before } = history;
      const { delayMs, failures } = nextBackoff({ failures: before, random });
      history = { ...history, failures };
      isFixed = false;
      if (before === 0) connect(URGENCY.background);
      else wait(delayMs);
    },
    hasten: () => {
      const now = clock.now().getTime();
      hastened = hastened.filter((at) => now - at < HASTENED_WINDOW_MS);
      if (!due.isSet() || isFixed || hastened.length >= HASTENED_AT_MOST) return;
      due.cancel();
      hastened.push(now);
      log.info({ sessionId }, "session.wait_ended_by_order");
      connect(URGENCY.ordered);
    },
    cancel: () => {
      due.cancel();
      probation.cancel();
    },
  };
}
