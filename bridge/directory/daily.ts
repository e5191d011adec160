/** The daily run at its hour, and the one that follows soon after a run that did not come to its end. */
import type { Clock } from "../clock.ts";

/** Runs `work` after `ms`; answers how to call it off. */
export type Schedule = (ms: number, work: () => void) => () => void;

export interface Daily {
  start(): void;
  /** `again` after `ms`, beside the hour; the last one asked for counts. */
  soon(ms: number): void;
  stop(): void;
}

export const realSchedule: Schedule = (ms, work) => {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
};

/** The next time it is `hour` o'clock, where the process lives. */
export function nextAt(hour: number, after: Date): Date {
  const next = new Date(after.getFullYear(), after.getMonth(), after.getDate(), hour);
  if (next.getTime() > after.getTime()) return next;
  return new Date(after.getFullYear(), after.getMonth(), after.getDate() + 1, hour);
}

/** The last time it was. */
export function lastAt(hour: number, before: Date): Date {
  const today = new Date(before.getFullYear(), before.getMonth(), before.getDate(), hour);
  if (today.getTime() <= before.getTime()) return today;
  return new Date(before.getFullYear(), before.getMonth(), before.getDate() - 1, hour);
}

const HALF_A_DAY_MS = 12 * 60 * 60 * 1000;

/**
 * A timer may go off a moment early: the next hour is counted from the one it stood for. Far from it the clock was set back
 * meanwhile, and that hour may be a month away.
 */
const countedFrom = (hour: Date, now: Date): Date =>
  hour.getTime() > now.getTime() && hour.getTime() - now.getTime() < HALF_A_DAY_MS ? hour : now;

export function createDaily({
  hour,
  work,
  again,
  clock,
  schedule,
}: {
  /** Null: never. */
  hour: number | null;
  work: () => void;
  again: () => void;
  clock: Clock;
  schedule: Schedule;
}): Daily {
  let isStarted = false;
  let cancelDaily = (): void => undefined;
  let cancelSoon = (): void => undefined;

  const planAfter = (at: number, moment: Date): void => {
    const next = nextAt(at, moment);
    cancelDaily = schedule(next.getTime() - clock.now().getTime(), () => {
      planAfter(at, countedFrom(next, clock.now()));
      work();
    });
  };

  return {
    start: () => {
      if (isStarted) return;
      isStarted = true;
      if (hour !== null) planAfter(hour, clock.now());
    },
    soon: (ms) => {
      if (!isStarted) return;
      cancelSoon();
      cancelSoon = schedule(ms, again);
    },
    stop: () => {
      isStarted = false;
      cancelDaily();
      cancelSoon();
    },
  };
}
