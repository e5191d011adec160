/** One row of the fault table: what is done to the hub, how often, and what came of it. */

export interface RowOptions {
  /** How often the fault strikes. */
  tries: number;
  /** Decides everything that is random; the same seed strikes at the same places. */
  seed: string;
  /** For a person who watches. */
  say?: (text: string) => void;
}

export interface RowResult {
  /** How often the fault really struck. */
  tried: number;
  /** Messages that WhatsApp handed over (or still owes) and the CRM never got. */
  lost: number;
  /** Messages that the CRM got as more than one event, or that the hub stored more than once. */
  doubled: number;
  /** The longest time from the start of the process after a fault until it was ready; null where nothing is restarted. */
  recoveredMs: number | null;
  /** What a start on an empty folder took in the same run. */
  ordinaryMs: number | null;
  /** Broken invariants and unmet expectations, in words. */
  problems: string[];
}

export interface FaultRow {
  /** As the fault table calls it. */
  id: string;
  title: string;
  /** Strikes in the run of every change; `npm run faults` makes more of them. */
  tries: number;
  /** Strikes of `npm run faults`, unless told otherwise. */
  manyTries: number;
  run(options: RowOptions): Promise<RowResult>;
}

export const RECOVERY_LIMIT_MS = 5000;
/** A machine that is busy with other things is slow without a fault as well. */
const BUSY_FACTOR = 3;

export function holds({ tried, lost, doubled, recoveredMs, ordinaryMs, problems }: RowResult): boolean {
  const limitMs = Math.max(RECOVERY_LIMIT_MS, BUSY_FACTOR * (ordinaryMs ?? 0));
  return tried > 0 && lost === 0 && doubled === 0 && problems.length === 0 && (recoveredMs ?? 0) < limitMs;
}
