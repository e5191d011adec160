/** The whole road to a CRM: WhatsApp, the hub and the bridge as processes, on folders that outlive a restart. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/index.ts";
import { openBridgeSite, type BridgeSite } from "../support/bridge-site.ts";
import { createHubClient, type HubClient } from "../support/hub-client.ts";
import { newApiKey, startHubProcess, type HubProcess } from "../support/hub-process.ts";
import { freePort } from "../support/product-process.ts";
import { until } from "../support/until.ts";
import { spawnEmulator, type SpawnedEmulator } from "../whatsapp/spawn.ts";

export interface BridgeRoad {
  whatsapp: SpawnedEmulator;
  hub: HubClient;
  bridge: BridgeSite;
  isConnected(sessionId: string): Promise<boolean>;
  qr(sessionId: string): Promise<string>;
  restartHub(): Promise<void>;
  stop(): Promise<void>;
}

export async function openBridgeRoad(): Promise<BridgeRoad> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-bridge-road-"));
  const apiKey = newApiKey();
  const [whatsapp, port] = await Promise.all([spawnEmulator(), freePort()]);
  const start = (): Promise<HubProcess> =>
    startHubProcess({
      dataDir: join(folder, "hub"),
      apiKey,
      port,
      env: whatsapp.environment,
      nodeOptions: whatsapp.preload,
    });
  let running = await start();
  const hub = createHubClient(running);
  const bridge = await openBridgeSite({
    dir: join(folder, "bridge"),
    env: {
      BRIDGE_HUB_URL: running.url,
      BRIDGE_HUB_API_KEY: apiKey,
      BRIDGE_WEBHOOK_SECRET: makeSecret(),
    },
  });
  await bridge.start();
  return {
    whatsapp,
    hub,
    bridge,
    isConnected: async (sessionId) =>
      (await hub.get<{ isConnected: boolean }>(`/api/sessions/${sessionId}/status`)).isConnected,
    qr: async (sessionId) => {
      const { qr } = await until("a code to scan", () =>
        hub.get<{ qr: string }>(`/api/sessions/${sessionId}/qr`).catch(() => null),
      );
      return qr;
    },
    restartHub: async () => {
      await running.kill("SIGKILL");
      running = await start();
    },
    stop: async () => {
      await Promise.all([running.kill(), bridge.kill()]);
      await whatsapp.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
