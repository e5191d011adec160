/** Which numbers are missing, as pushed events overtake one another. */
import { expect, test } from "vitest";
import { createHoles } from "../../bridge/sync/holes.ts";

const dueOf = (seqs: number[], { start = 0, wait = 10 } = {}) => {
  const holes = createHoles(start);
  for (const seq of seqs) holes.noticed(seq, 0);
  return holes.due(wait, 10);
};

test("nothing is missing where numbers come in a row, or where nothing is known yet", () => {
  expect(dueOf([1, 2, 3], { start: 0 })).toEqual([]);
  expect(dueOf([500], { start: 0 })).toEqual([]);
  expect(dueOf([501, 502], { start: 500 })).toEqual([]);
});

test("a number that was leapt over is due when it has been missing for long enough", () => {
  expect(dueOf([1, 2, 5])).toEqual([{ from: 3, to: 4 }]);
  expect(dueOf([1, 2, 5], { wait: 9 })).toEqual([]);
});

test("numbers that come late close their part of a hole", () => {
  expect(dueOf([10, 12, 11])).toEqual([]);
  expect(dueOf([1, 1000, 500], { start: 1 })).toEqual([
    { from: 2, to: 499 },
    { from: 501, to: 999 },
  ]);
  expect(dueOf([10, 300, 10, 11, 299, 298])).toEqual([{ from: 12, to: 297 }]);
});

test("holes near each other are read together, far ones apart", () => {
  expect(dueOf([1, 3, 5, 7])).toEqual([{ from: 2, to: 6 }]);
  expect(dueOf([1, 3, 300, 302].flatMap((seq) => (seq === 300 ? range(4, 300) : [seq])))).toEqual([
    { from: 2, to: 2 },
    { from: 301, to: 301 },
  ]);
});

test("what the mark passed, or a pull read, is missing no more", () => {
  const holes = createHoles(10);
  holes.noticed(20, 0);
  holes.settledUpTo(14);
  expect(holes.due(10, 10)).toEqual([{ from: 15, to: 19 }]);
  holes.postponed({ from: 15, to: 19 }, 10);
  expect(holes.due(19, 10)).toEqual([]);
  holes.closed({ from: 15, to: 19 });
  expect(holes.isEmpty).toBe(true);
  holes.settledUpTo(30);
  holes.noticed(31, 40);
  expect(holes.isEmpty).toBe(true);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
