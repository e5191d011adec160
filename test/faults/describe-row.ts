/** A row of the fault table as a test of its CI size. FAULT_SEED=<text> repeats a run; the seed is logged in any case. */
import { expect, test } from "vitest";
import { holds, type FaultRow } from "./row.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
/** A machine that is busy with other things must not end a row half-way. */
const LIMIT_MS = 900_000;

export function describeRow(row: FaultRow): void {
  test(`${row.id}: ${row.title}: nothing lost, nothing doubled`, { timeout: LIMIT_MS }, async () => {
    console.log(`${row.id}: FAULT_SEED=${SEED}`);
    const result = await row.run({ tries: row.tries, seed: `${SEED} ${row.id}` });
    expect(result).toMatchObject({ lost: 0, doubled: 0, problems: [] });
    expect(result.tried).toBeGreaterThanOrEqual(row.tries);
    expect(holds(result), `ready again after ${result.recoveredMs} ms`).toBe(true);
  });
}
