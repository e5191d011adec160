/** The main road as its users have it: WhatsApp and the hub as processes, a CRM on a port, a folder that outlives restarts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/signature.ts";
import { startFakeCrm, type FakeCrm } from "../support/fake-crm.ts";
import { createHubClient, type HubClient } from "../support/hub-client.ts";
import { newApiKey, startHubProcess, type HubProcess } from "../support/hub-process.ts";
import { until } from "../support/until.ts";
import { spawnEmulator, type SpawnedEmulator } from "../whatsapp/spawn.ts";

export interface Road {
  whatsapp: SpawnedEmulator;
  crm: FakeCrm;
  hub: HubClient;
  hubUrl: string;
  /** Must not be found in what the hub writes. */
  secrets: string[];
  /** Everything all hubs of this road wrote, at the most talkative level. */
  output(): string;
  /** Ends it as an operator would, and starts it again. */
  restart(): Promise<void>;
  isConnected(sessionId: string): Promise<boolean>;
  qr(sessionId: string): Promise<string>;
  stop(): Promise<void>;
}

export async function openRoad(): Promise<Road> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-road-"));
  const secret = makeSecret();
  const apiKey = newApiKey();
  const [whatsapp, crm] = await Promise.all([spawnEmulator(), startFakeCrm({ secret })]);
  const hubs: HubProcess[] = [];
  const start = async (port: number): Promise<HubProcess> => {
    const started = await startHubProcess({
      dataDir: join(folder, "data"),
      apiKey,
      port,
      env: {
        ...whatsapp.environment,
        HUB_WEBHOOK_URL: crm.url,
        HUB_WEBHOOK_SECRET: secret,
        HUB_LOG_LEVEL: "trace",
      },
      nodeOptions: whatsapp.preload,
    });
    hubs.push(started);
    return started;
  };
  let running = await start(0);
  const { url } = running;
  const hub = createHubClient({ url, apiKey });
  const secrets = [apiKey, secret];

  return {
    whatsapp,
    crm,
    hub,
    hubUrl: url,
    secrets,
    output: () => hubs.flatMap(({ output }) => output).join("\n"),
    restart: async () => {
      await running.kill("SIGTERM");
      running = await start(Number(new URL(url).port));
    },
    isConnected: async (sessionId) =>
      (await hub.get<{ isConnected: boolean }>(`/api/sessions/${sessionId}/status`)).isConnected,
    qr: async (sessionId) => {
      const { qr } = await until("a code to scan", () =>
        hub.get<{ qr: string }>(`/api/sessions/${sessionId}/qr`).catch(() => null),
      );
      secrets.push(qr);
      return qr;
    },
    stop: async () => {
      await running.kill("SIGKILL");
      await Promise.all([whatsapp.stop(), crm.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
