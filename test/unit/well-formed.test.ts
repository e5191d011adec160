/** Halves of characters, wherever they stand. */
import { expect, test } from "vitest";
import { mayHoldHalves, wellFormed } from "../../hub/core/well-formed.ts";

const HALF = "\uD83D";

test("whole texts are left alone, down to the object itself", () => {
  const value = { text: "👍🏽 ñ", list: [1, null, "x"], none: undefined, on: true };
  expect(wellFormed(value)).toBe(value);
});

test("half a character becomes U+FFFD, wherever it stands", () => {
  const value = { text: `a${HALF}`, list: [{ text: `${HALF}b` }, 1, null], [HALF]: "\uDE00" };
  expect(wellFormed(value)).toEqual({
    text: "a\uFFFD",
    list: [{ text: "\uFFFDb" }, 1, null],
    "\uFFFD": "\uFFFD",
  });
  expect(wellFormed(HALF)).toBe("\uFFFD");
});

test("JSON can spell half a character by an escape alone, in either case", () => {
  for (const value of [HALF, { [HALF]: 1 }, ["a\uDE00"]])
    expect(mayHoldHalves(JSON.stringify(value))).toBe(true);
  expect(mayHoldHalves('"\\uD83D"')).toBe(true);
  for (const value of ["👍🏽 ñ", [1, 2, "ud83d"], "\u0007"])
    expect(mayHoldHalves(JSON.stringify(value))).toBe(false);
});

test("a file of two million numbers is looked over at once", () => {
  const value = { data: Array.from({ length: 2_000_000 }, (_, n) => n % 256) };
  const since = performance.now();
  expect(wellFormed(value)).toBe(value);
  // Naming each element takes more than a second.
  expect(performance.now() - since).toBeLessThan(250);
});
