/** Yes and no as callers write them, in a query, a form or JSON alike. */

const YES = ["1", "true", "yes", "on"];
const NO = ["0", "false", "no", "off"];

/** What clients make of a value that they do not have. */
const NOTHING = ["", "none", "null", "undefined"];

export const FLAG_ADVICE = "use 1 or 0";

/** Undefined where it is neither: a mistake must not count as a no. */
export function flagNamed(value: unknown): boolean | undefined {
  const word = wordOf(value);
  if (YES.includes(word)) return true;
  return NO.includes(word) ? false : undefined;
}

export const isNoFlag = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "string" && NOTHING.includes(wordOf(value)));

function wordOf(value: unknown): string {
  const isPlain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return isPlain ? String(value).trim().toLowerCase() : "";
}
