/** One line of the benchmark's table. */
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
