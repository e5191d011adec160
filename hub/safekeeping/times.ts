/** Decision: whether a backup, or the trial of one, is due or overdue. */

/** When a turn last went well and last went wrong, and since when this process could have made one. */
export interface Turns {
  doneAt: Date | null;
  failedAt: Date | null;
  startedAt: Date;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A trial each month is enough to know that backups open. */
const DRILL_EVERY_MS = 30 * DAY_MS;

/** So old the last good one may be, and so long a hub must have run to have made a new one. */
const PATIENCE = {
  backup: { ageMs: 3 * HOUR_MS, runningMs: 3 * HOUR_MS },
  drill: { ageMs: DRILL_EVERY_MS + 5 * DAY_MS, runningMs: 2 * DAY_MS },
} as const;

/** After a failure it is tried at each turn until it works. */
export const isDrillDue = ({ doneAt }: Turns, now: Date): boolean =>
  doneAt === null || now.getTime() - doneAt.getTime() >= DRILL_EVERY_MS;

/** "done": there is a good one that is young enough. Null: nothing new; one that failed was told as that. */
export function overdue(
  what: keyof typeof PATIENCE,
  { doneAt, failedAt, startedAt }: Turns,
  now: Date,
): "overdue" | "done" | null {
  const { ageMs, runningMs } = PATIENCE[what];
  const isFailed = failedAt !== null && failedAt > (doneAt ?? 0);
  if (isFailed) return null;
  const isYoung = doneAt !== null && now.getTime() - doneAt.getTime() < ageMs;
  if (isYoung) return "done";
  return now.getTime() - startedAt.getTime() < runningMs ? null : "overdue";
}
