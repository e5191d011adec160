/** The demo's cast, each a process or server of its own: WhatsApp (emulated), the hub, a CRM. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/signature.ts";
import { createHubClient, type HubClient } from "../../test/support/hub-client.ts";
import { newApiKey, startHubProcess, type HubProcess } from "../../test/support/hub-process.ts";
import { spawnEmulator, type SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { startDemoCrm, type DemoCrm } from "./crm.ts";

export interface Stage {
  whatsapp: SpawnedEmulator;
  crm: DemoCrm;
  hub: HubClient;
  hubUrl: string;
  apiKey: string;
  /** Ends the hub as a power cut would, and starts it again on the same folder; milliseconds until it was ready. */
  killHub(): Promise<void>;
  restartHub(): Promise<number>;
  stop(): Promise<void>;
}

export async function setStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-demo-"));
  const secret = makeSecret();
  const apiKey = newApiKey();
  const [whatsapp, crm] = await Promise.all([spawnEmulator(), startDemoCrm({ secret })]);

  const start = (port: number): Promise<HubProcess> =>
    startHubProcess({
      dataDir: join(folder, "data"),
      apiKey,
      port,
      env: {
        ...whatsapp.environment,
        HUB_WEBHOOK_URL: crm.url,
        HUB_WEBHOOK_SECRET: secret,
        HUB_LOG_LEVEL: "info",
      },
      nodeOptions: whatsapp.preload,
    });
  let process = await start(0);
  const { url } = process;

  return {
    whatsapp,
    crm,
    hub: createHubClient({ url, apiKey }),
    hubUrl: url,
    apiKey,
    killHub: () => process.kill("SIGKILL"),
    restartHub: async () => {
      const since = performance.now();
      process = await start(Number(new URL(url).port));
      return performance.now() - since;
    },
    stop: async () => {
      await process.kill("SIGTERM");
      await Promise.all([whatsapp.stop(), crm.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
