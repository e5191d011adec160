/** Public ids: a prefix that tells the thing, an underscore, 26 characters of Crockford base32 (a ULID, or a row number). */
import { randomBytes } from "node:crypto";
import { ulid } from "ulid";

export type IdPrefix = "evt" | "ep" | "dlv" | "med" | "key" | "job" | "req" | "qr" | "usr" | "sgn";

// Asking the system for every character costs 80 µs an id, and each event needs one: bytes are drawn in bulk.
const POOL = 4096;
let pool = randomBytes(POOL);
let drawn = 0;

function random(): number {
  if (drawn === POOL) {
    pool = randomBytes(POOL);
    drawn = 0;
  }
  return pool.readUInt8(drawn++) / 256;
}

export const newId = (prefix: IdPrefix, now: Date): string => `${prefix}_${ulid(now.getTime(), random)}`;

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 26;

/** A row number in the form of a ULID: things numbered by the store need no second, random id and no index for it. */
export function rowId(prefix: IdPrefix, row: number): string {
  let digits = "";
  for (let rest = row; rest > 0; rest = Math.floor(rest / 32)) digits = ALPHABET.charAt(rest % 32) + digits;
  return `${prefix}_${digits.padStart(LENGTH, "0")}`;
}

/** The row number inside a `rowId`, or null when the text is not one. */
export function rowOf(prefix: IdPrefix, id: string): number | null {
  if (!id.startsWith(`${prefix}_`) || id.length !== prefix.length + 1 + LENGTH) return null;
  let row = 0;
  for (const char of id.slice(prefix.length + 1)) {
    const digit = ALPHABET.indexOf(char);
    if (digit < 0) return null;
    row = row * 32 + digit;
    if (!Number.isSafeInteger(row)) return null;
  }
  return row;
}

/** An unguessable token of 22 URL-safe characters (128 bits): what a short media URL ends with. */
export const newToken = (): string => randomBytes(16).toString("base64url");
