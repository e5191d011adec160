/** Values of a site's fields: how they are read, written, cut and compared. Pure. */
import { withoutTags } from "./site-answer.ts";

/** A row or document as the site sends it. */
export type Row = Record<string, unknown>;
/** What is to be written; a member that is undefined is left alone. */
export type Fields = Record<string, string | number | null | undefined | Row[]>;

export const text = (row: Row, field: string): string => {
  const value = row[field];
  return typeof value === "string" ? value : "";
};
export const number = (row: Row, field: string): number => Number(row[field] ?? 0);
export const isSet = (row: Row, field: string): boolean => number(row, field) !== 0;
export const flag = (value: boolean): 0 | 1 => (value ? 1 : 0);

const COLUMN = 140;
/** The site's database takes no half of an emoji, and a NUL ends a text for many readers. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

const clean = (value: string): string =>
  UNSTORABLE.test(value) ? value.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "\uFFFD") : value;

export function cleaned(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [
      field,
      typeof value === "string" ? clean(value) : Array.isArray(value) ? value.map(cleanedRow) : value,
    ]),
  );
}

const cleanedRow = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([field, value]) => [field, typeof value === "string" ? clean(value) : value]),
  );

/** Why an id cannot be kept as it is, or null. Cutting or cleaning it could make two records one. */
export const idProblem = (what: string, id: string): string | null =>
  id !== "" && id.length <= COLUMN && !UNSTORABLE.test(id)
    ? null
    : `the ${what} must have 1 to ${COLUMN} characters and none that cannot be stored`;

/** Names may be cut; ids never are. Never half of a pair: the database refuses a lone surrogate. */
export const cutName = (name: string): string =>
  name.length <= COLUMN ? name : name.slice(0, COLUMN).replace(/[\uD800-\uDBFF]$/, "");

/** A site takes a name that is nothing but tags or blanks for a missing one, and refuses the record. */
export const requiredName = (name: string, otherwise: string): string =>
  cutName(name.replace(/<[^>]*>/g, "").trim() === "" ? otherwise : name);

/** What may not be cut, and is not worth losing a record for. */
export const fittingOrNull = (text: string): string | null => (text.length <= COLUMN ? text : null);

const LARGEST_INT = 2 ** 31 - 1;
/** A site refuses a larger number. */
export const fittingInt = (value: number): number => Math.min(value, LARGEST_INT);

export const nameOrNull = (name: string | null): string | null => (name === null ? null : cutName(name));

/** Of `wanted`, what the row does not already say. Columns that the site did not send do not exist there. */
export function differing(row: Row, wanted: Fields): Fields {
  return Object.fromEntries(
    Object.entries(cleaned(wanted)).filter(
      ([field, value]) =>
        value !== undefined && !Array.isArray(value) && field in row && !isSame(row[field], value),
    ),
  );
}

export const isEmpty = (fields: Fields): boolean =>
  Object.values(fields).every((value) => value === undefined);

function isSame(stored: unknown, wanted: string | number | null): boolean {
  const before = stored ?? "";
  const after = wanted ?? "";
  if (typeof after === "number") return Number(before) === after;
  if (typeof before !== "string")
    return after === "" ? before === 0 : typeof before === "number" && String(before) === after;
  return before === after || withoutFraction(before) === withoutFraction(after) || isSameText(before, after);
}

const withoutFraction = (value: string): string =>
  value.replace(/^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})\.0+$/, "$1");

/** The site sanitises what looks like HTML: such a text never comes back as it was sent, and would be written for ever. */
const isSameText = (before: string, after: string): boolean =>
  /[<>&]/.test(after) && withoutTags(before) === withoutTags(after);
