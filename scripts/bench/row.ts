/** One line of the benchmark's table: what was measured, beside the floor of the same run, against its bar. */
export interface BenchRow {
  name: string;
  figure: number;
  unit: string;
  /** What the bare thing costs, measured side by side; null where there is none. */
  floor: number | null;
  /** figure : floor. */
  ratio: number | null;
  /** The bar in words, e.g. "ratio ≤ 2". */
  bar: string;
  holds: boolean;
}

interface Measured {
  name: string;
  figure: number;
  unit: string;
  floor?: number;
  bar: { ratioAtMost?: number; ratioAtLeast?: number; atMost?: number; atLeast?: number };
}

const round = (value: number): number => Number(value.toPrecision(4));

/** Judges a figure by its bar; a bar on the ratio needs a floor. */
export function benchRow({ name, figure, unit, floor, bar }: Measured): BenchRow {
  const ratio = floor === undefined ? null : figure / floor;
  const checks: [string, number | undefined, (limit: number) => boolean][] = [
    ["ratio ≤", bar.ratioAtMost, (limit) => ratio !== null && ratio <= limit],
    ["ratio ≥", bar.ratioAtLeast, (limit) => ratio !== null && ratio >= limit],
    ["≤", bar.atMost, (limit) => figure <= limit],
    ["≥", bar.atLeast, (limit) => figure >= limit],
  ];
  const asked = checks.filter(([, limit]) => limit !== undefined);
  return {
    name,
    figure: round(figure),
    unit,
    floor: floor === undefined ? null : round(floor),
    ratio: ratio === null ? null : round(ratio),
    bar: asked.map(([word, limit]) => `${word} ${limit}`).join(", "),
    holds: asked.every(([, limit, check]) => limit !== undefined && check(limit)),
  };
}
