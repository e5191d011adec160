/** Waiting times between tries: growing, then constant, spread so that many accounts do not return in step. */
const STEPS_MS = [1, 2, 5, 10, 30, 60, 120, 300].map((seconds) => seconds * 1000);
const SPREAD = 0.2;

/**
 * The wait after one more failure. `failures` counts those before it; `firstMs` skips the steps that are shorter.
 * Returns the count to hand in next time.
 */
export function nextBackoff({
  failures,
  firstMs = 0,
  random,
}: {
  failures: number;
  firstMs?: number | undefined;
  random: () => number;
}): { delayMs: number; failures: number } {
  const first = STEPS_MS.findIndex((step) => step >= firstMs);
  const index = Math.min(Math.max(failures, first), STEPS_MS.length - 1);
  const step = STEPS_MS[index] ?? firstMs;
  return { delayMs: spread(step, random), failures: index + 1 };
}

/** The same time, a fifth shorter or longer by chance. */
const spread = (ms: number, random: () => number): number =>
  Math.round(ms * (1 - SPREAD + 2 * SPREAD * random()));
