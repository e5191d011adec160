/** The normal form of a national id, by which two spellings of one id are found equal: compared exactly, never in part. */

const DASHES = /[\u2010-\u2015\u2212\uFE58\uFE63\uFF0D]/g;
const PREFIX = /^[VEJG]-/;
/** What may stand before a number that is written with or without its kind. */
export const NATIONAL_ID_PREFIXES = ["", "V-", "E-", "J-", "G-"];

/**
 * Without dots, spaces and the prefix of its kind (`V-` `E-` `J-` `G-`), in capitals. Everything else stays as it is:
 * a passport's letter without a dash belongs to its number. Null where nothing is left that could name anybody:
 * the `0` and `N/A` of a form that wanted something would make one person of many.
 */
export function normalNationalId(written: string | null): string | null {
  if (written === null) return null;
  const form = written
    .normalize("NFKC")
    .replace(DASHES, "-")
    .replace(/[.\s]/g, "")
    .toUpperCase()
    .replace(PREFIX, "");
  return /[1-9]/.test(form) ? form : null;
}
