/**
 * A hub with many registered accounts starts: from the start of its process until all are open, beside one process of bare
 * Baileys sockets with the same accounts (which also compiles its TypeScript: some tenths of a second); and how long its API
 * makes others wait meanwhile.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createHubClient, type HubClient } from "../../test/support/hub-client.ts";
import { newApiKey, startHubProcess, type HubProcess } from "../../test/support/hub-process.ts";
import { freePort } from "../../test/support/product-process.ts";
import { until } from "../../test/support/until.ts";
import type { SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { startBare } from "./bare-client.ts";
import { benchRow, type BenchRow } from "./row.ts";
import { linkSession, withEmulator } from "./stand.ts";

const SESSIONS = 100;
const AT_ONCE = 5;
/** A CRM and a few people who look; so many calls that the 99th of a hundred is not just the slowest of all. */
const CALL_EVERY_MS = 20;

export const benchStart = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const folder = await mkdtemp(join(tmpdir(), "inbox-hub-bench-start-"));
    try {
      const accounts = await newAccounts(emulator);
      const hub = await hubStart(emulator, { dataDir: join(folder, "data"), accounts });
      const bareSeconds = await bareStart(emulator, { loginsFile: join(folder, "logins"), accounts });
      return [
        benchRow({
          name: `start: ${SESSIONS} registered sessions, from process start to all open`,
          figure: hub.seconds,
          unit: "s",
          floor: bareSeconds,
          bar: { atMost: 10 },
        }),
        benchRow({ name: "start: API p99 meanwhile", figure: hub.p99, unit: "ms", bar: { atMost: 100 } }),
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

async function newAccounts(emulator: SpawnedEmulator): Promise<string[]> {
  const numbers: string[] = [];
  for (let n = 0; n < SESSIONS; n++) numbers.push((await emulator.createAccount({ preset: "empty" })).number);
  return numbers;
}

async function hubStart(
  emulator: SpawnedEmulator,
  { dataDir, accounts }: { dataDir: string; accounts: string[] },
): Promise<{ seconds: number; p99: number }> {
  const [apiKey, port] = [newApiKey(), await freePort()];
  const start = (): Promise<HubProcess> =>
    startHubProcess({ dataDir, apiKey, port, env: emulator.environment, nodeOptions: emulator.preload });
  const first = await start();
  const client = createHubClient(first);
  for (let done = 0; done < accounts.length; done += AT_ONCE)
    await Promise.all(
      accounts
        .slice(done, done + AT_ONCE)
        .map((account, n) => linkSession(emulator, { client }, { sessionId: `start-${done + n}`, account })),
    );
  // The key's own limit is for strangers; the measuring key is allowed what it needs.
  const { key } = await client.post<{ key: string }>("/api/keys", {
    name: "bench",
    scopes: ["read"],
    sessions: "*",
    settings: { ratePerMinute: 100_000 },
  });
  await first.kill("SIGTERM");

  const reader = createHubClient({ url: first.url, apiKey: key });
  const startedAt = performance.now();
  const starting = start();
  const calls = callSteadily(reader);
  try {
    await starting;
    await until("all sessions open", async () => (await connectedOf(reader)) === SESSIONS, {
      everyMs: 100,
      timeoutMs: 120_000,
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const times = await calls.stop();
    return { seconds, p99: times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? NaN };
  } finally {
    await calls.stop();
    await (await starting).kill();
  }
}

const connectedOf = async (client: HubClient): Promise<number> =>
  (await client.get<{ byStatus: { connected?: number } }>("/api/sessions/stats")).byStatus.connected ?? 0;

/** Calls at their moments, whether those before were answered or not; the milliseconds of those that were answered well. */
function callSteadily(client: HubClient): { stop(): Promise<number[]> } {
  const stopping = new AbortController();
  const times: number[] = [];
  const calls: Promise<void>[] = [];
  const call = async (n: number): Promise<void> => {
    const since = performance.now();
    const path = n % 2 === 0 ? "/api/sessions?limit=50" : `/api/sessions/start-${n % SESSIONS}/status`;
    await client.get(path).then(
      () => times.push(performance.now() - since),
      () => undefined, // nobody listens yet, or it says that it is starting
    );
  };
  const loop = (async () => {
    for (let n = 0; !stopping.signal.aborted; n++) {
      calls.push(call(n));
      await pause(CALL_EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await loop;
      await Promise.all(calls);
      return times;
    },
  };
}

async function bareStart(
  emulator: SpawnedEmulator,
  { loginsFile, accounts }: { loginsFile: string; accounts: string[] },
): Promise<number> {
  const first = await startBare(emulator, { accounts, loginsFile });
  await first.stop("SIGTERM");
  const since = performance.now();
  const again = await startBare(emulator, { accounts, loginsFile });
  const seconds = (performance.now() - since) / 1000;
  await again.stop();
  return seconds;
}
