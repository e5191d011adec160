/** Moments as rows keep them: `YYYY-MM-DD HH:MM:SS.ffffff`, UTC, sorting as text. */
import { Rejected } from "./rejected.ts";

/** The year 10000, where such a text would stop sorting. */
const END_MS = Date.UTC(10_000, 0, 1);

export function momentOf(date: Date): string {
  const ms = date.getTime();
  if (!(ms >= 0 && ms < END_MS)) throw new Rejected("A moment lies outside the years 1970 to 9999.");
  return `${date.toISOString().slice(0, 23).replace("T", " ")}000`;
}

export const momentOfSeconds = (seconds: number): string => momentOf(new Date(seconds * 1000));

export const momentOfSecondsOrNull = (seconds: number | null): string | null =>
  seconds === null ? null : momentOfSeconds(seconds);

export const secondsOf = (moment: string): number =>
  Math.floor(Date.parse(`${moment.replace(" ", "T")}Z`) / 1000);

/** The earlier of two that may be missing. */
export const earliest = (one: string | null, other: string | null): string | null =>
  one === null || (other !== null && other < one) ? other : one;
