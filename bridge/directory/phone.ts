/** Phone numbers as a directory writes them → `+digits`, the form in which a WhatsApp contact's number is known. */

const MIN_DIGITS = 8;
const MAX_DIGITS = 15;

interface Country {
  /** Its whole numbers, without trunk zero. */
  national: RegExp;
  /** What is longer and none of those has a country's code in front. */
  longest: number;
}

const country = (national: RegExp, longest: number): Country => ({ national, longest });

/** Of a country that is not listed little is known: as long as most are. */
const ANY = country(/^[1-9]\d{5,9}$/, 10);
const COUNTRIES: ReadonlyMap<string, Country> = new Map([
  ["1", country(/^[2-9]\d{9}$/, 10)],
  ["33", country(/^[1-9]\d{8}$/, 9)],
  ["34", country(/^[5-9]\d{8}$/, 9)],
  ["44", country(/^[1-9]\d{8,9}$/, 10)],
  ["49", country(/^[1-9]\d{5,10}$/, 11)],
  ["51", country(/^[1-9]\d{7,8}$/, 9)],
  // With the 1 of mobiles from before 2019, which WhatsApp keeps.
  ["52", country(/^1?[2-9]\d{9}$/, 10)],
  // With the 9 of mobiles that are called from abroad.
  ["54", country(/^9?[1-8]\d{9}$/, 10)],
  ["55", country(/^[1-9]\d{9,10}$/, 11)],
  ["56", country(/^[2-9]\d{8}$/, 9)],
  ["57", country(/^[1-9]\d{9}$/, 10)],
  ["58", country(/^[1-9]\d{9}$/, 10)],
  ["86", country(/^[1-9]\d{9,10}$/, 11)],
  ["351", country(/^[1-9]\d{8}$/, 9)],
  ["502", country(/^\d{8}$/, 8)],
  ["503", country(/^\d{8}$/, 8)],
  ["504", country(/^\d{8}$/, 8)],
  ["505", country(/^\d{8}$/, 8)],
  ["506", country(/^\d{8}$/, 8)],
  ["507", country(/^\d{7,8}$/, 8)],
  ["591", country(/^[1-9]\d{7}$/, 8)],
  ["593", country(/^[1-9]\d{7,8}$/, 9)],
  ["595", country(/^[1-9]\d{7,8}$/, 9)],
  ["598", country(/^[1-9]\d{7}$/, 8)],
]);

/** The first of the numbers written that can be one; null where none can. `home` is the country code of numbers without any. */
export function normalPhone(written: string | null, home: string): string | null {
  if (written === null) return null;
  for (const part of written.normalize("NFKC").split(/[/,;|]/)) {
    const number = oneNumber(part, home);
    if (number !== null) return number;
  }
  return null;
}

function oneNumber(part: string, home: string): string | null {
  // `(0)` is a hint to callers from within the country, not a digit to be dialled with its code.
  const compact = part.replace("(0)", "").replace(/[\s().\u2010-\u2015-]/g, "");
  const [, plus, digits] = /^(\+?)(\d+)$/.exec(compact) ?? [];
  if (plus === undefined || digits === undefined) return null;
  const full = international(digits, plus === "+", home);
  return full !== null && isNumber(full) ? `+${full}` : null;
}

/** Null: neither a number of the country nor one with a country's code in front. */
function international(digits: string, hasPlus: boolean, home: string): string | null {
  if (hasPlus) return withoutTrunkZero(digits, home);
  if (digits.startsWith("00")) return withoutTrunkZero(digits.slice(2), home);
  if (digits.startsWith("0")) return home + digits.replace(/^0+/, "");
  const { national, longest } = COUNTRIES.get(home) ?? ANY;
  if (isOf(home, digits)) return digits;
  if (national.test(digits)) return home + digits;
  return digits.length > longest ? withoutTrunkZero(digits, home) : null;
}

const withoutTrunkZero = (digits: string, home: string): string =>
  digits.startsWith(`${home}0`) ? home + digits.slice(home.length + 1) : digits;

/** Country codes begin no other country's code. */
const codeOf = (full: string): string | undefined =>
  [full.slice(0, 1), full.slice(0, 2), full.slice(0, 3)].find((code) => COUNTRIES.has(code));

function isOf(code: string, full: string): boolean {
  const known = COUNTRIES.get(code);
  return known !== undefined && full.startsWith(code) && known.national.test(full.slice(code.length));
}

function isNumber(full: string): boolean {
  if (full.startsWith("0") || full.length < MIN_DIGITS || full.length > MAX_DIGITS) return false;
  const code = codeOf(full);
  return code === undefined || isOf(code, full);
}
