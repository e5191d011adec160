/** O2 of the fault table, where a test may mount disks; the same row on a hub whose writes fail is in o-starved.long.test.ts. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { canMountSmallDisk, onSmallDisk } from "./disk-row.ts";
import { holds } from "./row.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
const RUN = fileURLToPath(new URL("o-readonly-run.ts", import.meta.url));

test.skipIf(!canMountSmallDisk())(
  "O2: the disk becomes read-only: a hub says so and loses nothing, and none starts there",
  { timeout: 240_000 },
  async () => {
    console.log(`O2: FAULT_SEED=${SEED}`);
    const result = await onSmallDisk(RUN, { tries: 1, seed: SEED, say: (text) => console.log(text) });
    expect(result).toMatchObject({ tried: 1, lost: 0, doubled: 0, problems: [] });
    expect(holds(result), `ready again after ${result.recoveredMs} ms`).toBe(true);
  },
);
