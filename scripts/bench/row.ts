/** One line of the benchmark's table: a figure, what it is measured against, and whether the promise holds. */
export interface BenchRow {
  name: string;
  figure: number;
  unit: string;
  /** What the same machine does without the hub's promises, measured in the same run; null where there is none. */
  floor: number | null;
  /** `figure` against `floor`. */
  ratio: number | null;
  /** What has to hold, in words. */
  bar: string;
  holds: boolean;
}

/** Every limit given must hold. */
export interface Bar {
  atMost?: number;
  atLeast?: number;
  ratioAtMost?: number;
  ratioAtLeast?: number;
}

export function benchRow({
  name,
  figure,
  unit,
  floor = null,
  bar,
}: {
  name: string;
  figure: number;
  unit: string;
  floor?: number | null;
  bar: Bar;
}): BenchRow {
  const ratio = floor === null ? null : figure / floor;
  const { atMost, atLeast, ratioAtMost, ratioAtLeast } = bar;
  // A figure that could not be measured is NaN, and holds nothing.
  const limits = [
    { limit: atMost, words: "≤", unit, holds: atMost === undefined || figure <= atMost },
    { limit: atLeast, words: "≥", unit, holds: atLeast === undefined || figure >= atLeast },
    {
      limit: ratioAtMost,
      words: "≤",
      unit: "× floor",
      holds: ratioAtMost === undefined || (ratio ?? NaN) <= ratioAtMost,
    },
    {
      limit: ratioAtLeast,
      words: "≥",
      unit: "× floor",
      holds: ratioAtLeast === undefined || (ratio ?? NaN) >= ratioAtLeast,
    },
  ].filter(({ limit }) => limit !== undefined);
  return {
    name,
    figure: rounded(figure),
    unit,
    floor: floor === null ? null : rounded(floor),
    ratio: ratio === null ? null : rounded(ratio),
    bar: limits.map(({ words, limit, unit: of }) => `${words} ${limit ?? ""} ${of}`).join(", "),
    holds: limits.every(({ holds }) => holds),
  };
}

/** Three digits say enough. */
const rounded = (value: number): number => Number(value.toPrecision(value >= 1000 ? 6 : 3));
