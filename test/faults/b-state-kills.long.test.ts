/** B3: the bridge killed while it writes its memory: right before the rename, right after it, and at any moment. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../bridge/clock.ts";
import { bridgeDataSchema, type BridgeData } from "../../bridge/state/bridge-state.ts";
import { openLowdbState } from "../../bridge/state/lowdb-state.ts";
import { logBook } from "../support/log-book.ts";

const KILLS = 20;
const WRITER = join(import.meta.dirname, "../conformance/writing-bridge.ts");
const KILLED_IN_RENAME = join(import.meta.dirname, "../support/killed-in-rename.mjs");
const parent = mkdtempSync(join(tmpdir(), "bridge-kills-"));
afterAll(() => {
  rmSync(parent, { recursive: true });
});

/** Begins to write in the folder; tells the last number that it said it had kept. */
function startWriter(
  dir: string,
  { imports = [], env = {} }: { imports?: string[]; env?: NodeJS.ProcessEnv } = {},
) {
  const child = spawn(
    process.execPath,
    [...imports, "tsx"].flatMap((one) => ["--import", one]).concat(WRITER, dir),
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...env },
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let kept = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => (kept = Number(line)));
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]).then(() => ({
    kept,
    signal: child.signalCode,
  }));
  return { child, lines, ended };
}

/** Kills the writing process so long after its first write; the last number it had kept. */
async function killedAfter(ms: number, dir: string): Promise<number> {
  const { child, lines, ended } = startWriter(dir);
  await once(lines, "line");
  await wait(ms);
  child.kill("SIGKILL");
  return (await ended).kept;
}

const inFile = (dir: string, name = "bridge.json"): BridgeData =>
  bridgeDataSchema.parse(JSON.parse(readFileSync(join(dir, name), "utf8")));

/** The next bridge takes the file for what it is, and puts nothing aside. */
async function expectReadable(dir: string): Promise<void> {
  const log = logBook();
  const state = await openLowdbState({ dir, clock: systemClock, log });
  await state.close();
  expect(log.lines("state.unreadable")).toEqual([]);
  expect(readdirSync(dir).every((name) => !name.includes("unreadable"))).toBe(true);
}

test.each([
  ["before", 1, 0],
  ["after", 1, 1],
  ["before", 4, 3],
  ["after", 4, 4],
] as const)(
  "B3: killed right %s rename %i of the state file, it holds write %i, and the next life goes on from there",
  async (when, nth, whole) => {
    const dir = join(parent, `${when}-${nth}`);
    let mark = 0;
    for (let life = 1; life <= 3; life += 1) {
      const { ended } = startWriter(dir, {
        imports: [KILLED_IN_RENAME],
        env: { RENAME_KILL: `${when}:${nth}:bridge.json` },
      });
      const { kept, signal } = await ended;
      expect(signal).toBe("SIGKILL");
      // Whether the last write is in or not: nobody was told that it is.
      expect(kept).toBe(nth === 1 ? 0 : mark + nth - 1);
      // Before the first rename of all there is no file yet.
      const isThere = existsSync(join(dir, "bridge.json"));
      expect(isThere).toBe(mark + whole > 0);
      mark += whole;
      if (isThere) expect(inFile(dir).mark).toBe(mark);
      // What the rename would have put there is whole beside it, or is in its place.
      if (when === "before") expect(inFile(dir, "bridge.json.next").mark).toBe(mark + 1);
      else expect(existsSync(join(dir, "bridge.json.next"))).toBe(false);
      await expectReadable(dir);
    }
  },
  60_000,
);

test(`B3: after ${KILLS} kills at any moment the state file always parses, and holds every change that was kept`, async () => {
  const seed = Math.floor(Math.random() * 1_000_000);
  console.log(`B3: seed ${seed}`);
  const dir = join(parent, "any-moment");
  let writes = 0;
  for (let round = 0; round < KILLS; round += 1) {
    const kept = await killedAfter((seed * (round + 1) * 7919) % 150, dir);
    const data = inFile(dir);
    // A write that ended just before the kill may not have been said any more.
    expect(data.mark).toBeGreaterThanOrEqual(kept);
    expect(data.mark).toBeLessThanOrEqual(kept + 1);
    expect(data.failedItems.every(({ key }) => key === String(data.mark))).toBe(true);
    writes = data.mark;
  }
  await expectReadable(dir);
  console.log(`B3: ${writes} writes over ${KILLS} lives`);
}, 180_000);
