/** How long an account is usually silent at this hour, learnt from when its messages came. */

const HOUR_MS = 3_600_000;
const USUAL_SHARE = 0.95;

/**
 * The gap that nineteen of twenty gaps of this hour of the day do not exceed. `times`: Unix seconds, newest first. Zero when
 * nothing is known of the hour.
 */
export function usualGapMs(times: number[], now: Date): number {
  const hour = hourOf(now.getTime());
  const gaps: number[] = [];
  for (const [index, end] of times.entries()) {
    const start = times[index + 1];
    if (start !== undefined && hourOf(start * 1000) === hour) gaps.push((end - start) * 1000);
  }
  gaps.sort((a, b) => a - b);
  return gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * USUAL_SHARE))] ?? 0;
}

const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS) % 24;
