/** Yes and no as callers write them, in a query, a form or JSON alike. */

const YES = ["1", "true", "yes", "on"];
const NO = ["0", "false", "no", "off"];

export const FLAG_ADVICE = "use 1 or 0";

/** Undefined where it is neither: a mistake must not count as a no. */
export function flagNamed(value: unknown): boolean | undefined {
  const isPlain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  const word = isPlain ? String(value).trim().toLowerCase() : "";
  if (YES.includes(word)) return true;
  return NO.includes(word) ? false : undefined;
}
