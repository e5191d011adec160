/** `npm run faults -- [id …] [--tries N] [--seed S] [--json FILE]`: rows of the fault table, struck many times. */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { holds, type RowResult } from "../../test/faults/row.ts";
import { FAULT_ROWS } from "../../test/faults/rows.ts";

const { values: options, positionals } = parseArgs({
  options: { json: { type: "string" }, tries: { type: "string" }, seed: { type: "string" } },
  allowPositionals: true,
});
const ids = positionals.map((id) => id.toUpperCase());
const unknown = ids.filter((id) => !FAULT_ROWS.some((row) => row.id === id));
if (unknown.length > 0) {
  console.error(`No row ${unknown.join(", ")}. There are: ${FAULT_ROWS.map(({ id }) => id).join(", ")}`);
  process.exit(2);
}
const tries = options.tries === undefined ? null : Number(options.tries);
if (tries !== null && !(Number.isInteger(tries) && tries > 0)) {
  console.error("--tries takes a number of strikes, 1 or more.");
  process.exit(2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const seed = options.seed ?? Date.now().toString(36);
console.error(`seed ${seed}`);

const notRun = (problem: string): RowResult => ({
  ...{ tried: 0, lost: 0, doubled: 0, recoveredMs: null, ordinaryMs: null },
  problems: [problem],
});
const rows: (Omit<RowResult, "problems" | "ordinaryMs"> & { id: string; holds: boolean })[] = [];
for (const row of FAULT_ROWS) {
  if (ids.length > 0 && !ids.includes(row.id)) continue;
  console.error(`… ${row.id} ${row.title}`);
  const say = (text: string): void => console.error(`    ${text}`);
  // What one row cannot do here, or does not come through, must not keep the others from their turn.
  const result = await row
    .run({ tries: tries ?? row.manyTries, seed: `${seed} ${row.id}`, say })
    .catch((cause: unknown): RowResult => notRun(String(cause)));
  for (const problem of result.problems) console.error(`  ✖ ${problem}`);
  const { tried, lost, doubled, recoveredMs } = result;
  rows.push({ id: row.id, tried, lost, doubled, recoveredMs, holds: holds(result) });
}
console.table(rows);
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(rows, null, 2)}\n`);
// At once: with sockets that were reset, Node 20 may wait for ever in its own cleaning up.
process.exit(rows.every((row) => row.holds) ? 0 : 1);
