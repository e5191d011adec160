/** Timers as a dependency: tests move time by hand. */

/** Runs `work` once after `ms`; the function returned takes it back. */
export type Schedule = (ms: number, work: () => void) => () => void;

/** A waiting timer keeps no process alive: what it would do is done at the next start as well. */
export const systemSchedule: Schedule = (ms, work) => {
  const timer = setTimeout(work, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

/** Waits for `work`, but no longer than `ms`: `late` is the answer then. What `work` does afterwards is its own affair. */
export function within<T, L>(ms: number, work: Promise<T>, late: L, schedule: Schedule): Promise<T | L> {
  return new Promise((resolve, reject) => {
    const cancel = schedule(ms, () => resolve(late));
    work.then(resolve, reject).finally(cancel);
  });
}

export const pause = (ms: number, schedule: Schedule): Promise<void> =>
  new Promise((resolve) => void schedule(ms, resolve));

/** One timer that can be set again: setting it takes the time before back. */
export interface Alarm {
  set(ms: number, work: () => void): void;
  cancel(): void;
  isSet(): boolean;
}

export function createAlarm(schedule: Schedule): Alarm {
  let takeBack: (() => void) | null = null;
  const cancel = () => {
    takeBack?.();
    takeBack = null;
  };
  return {
    set: (ms, work) => {
      cancel();
      takeBack = schedule(ms, () => {
        takeBack = null;
        work();
      });
    },
    cancel,
    isSet: () => takeBack !== null,
  };
}
