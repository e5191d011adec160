/** Measures how late the event loop is. Connections are given up by the library when it stands still for five seconds. */
import { performance } from "node:perf_hooks";
import type { Log } from "./core/log.ts";
import { CAN_WAIT, countShed, type Pressure } from "./core/pressure.ts";

const SAMPLE_MS = 250;
/** Ten seconds of them. */
const SAMPLES = 40;
const HIGH_MS = 1_000;

export function measureLoopLag(log: Log): Pressure & { stop(): void } {
  let samples: number[] = [];
  let isHigh = false;
  let last = performance.now();

  const shedding = countShed(() => isHigh);
  const worst = (): number => Math.max(0, ...samples);
  // By a timer's own lateness: a histogram that is emptied now and then loses the very pause in which that was due.
  const timer = setInterval(() => {
    const now = performance.now();
    samples = [...samples, now - last - SAMPLE_MS].slice(-SAMPLES);
    last = now;
    if (worst() >= HIGH_MS === isHigh) return;
    isHigh = !isHigh;
    if (isHigh) log.warn({ lagMs: Math.round(worst()), putOff: CAN_WAIT }, "hub.overloaded");
    else log.info({ putOffSoFar: shedding.shed() }, "hub.keeps_up");
  }, SAMPLE_MS);
  timer.unref();

  return {
    lagMs: worst,
    isHigh: () => isHigh,
    ...shedding,
    stop: () => clearInterval(timer),
  };
}
