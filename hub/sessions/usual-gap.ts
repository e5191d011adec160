/** How long an account is usually silent at this hour, learnt from when its messages came. */

const HOUR_MS = 3_600_000;
const USUAL_SHARE = 0.95;

/**
 * The gap that nineteen of twenty gaps of this hour of the day do not exceed, those of the night being of each hour they go
 * through. `times`: Unix seconds, newest first. Zero when nothing is known of the hour.
 */
export function usualGapMs(times: number[], now: Date): number {
  const hour = hourOf(now.getTime());
  const gaps: number[] = [];
  for (const [index, end] of times.entries()) {
    const start = times[index + 1];
    if (start !== undefined && goesThrough(start * 1000, end * 1000, hour)) gaps.push((end - start) * 1000);
  }
  gaps.sort((a, b) => a - b);
  return gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * USUAL_SHARE))] ?? 0;
}

/** Whether some moment from `start` on, and before `end`, is in this hour of a day. */
function goesThrough(start: number, end: number, hour: number): boolean {
  const hours = Math.ceil(end / HOUR_MS) - Math.floor(start / HOUR_MS);
  return (hour - hourOf(start) + 24) % 24 < Math.max(1, hours);
}

const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS) % 24;
