/** `npm run bench -- [name …] [--json FILE]`: the speed and memory that are promised, measured beside their floors. */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { BenchRow } from "./row.ts";
import { benchBridgeMemory } from "./bridge-memory.ts";
import { benchConnect } from "./connect.ts";
import { benchGroups, benchIntake } from "./intake.ts";
import { benchFirstSight, benchHistory } from "./history.ts";
import { benchLag } from "./lag.ts";
import { benchOutbox } from "./outbox.ts";
import { benchReceive } from "./receive.ts";
import { benchRest } from "./rest.ts";
import { benchSessions } from "./sessions.ts";
import { benchStart } from "./start.ts";
import { benchSync, benchSyncAgain } from "./sync.ts";

const BENCHES: Record<string, () => Promise<BenchRow[]>> = {
  intake: benchIntake,
  groups: benchGroups,
  history: benchHistory,
  "first-sight": benchFirstSight,
  outbox: benchOutbox,
  rest: benchRest,
  sessions: benchSessions,
  start: benchStart,
  connect: benchConnect,
  lag: benchLag,
  sync: benchSync,
  "sync-again": benchSyncAgain,
  receive: benchReceive,
  "bridge-memory": benchBridgeMemory,
};

const { values: options, positionals } = parseArgs({
  options: { json: { type: "string" } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`No benchmark ${unknown.join(", ")}. There are: ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}

const rows: BenchRow[] = [];
for (const [name, run] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.error(`… ${name}`);
  rows.push(...(await run()));
}
console.table(rows);
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(rows, null, 2)}\n`);
process.exitCode = rows.every((row) => row.holds) ? 0 : 1;
