/** A whole hub in this process: its REST, its outbox, its files. Only WhatsApp is played by the test, which tells it what arrives. */
import { cp, rm } from "node:fs/promises";
import { readConfig } from "../../hub/config.ts";
import type { Fact } from "../../hub/core/facts.ts";
import type { SendOrder } from "../../hub/core/whatsapp.ts";
import { startHub, type Hub, type HubOverrides } from "../../hub/hub.ts";
import { createLog } from "../../hub/log.ts";
import { createHubClient, type HubClient } from "./hub-client.ts";
import { newApiKey, UNLIMITED_SENDS } from "./hub-process.ts";
import { createPuppetLink } from "./puppet-link.ts";
import { until } from "./until.ts";

type Connector = NonNullable<HubOverrides["connector"]>;

export interface PuppetHub {
  url: string;
  apiKey: string;
  dataDir: string;
  client: HubClient;
  /** Everything that left for WhatsApp, over all lives. */
  sent: SendOrder[];
  /** Held before it leaves. */
  onSend: (order: SendOrder) => Promise<void> | void;
  /** Creates a session and connects it. */
  link(sessionId: string): Promise<void>;
  /** What WhatsApp tells of a session. */
  tell(sessionId: string, facts: Fact[]): Promise<void>;
  /** The process is gone, its address refuses. */
  stop(): Promise<void>;
  /** On the same files and address. */
  start(): Promise<void>;
  /** Copies the files of a hub that is stopped; the function that comes back puts them back. */
  backUp(): Promise<() => Promise<void>>;
}

/** @param port fixed, so that the hub keeps its address */
export async function startPuppetHub({
  dataDir,
  port,
}: {
  dataDir: string;
  port: number;
}): Promise<PuppetHub> {
  const apiKey = newApiKey();
  const url = `http://127.0.0.1:${port}`;
  const config = readConfig({
    HUB_DATA_DIR: dataDir,
    HUB_PORT: String(port),
    HUB_API_KEY: apiKey,
    HUB_WEBHOOK_ALLOW_CIDRS: "127.0.0.0/8",
    ...UNLIMITED_SENDS,
  });
  const log = createLog("silent");
  let record: Parameters<Connector>[0]["record"] | null = null;
  let hub: Hub | null = null;

  const connector: Connector = (parts) => {
    ({ record } = parts);
    return {
      open: (sessionId, onSignal) => {
        const puppet = createPuppetLink((_session, facts) => parts.record({ sessionId, facts, closes: [] }));
        puppet.sent = self.sent;
        puppet.onSend = (order) => self.onSend(order);
        setImmediate(() => {
          onSignal({ type: "opened", phoneNumber: numberOf(sessionId), lid: null, pushName: "Shop" });
        });
        return Promise.resolve(puppet.link(sessionId));
      },
      forget: () => undefined,
      isPaired: () => Promise.resolve(true),
      retireCredentials: () => Promise.resolve(),
    };
  };

  const self: PuppetHub = {
    url,
    apiKey,
    dataDir,
    client: createHubClient({ url, apiKey }),
    sent: [],
    onSend: () => undefined,
    link: async (sessionId) => {
      await self.client.post("/api/sessions", { sessionId });
      await self.client.post(`/api/sessions/${sessionId}/connect`);
      await until(`${sessionId} connected`, async () => {
        const { isConnected } = await self.client.get<{ isConnected: boolean }>(
          `/api/sessions/${sessionId}/status`,
        );
        return isConnected;
      });
    },
    tell: async (sessionId, facts) => {
      await record?.({ sessionId, facts, closes: [] });
    },
    stop: async () => {
      await hub?.stop();
      hub = null;
    },
    start: async () => {
      hub = await startHub(config, log, { connector });
    },
    backUp: async () => {
      const kept = `${dataDir}.backup`;
      await cp(dataDir, kept, { recursive: true });
      return async () => {
        await rm(dataDir, { recursive: true, force: true });
        await cp(kept, dataDir, { recursive: true });
      };
    },
  };
  await self.start();
  return self;
}

/** One number per session: a number that two sessions hold is refused. */
const numberOf = (sessionId: string): string => `346009${String(sessionId.charCodeAt(1)).padStart(5, "0")}`;
