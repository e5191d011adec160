/** Halves of characters, wherever they stand. */
import { expect, test } from "vitest";
import { wellFormed } from "../../hub/core/well-formed.ts";

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
