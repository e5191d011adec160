/** Time as a dependency, so that tests share one fixed clock instead of fake timers. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Unix time in whole seconds, the unit of WhatsApp's and the contract's `timestamp`. */
export const toSeconds = (date: Date): number => Math.floor(date.getTime() / 1000);
