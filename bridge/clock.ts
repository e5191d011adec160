/** Time as a dependency, so that tests share one fixed clock instead of fake timers. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
