/** A clock that stands still until a test moves it. */
import type { Clock } from "../../hub/core/clock.ts";
import { T0 } from "./builders.ts";

export interface FixedClock extends Clock {
  advance(ms: number): void;
  set(date: Date): void;
}

export function fixedClock(start: Date = T0): FixedClock {
  let now = start.getTime();
  return {
    now: () => new Date(now),
    advance: (ms) => {
      now += ms;
    },
    set: (date) => {
      now = date.getTime();
    },
  };
}

export const seconds = (n: number): number => n * 1000;
export const minutes = (n: number): number => n * 60_000;
export const hours = (n: number): number => n * 3_600_000;
