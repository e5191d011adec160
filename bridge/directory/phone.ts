/** Phone numbers as a directory writes them → `+digits`, the form in which a WhatsApp contact's number is known. */

const MIN_DIGITS = 8;
const MAX_DIGITS = 15;
/** Longest number within a country, without its trunk zero, for which the country's code is added. */
const NATIONAL_DIGITS = 10;

/** The first of the numbers written that can be one; null where none can. `country` is the code of numbers without any. */
export function normalPhone(written: string | null, country: string): string | null {
  if (written === null) return null;
  for (const part of written.normalize("NFKC").split(/[/,;|]/)) {
    const number = oneNumber(part, country);
    if (number !== null) return number;
  }
  return null;
}

function oneNumber(part: string, country: string): string | null {
  // `(0)` is a hint to callers from within the country, not a digit to be dialled with its code.
  const compact = part.replace("(0)", "").replace(/[\s().\u2010-\u2015-]/g, "");
  const [, plus, digits] = /^(\+?)(\d+)$/.exec(compact) ?? [];
  if (plus === undefined || digits === undefined) return null;
  const full = international(digits, plus === "+", country);
  return full.length >= MIN_DIGITS && full.length <= MAX_DIGITS ? `+${full}` : null;
}

function international(digits: string, hasPlus: boolean, country: string): string {
  if (hasPlus) return withoutTrunkZero(digits, country);
  if (digits.startsWith("00")) return withoutTrunkZero(digits.slice(2), country);
  if (digits.startsWith("0")) return country + digits.replace(/^0+/, "");
  if (digits.length > NATIONAL_DIGITS) return withoutTrunkZero(digits, country);
  return country + digits;
}

const withoutTrunkZero = (digits: string, country: string): string =>
  digits.startsWith(`${country}0`) ? country + digits.slice(country.length + 1) : digits;
