/** SQL's LIKE as both engines keep it: % is any text, _ one character, letters of every script in either case. Pure. */

/** A character as it may be written; `any`: any text, `one`: any character. */
export type LikePart = "any" | "one" | string[];

export const likeParts = (pattern: string): LikePart[] =>
  Array.from(pattern, (character) => {
    if (character === "%") return "any";
    return character === "_" ? "one" : casesOf(character);
  });

/** Letters that become two, as ß, stay as they are; letters beyond ASCII never stand for one of it, as SQLite has it. */
function casesOf(character: string): string[] {
  const isAscii = character <= "\u007f";
  const cases = [character.toLowerCase(), character.toUpperCase()].filter(
    (one) => Array.from(one).length === 1 && one <= "\u007f" === isAscii,
  );
  return [...new Set([character, ...cases])];
}
