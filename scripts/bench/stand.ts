/** What the benchmarks of whole processes stand on: an emulator, a receiver that only counts, a hub on a folder of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/signature.ts";
import { createHubClient, type HubClient } from "../../test/support/hub-client.ts";
import { startHubProcess, type HubProcess } from "../../test/support/hub-process.ts";
import { until } from "../../test/support/until.ts";
import { spawnEmulator, type SpawnedEmulator } from "../../test/whatsapp/spawn.ts";

export interface CountingReceiver {
  url: string;
  /** Messages that arrived so far: a hub's words of other things are answered, and not counted. */
  count(): number;
  stop(): void;
}

/** Answers every post with 200; the cheapest CRM there can be. */
export async function startReceiver(): Promise<CountingReceiver> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume();
    const event = request.headers["x-webhook-event"] ?? "message.received";
    request.on("end", () => {
      if (event === "message.received") count += 1;
      response.writeHead(200).end();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    count: () => count,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface BenchHub {
  process: HubProcess;
  client: HubClient;
  stop(): Promise<void>;
}

/** A hub in its shipped form, posting to `webhookUrl` if one is given. */
export async function startBenchHub(
  emulator: SpawnedEmulator,
  { webhookUrl, nodeOptions = [] }: { webhookUrl?: string; nodeOptions?: string[] } = {},
): Promise<BenchHub> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-bench-"));
  const process = await startHubProcess({
    dataDir: join(folder, "data"),
    env: {
      ...emulator.environment,
      ...(webhookUrl === undefined ? {} : { HUB_WEBHOOK_URL: webhookUrl, HUB_WEBHOOK_SECRET: makeSecret() }),
    },
    nodeOptions: [...emulator.preload, ...nodeOptions],
  });
  return {
    process,
    client: createHubClient(process),
    stop: async () => {
      await process.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The key's own limit is for strangers; a measuring client is allowed what it needs. */
export async function unhurriedKey(client: HubClient): Promise<string> {
  const { key } = await client.post<{ key: string }>("/api/keys", {
    name: "bench",
    scopes: ["read", "send", "webhooks"],
    sessions: "*",
    settings: { ratePerMinute: 100_000 },
  });
  return key;
}

/** Creates a session, shows its code to an account's phone, waits until it is connected; when it was scanned. */
export async function linkSession(
  emulator: SpawnedEmulator,
  { client }: Pick<BenchHub, "client">,
  { sessionId, account }: { sessionId: string; account: string },
): Promise<{ scannedAt: number }> {
  await client.post("/api/sessions", { sessionId });
  await client.post(`/api/sessions/${sessionId}/connect`);
  const { qr } = await client.get<{ qr: string }>(`/api/sessions/${sessionId}/qr`);
  const scannedAt = performance.now();
  const { outcome } = await emulator.scanQr(qr, account);
  if (outcome !== "paired") throw new Error(`account ${account}: ${outcome}`);
  await until(
    `session ${sessionId} connected`,
    async () => (await client.get<{ isConnected: boolean }>(`/api/sessions/${sessionId}/status`)).isConnected,
    { everyMs: 5, timeoutMs: 60_000 },
  );
  return { scannedAt };
}

/** Runs with an emulator of its own, which ends with it. */
export async function withEmulator<T>(work: (emulator: SpawnedEmulator) => Promise<T>): Promise<T> {
  const emulator = await spawnEmulator();
  try {
    return await work(emulator);
  } finally {
    await emulator.stop();
  }
}
