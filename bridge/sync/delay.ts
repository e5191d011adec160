/** Timers as a dependency: tests move time by hand. */

/** Runs `work` once after `ms`; the function returned takes it back. */
export type Delay = (ms: number, work: () => void) => () => void;

/** A waiting timer keeps no process alive: what it would do is done at the next start as well. */
export const systemDelay: Delay = (ms, work) => {
  const timer = setTimeout(work, ms);
  timer.unref();
  return () => clearTimeout(timer);
};
