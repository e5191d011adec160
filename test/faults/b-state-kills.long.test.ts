/** B3: the bridge killed while it writes its memory, in the rename or beside it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../bridge/clock.ts";
import { bridgeDataSchema } from "../../bridge/state/bridge-state.ts";
import { openLowdbState } from "../../bridge/state/lowdb-state.ts";
import { logBook } from "../support/log-book.ts";

const KILLS = 20;
const dir = mkdtempSync(join(tmpdir(), "bridge-kills-"));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** Runs the writing process and kills it so long after its first write; the last number it had kept. */
async function killedAfter(ms: number): Promise<number> {
  const script = join(import.meta.dirname, "../conformance/writing-bridge.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let kept = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => (kept = Number(line)));
  await once(lines, "line");
  await wait(ms);
  child.kill("SIGKILL");
  await Promise.all([once(child, "exit"), once(lines, "close")]);
  return kept;
}

test(`B3: after ${KILLS} kills the state file always parses, and holds every change that was kept`, async () => {
  const seed = Math.floor(Math.random() * 1_000_000);
  console.log(`B3: seed ${seed}`);
  let writes = 0;
  for (let round = 0; round < KILLS; round += 1) {
    const kept = await killedAfter((seed * (round + 1) * 7919) % 150);
    const data = bridgeDataSchema.parse(JSON.parse(readFileSync(join(dir, "bridge.json"), "utf8")));
    // A write that ended just before the kill may not have been said any more.
    expect(data.mark).toBeGreaterThanOrEqual(kept);
    expect(data.mark).toBeLessThanOrEqual(kept + 1);
    expect(data.failedItems.every(({ key }) => key === String(data.mark))).toBe(true);
    writes = data.mark;
  }
  const log = logBook();
  await openLowdbState({ dir, clock: systemClock, log });
  expect(log.lines("state.unreadable")).toEqual([]);
  expect(readdirSync(dir).every((name) => !name.includes("unreadable"))).toBe(true);
  console.log(`B3: ${writes} writes over ${KILLS} lives`);
}, 180_000);
