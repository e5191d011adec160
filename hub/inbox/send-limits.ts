/** How much an account may send. WhatsApp takes accounts that write like machines for what they are. */
import type { PaceLimits } from "./pace.ts";

export interface SendLimits extends PaceLimits {
  /** Off: nothing leaves, of no account. */
  enabled: boolean;
  /** Chats opened within 24 hours, unless WhatsApp gives a number of its own. 0: any number. */
  newChatsPerDay: number;
  /** Messages of one account that may wait to leave; more are refused. 0: any number. */
  queue: number;
}

export const NO_LIMITS: SendLimits = {
  enabled: true,
  perMinute: 0,
  burst: 1,
  chatGapMs: 0,
  newChatsPerDay: 0,
  queue: 0,
};

/** Timers as a dependency: tests move time by hand. The function returned takes the timer back. */
export type Schedule = (ms: number, work: () => void) => () => void;

/** A waiting timer keeps no process alive: what it would do is done at the next start as well. */
export const unrefTimer: Schedule = (ms, work) => {
  const timer = setTimeout(work, ms);
  timer.unref();
  return () => clearTimeout(timer);
};
