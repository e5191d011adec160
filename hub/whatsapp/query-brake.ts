/**
 * Holds back the questions of one account that WhatsApp limits: whoever goes on asking after "too many" is limited for longer.
 * After each such answer nothing is asked for a while, twice as long each time; any other answer ends that. Outlives connections.
 */

const FIRST_MS = 30_000;
const LONGEST_MS = 10 * 60_000;

export interface QueryBrake {
  /** How long to ask nothing yet; 0 when asking is fine. */
  restMs(now: Date): number;
  /** WhatsApp said that it was asked too much. */
  limited(now: Date): void;
  answered(now: Date): void;
}

export function createQueryBrake(): QueryBrake {
  let until = 0;
  let nextMs = FIRST_MS;
  const restMs = (now: Date): number => {
    const leftMs = until - now.getTime();
    // So long is no rest: the clock was set back.
    return leftMs > LONGEST_MS ? 0 : Math.max(0, leftMs);
  };
  return {
    restMs,
    limited: (now) => {
      // Those that were asked at once are refused at once: that counts as one.
      if (restMs(now) > 0) return;
      until = now.getTime() + nextMs;
      nextMs = Math.min(2 * nextMs, LONGEST_MS);
    },
    answered: (now) => {
      // Nothing is asked during a rest: this was asked before it.
      if (restMs(now) > 0) return;
      until = 0;
      nextMs = FIRST_MS;
    },
  };
}
