/** A hub as its users run it: a process of its own, on a free port, in a folder of its own; killed and started again at will. */
import { randomBytes } from "node:crypto";
import { startProduct, type ProductProcess, type User } from "./product-process.ts";

export interface HubProcess extends ProductProcess {
  apiKey: string;
}

export interface HubProcessOptions {
  dataDir: string;
  apiKey?: string;
  /** Fixed, so that a restarted hub keeps its address; 0 takes a free one. */
  port?: number;
  /** Further settings, by their names. */
  env?: Record<string, string>;
  nodeOptions?: string[];
  user?: User;
  entry?: string;
  readyTimeoutMs?: number;
}

/** Tests send as fast as they can; whoever tests the limits sets them. */
export const UNLIMITED_SENDS: Record<string, string> = {
  HUB_SEND_PER_MINUTE: "0",
  HUB_SEND_CHAT_GAP_MS: "0",
  HUB_SEND_NEW_CHATS_PER_DAY: "0",
  HUB_SEND_QUEUE: "0",
};

export const newApiKey = (): string => `test_${randomBytes(24).toString("hex")}`;

/** Starts a hub and waits until it says that it is ready; fails with its output when it does not. */
export async function startHubProcess({
  dataDir,
  apiKey = newApiKey(),
  port = 0,
  env = {},
  entry = "dist/hub/main.js",
  ...how
}: HubProcessOptions): Promise<HubProcess> {
  const hub = await startProduct({
    ...how,
    entry,
    readyEvent: "hub.ready",
    env: {
      HUB_DATA_DIR: dataDir,
      HUB_PORT: String(port),
      HUB_API_KEY: apiKey,
      HUB_WEBHOOK_ALLOW_CIDRS: "127.0.0.0/8",
      ...UNLIMITED_SENDS,
      ...env,
    },
  });
  return { ...hub, apiKey };
}
