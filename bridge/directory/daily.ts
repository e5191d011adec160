/** The daily run at its hour, and the one that follows soon after a run whose time ran out. */
import type { Clock } from "../clock.ts";

/** Runs `work` after `ms`; answers how to call it off. */
export type Schedule = (ms: number, work: () => void) => () => void;

export interface Daily {
  start(): void;
  /** Once more after `ms`, beside the hour. */
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

export function createDaily({
  hour,
  work,
  clock,
  schedule,
}: {
  hour: number;
  work: () => void;
  clock: Clock;
  schedule: Schedule;
}): Daily {
  let isStarted = false;
  let cancelDaily = (): void => undefined;
  let cancelSoon = (): void => undefined;

  const planAfter = (moment: Date): void => {
    const next = nextAt(hour, moment);
    cancelDaily = schedule(next.getTime() - clock.now().getTime(), () => {
      // A timer may go off a moment early: the next hour is counted from the one it stood for.
      planAfter(new Date(Math.max(next.getTime(), clock.now().getTime())));
      work();
    });
  };

  return {
    start: () => {
      if (isStarted) return;
      isStarted = true;
      planAfter(clock.now());
    },
    soon: (ms) => {
      if (!isStarted) return;
      cancelSoon();
      cancelSoon = schedule(ms, work);
    },
    stop: () => {
      isStarted = false;
      cancelDaily();
      cancelSoon();
    },
  };
}
