/** What a CRM written for Node.js imports: the whole bridge, or the parts it wants to put together itself. */
export { startBridge, type Bridge, type BridgeOverrides } from "./bridge.ts";
export { BridgeConfigError, readBridgeConfig, type BridgeConfig } from "./config.ts";
export type * from "./adapter.ts";
export type * from "./records.ts";
export { BridgeError, BridgeStartError, CrmMisconfigured, CrmUnavailable, HubUnavailable } from "./errors.ts";
export { openAdapter, type CrmConfig } from "./adapters/index.ts";
export { createLog, type Log, type RootLog } from "./log.ts";
export { createReceiver, type ReceiveAnswer, type Received, type Receiver } from "./webhook/receive.ts";
export type { Applied, Apply } from "./applied.ts";
export { expressDoor } from "./webhook/express.ts";
export { nodeDoor } from "./webhook/node.ts";
export { fetchDoor } from "./webhook/fetch.ts";
export { createHubClient } from "./hub-client-http.ts";
export type { HubClient, HubPage, PageQuery } from "./hub-client.ts";
export { verify, type HubEvent, type Verification } from "../hub/contract/index.ts";
