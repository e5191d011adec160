/**
 * O5, memory. A process that the system refuses memory ends: V8 and the C++ library abort, whatever was asking; so what counts
 * is that nothing is lost, and who watches the process starts the next. A store that is refused memory is a store that fails.
 */
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { until } from "../support/until.ts";
import { askReady, trySend } from "./asked.ts";
import { brokenNow } from "./invariants.ts";
import { busyMs, canLimit, limit, memoryOf } from "./process-limits.ts";
import { aScene, letsGo, PATIENCE_MS, recovers } from "./scene.ts";
import { isOnline } from "./stand.ts";
import { say } from "./traffic.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
console.log(`O5: FAULT_SEED=${SEED}`);
const WITHOUT_MEMORY = new URL("../support/memoryless-store.mjs", import.meta.url).href;
const LIMIT_MS = 240_000;
const LAST_WORDS = /bad_alloc|out of memory|Allocation failed|OOM/i;
const LARGE_FILE = 12 << 20;
/** As large as a body may be, and ten times that when it is read. */
const MANY_OBJECTS = Buffer.from(`[${"[],".repeat(85_000)}[]]`);

test(
  "O5: whose store is refused memory takes nothing, does not spin, and goes on when there is some",
  { timeout: LIMIT_MS },
  async () => {
    const scene = await aScene(SEED, { nodeOptions: ["--import", WITHOUT_MEMORY] });
    const { stand, account, pid } = scene;
    process.kill(pid, "SIGUSR2");
    await letsGo(scene);
    expect(await askReady(stand)).toMatchObject({
      status: 503,
      failing: expect.arrayContaining(["store"]) as string[],
    });
    expect(await trySend(stand, account)).toBe(503);
    const [busy, lines] = [busyMs(pid), stand.hub().output.length];
    await pause(2_000);
    expect(busyMs(pid) - busy).toBeLessThan(700);
    expect(stand.hub().output.length - lines).toBeLessThan(40);
    expect(stand.emulator.ledgerSummary(account.number).unacked).toBeGreaterThan(0);
    expect(brokenNow(stand)).toEqual([]);
    process.kill(pid, "SIGUSR2");
    await recovers(scene);
  },
);

test.skipIf(!canLimit())(
  "O5: that is given no more memory ends, says of what where it can, and the next one has everything",
  { timeout: LIMIT_MS },
  async () => {
    const scene = await aScene(SEED);
    const { stand, account, random, pid } = scene;
    const { url, apiKey, exited, output } = stand.hub();
    let allowed = memoryOf(pid);
    limit(pid, "data", allowed);
    /** What it gave back it does not get again. */
    const lower = (): void => {
      try {
        allowed = Math.min(allowed, memoryOf(pid));
        limit(pid, "data", allowed);
      } catch {
        // It is ending in this moment.
      }
    };
    const seen: string[] = [];
    const post = (path: string, type: string, body: Buffer): Promise<unknown> =>
      fetch(url + path, {
        method: "POST",
        headers: { "X-API-Key": apiKey, "Content-Type": type },
        body,
        signal: AbortSignal.timeout(PATIENCE_MS / 4),
      }).then(
        async (response) => {
          await response.arrayBuffer();
          seen.push(String(response.status));
        },
        (error: unknown) => {
          seen.push(String(error)); // the process is gone, and its connection with it
        },
      );
    // What it holds already carries ordinary traffic for a while, and refusing is cheap: a store or an upload that is refused
    // memory says so and lives on. It ends when its own objects find no room, so many are asked of it at once.
    const press = (): Promise<unknown> =>
      Promise.all([
        ...Array.from({ length: 4 }, () =>
          post("/api/media", "application/octet-stream", Buffer.alloc(LARGE_FILE, 1)),
        ),
        ...Array.from({ length: 24 }, () => post("/api/sessions", "application/json", MANY_OBJECTS)),
      ]);
    await until(
      "the end of the process",
      async () => {
        if (isOnline(stand.emulator, account.number)) say(stand, account, random, 20);
        await press();
        lower();
        return stand.isDown();
      },
      { timeoutMs: 2 * PATIENCE_MS, everyMs: 50 },
    ).catch((error: unknown) => {
      throw new Error(`It answered ${[...new Set(seen)].join(", ")} and lives on`, { cause: error });
    });
    const signal = await exited;
    expect(signal).toMatch(/^SIG(ABRT|TRAP|SEGV)$/);
    // V8 and the C++ library say what they lacked and abort. What falls through a null pointer first can say nothing.
    if (signal !== "SIGSEGV") await until("its last words", () => LAST_WORDS.test(output.join("\n")));
    expect(brokenNow(stand)).toEqual([]);
    await stand.start();
    await recovers(scene);
  },
);
