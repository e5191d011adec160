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
  /** Somebody sets the clock; no time passes. */
  setsClock(ms: number): void;
  /** Milliseconds that passed, whatever became of the clock. */
  elapsed(): number;
}

export function manualTime(): ManualTime {
  const clock = fixedClock();
  const timers = new Set<Timer>();
  let setBy = 0;
  const elapsed = () => clock.now().getTime() - setBy;
  const nextBefore = (end: number): Timer | undefined =>
    [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];

  return {
    clock,
    schedule: (ms, work) => {
      const timer = { at: elapsed() + ms, work };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pass: async (ms, settle) => {
      const end = elapsed() + ms;
      await settle();
      for (let next = nextBefore(end); next !== undefined; next = nextBefore(end)) {
        timers.delete(next);
        clock.advance(Math.max(0, next.at - elapsed()));
        next.work();
        await settle();
      }
      clock.advance(end - elapsed());
    },
    waiting: () => timers.size,
    forgetTimers: () => timers.clear(),
    setsClock: (ms) => {
      clock.advance(ms);
      setBy += ms;
    },
    elapsed,
  };
}
