/** Moments as rows keep them: `YYYY-MM-DD HH:MM:SS.ffffff`, UTC, sorting as text. */
import { Rejected } from "./rejected.ts";

/** Before the year 10000, where such a text would stop sorting. */
const LAST_MS = Date.UTC(10_000, 0, 1) - 1;

/** Records of one page are written within the same moments. */
let last = { ms: Number.NaN, text: "" };

/** A moment that no calendar has is worth no record: the nearest one is kept in its place. */
function momentOfMs(ms: number): string {
  if (last.ms === ms) return last.text;
  const kept = new Date(Math.min(Math.max(ms, 0), LAST_MS));
  last = { ms, text: `${kept.toISOString().slice(0, 23).replace("T", " ")}000` };
  return last.text;
}

export function momentOf(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new Rejected("A moment is no date.");
  return momentOfMs(date.getTime());
}

export const momentOfSeconds = (seconds: number): string => momentOfMs(seconds * 1000);

export const isPossible = (seconds: number): boolean => seconds >= 0 && seconds * 1000 <= LAST_MS;

export const momentOfSecondsOrNull = (seconds: number | null): string | null =>
  seconds === null ? null : momentOfSeconds(seconds);

export const secondsOf = (moment: string): number =>
  Math.floor(Date.parse(`${moment.replace(" ", "T")}Z`) / 1000);

/** The earlier of two that may be missing. */
export const earliest = (one: string | null, other: string | null): string | null =>
  one === null || (other !== null && other < one) ? other : one;
