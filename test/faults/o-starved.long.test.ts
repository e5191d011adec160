/**
 * O2, O5, O6 of the fault table on a hub that runs: its disk fails every write, it may open nothing more, it gets no processor,
 * somebody else holds its database. It says so, loses nothing, and goes on by itself. Memory is in o-memory.long.test.ts.
 */
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { askReady, trySend } from "./asked.ts";
import { brokenNow } from "./invariants.ts";
import { busyMs, canLimit, limit, openFiles } from "./process-limits.ts";
import { aScene, letsGo, PATIENCE_MS, recovers } from "./scene.ts";
import { isOnline } from "./stand.ts";
import { say } from "./traffic.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
console.log(`O2, O5, O6: FAULT_SEED=${SEED}`);
const LIMIT_MS = 240_000;

describe.skipIf(!canLimit())("a hub that is kept from its work", () => {
  test(
    "O2: whose disk fails every write takes nothing, does not spin, and goes on when it works again",
    { timeout: LIMIT_MS },
    async () => {
      const scene = await aScene(SEED);
      const { stand, account, pid } = scene;
      limit(pid, "fsize", 0);
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
      limit(pid, "fsize", null);
      await recovers(scene);
    },
  );

  test(
    "O5: that may open nothing more takes what comes over what is open, says why it is not ready, and tells the CRM later",
    { timeout: LIMIT_MS },
    async () => {
      const scene = await aScene(SEED);
      const { stand, account, random, pid } = scene;
      const { url, apiKey } = stand.hub();
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const ask = async (): Promise<{ status: number; body: string }> => {
        const request = get(`${url}/readyz`, { agent, headers: { "X-API-Key": apiKey } });
        const [response] = (await once(request, "response")) as [IncomingMessage];
        let body = "";
        for await (const chunk of response) body += String(chunk);
        return { status: response.statusCode ?? 0, body };
      };
      expect((await ask()).status).toBe(200);
      limit(pid, "nofile", 64);
      expect(openFiles(pid)).toBeLessThan(64);
      const port = Number(new URL(url).port);
      const callers: Socket[] = [];
      await until("everything that may be open is open", () => {
        if (openFiles(pid) >= 63) return true;
        callers.push(connect(port, "127.0.0.1").on("error", () => undefined));
        return false;
      });
      for (let n = 0; n < 20; n++) callers.push(connect(port, "127.0.0.1").on("error", () => undefined));
      say(stand, account, random, 20);
      await until("all is acknowledged", () => stand.emulator.ledgerSummary(account.number).unacked === 0);
      const { status, body } = await ask();
      expect([status, JSON.parse(body)]).toMatchObject([503, { checks: { files: false, store: true } }]);
      expect(brokenNow(stand)).toEqual([]);
      for (const caller of callers) caller.destroy();
      agent.destroy();
      limit(pid, "nofile", null);
      await recovers(scene);
    },
  );

  test(
    "O5: that gets a tenth of a processor loses nothing, and says that it is late",
    { timeout: LIMIT_MS },
    async () => {
      const scene = await aScene(SEED);
      const { stand, account, random, pid } = scene;
      const fed = new AbortController();
      const starving = (async () => {
        while (!fed.signal.aborted) {
          process.kill(pid, "SIGSTOP");
          await pause(1_300);
          process.kill(pid, "SIGCONT");
          await pause(130);
        }
      })();
      try {
        say(stand, account, random, 40);
        await until("it says that it is late", async () => (await askReady(stand)).failing.includes("load"), {
          timeoutMs: PATIENCE_MS,
        });
      } finally {
        fed.abort();
        await starving;
      }
      // What it says looks back ten seconds; what it does is seen at once.
      await recovers(scene, { isReady: false });
    },
  );
});

test(
  "O6: somebody holds the hub's database: it waits five seconds, then takes nothing until it is let go",
  { timeout: LIMIT_MS },
  async () => {
    const scene = await aScene(SEED);
    const { stand, account, random } = scene;
    const other = new Database(join(stand.dataDir, "hub.db"), { timeout: 5000 });
    other.exec("BEGIN IMMEDIATE");
    const since = performance.now();
    say(stand, account, random, 3);
    await until("the hub to let go of WhatsApp", () => !isOnline(stand.emulator, account.number), {
      timeoutMs: PATIENCE_MS,
    });
    expect(performance.now() - since).toBeGreaterThan(4_500);
    expect(stand.emulator.ledgerSummary(account.number).unacked).toBeGreaterThan(0);
    other.exec("ROLLBACK");
    other.close();
    await recovers(scene);
  },
);
