/**
 * Texts as every receiver can keep them. Half of a character (a lone surrogate) has no form in UTF-8: SQLite, JSON and each CRM
 * would make something else of it, so it becomes U+FFFD once, where it comes in.
 */

/** The same value unless some text in it had to be mended. */
export function wellFormed<T>(value: T): T {
  // Only texts within it differ: the shape is the one that came in.
  return isWellFormed(value) ? value : (mended(value) as T);
}

/** Whether JSON that was read as strict UTF-8 may hold half of a character: such a text can only spell it with an escape. */
export const mayHoldHalves = (json: string): boolean => /\\u[dD][89a-fA-F]/.test(json);

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  // A file may come as millions of numbers: nothing is made for each of them.
  if (Array.isArray(value)) return value.every(isWellFormed);
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isWellFormed(member));
}

function mended(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(mended);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.toWellFormed(), mended(member)]),
  );
}
