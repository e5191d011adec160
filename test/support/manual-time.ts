/** Time that a test moves by hand: one clock, and timers that go off when it gets there. */
import { fixedClock, type FixedClock } from "./fixed-clock.ts";

interface Timer {
  at: number;
  work: () => void;
}

export interface ManualTime {
  clock: FixedClock;
  schedule(ms: number, work: () => void): () => void;
  /** Goes forward, stopping at each timer on the way; `settle` lets what it started come to rest. */
  pass(ms: number, settle: () => Promise<void>): Promise<void>;
  waiting(): number;
  /** Timers die with their process. */
  forgetTimers(): void;
}

export function manualTime(): ManualTime {
  const clock = fixedClock();
  const timers = new Set<Timer>();
  const now = () => clock.now().getTime();
  const nextBefore = (end: number): Timer | undefined =>
    [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];

  return {
    clock,
    schedule: (ms, work) => {
      const timer = { at: now() + ms, work };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pass: async (ms, settle) => {
      const end = now() + ms;
      await settle();
      for (let next = nextBefore(end); next !== undefined; next = nextBefore(end)) {
        timers.delete(next);
        clock.set(new Date(Math.max(now(), next.at)));
        next.work();
        await settle();
      }
      clock.set(new Date(end));
    },
    waiting: () => timers.size,
    forgetTimers: () => timers.clear(),
  };
}
