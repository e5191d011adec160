/** The demo's cast, each a process of its own: WhatsApp (emulated), the hub, and the bridge with the CRM it keeps. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/signature.ts";
import { startBridgeProcess } from "../../test/support/bridge-process.ts";
import { crmReader, type CrmReader } from "../../test/support/crm-reader.ts";
import { createHubClient, type HubClient } from "../../test/support/hub-client.ts";
import { newApiKey, startHubProcess, type HubProcess } from "../../test/support/hub-process.ts";
import { freePort, type ProductProcess } from "../../test/support/product-process.ts";
import { runHubCommand } from "../hub/program.ts";
import { spawnEmulator, type SpawnedEmulator } from "../../test/whatsapp/spawn.ts";

export interface Stage {
  whatsapp: SpawnedEmulator;
  hub: HubClient;
  hubUrl: string;
  apiKey: string;
  /** The CRM, as its own users read it. */
  crm: CrmReader;
  bridgeUrl: string;
  /** Where the hub keeps everything. */
  hubFolder: string;
  /** A command of the hub's operator, while it runs or not; what it answers as JSON. */
  operate(...command: string[]): Promise<unknown>;
  /** Ends it in order. */
  stopHub(): Promise<void>;
  /** Ends a process as a power cut would, and starts it again on the same folder; milliseconds until it was ready. */
  killHub(): Promise<void>;
  restartHub(): Promise<number>;
  killBridge(): Promise<void>;
  restartBridge(): Promise<number>;
  stop(): Promise<void>;
}

/** The demo's account is a small shop: all of its history goes into the CRM. */
const WHOLE_HISTORY = { BRIDGE_SYNC_MESSAGES_PER_CHAT: "1000", BRIDGE_SYNC_MESSAGE_CHATS: "100" };

const timed = async (work: () => Promise<void>): Promise<number> => {
  const since = performance.now();
  await work();
  return performance.now() - since;
};

export async function setStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-demo-"));
  const secret = makeSecret();
  const apiKey = newApiKey();
  const [whatsapp, hubPort, bridgePort] = await Promise.all([spawnEmulator(), freePort(), freePort()]);
  const hubFolder = join(folder, "hub");
  const hubUrl = `http://127.0.0.1:${hubPort}`;
  const bridgeUrl = `http://127.0.0.1:${bridgePort}`;

  const startHub = (): Promise<HubProcess> =>
    startHubProcess({
      dataDir: hubFolder,
      apiKey,
      port: hubPort,
      env: {
        ...whatsapp.environment,
        HUB_WEBHOOK_URL: `${bridgeUrl}/webhook`,
        HUB_WEBHOOK_SECRET: secret,
      },
      nodeOptions: whatsapp.preload,
    });
  const methodKey = `demo:${newApiKey()}`;
  const startBridge = (): Promise<ProductProcess> =>
    startBridgeProcess(
      {
        BRIDGE_DATA_DIR: join(folder, "bridge"),
        BRIDGE_PORT: String(bridgePort),
        BRIDGE_HUB_URL: hubUrl,
        BRIDGE_HUB_API_KEY: apiKey,
        BRIDGE_WEBHOOK_SECRET: secret,
        BRIDGE_METHOD_KEYS: methodKey,
        ...WHOLE_HISTORY,
      },
      { entry: "dist/bridge/main.js" },
    );
  let hub = await startHub();
  let bridge = await startBridge();

  return {
    whatsapp,
    hub: createHubClient({ url: hubUrl, apiKey }),
    hubUrl,
    apiKey,
    crm: crmReader({ url: bridgeUrl, key: methodKey }),
    bridgeUrl,
    hubFolder,
    operate: async (...command) => {
      const said = { out: "", err: "" };
      const code = await runHubCommand(["--json", ...command], {
        env: { HUB_DATA_DIR: hubFolder, HUB_API_KEY: apiKey, HUB_URL: hubUrl },
        now: () => new Date(),
        out: (text) => void (said.out += text),
        err: (text) => void (said.err += text),
      });
      if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${said.err || said.out}`);
      const answer: unknown = JSON.parse(said.out);
      return answer;
    },
    stopHub: () => hub.kill("SIGTERM"),
    killHub: () => hub.kill("SIGKILL"),
    restartHub: () =>
      timed(async () => {
        hub = await startHub();
      }),
    killBridge: () => bridge.kill("SIGKILL"),
    restartBridge: () =>
      timed(async () => {
        bridge = await startBridge();
      }),
    stop: async () => {
      await Promise.all([hub.kill("SIGTERM"), bridge.kill("SIGTERM")]);
      await whatsapp.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
