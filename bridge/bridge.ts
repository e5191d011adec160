/** The composition root: builds the parts, connects them, owns the order of start and stop. Nothing else knows them all. */
import type { RequestListener } from "node:http";
import { join } from "node:path";
import type { CrmAdapter } from "./adapter.ts";
import { openAdapter } from "./adapters/index.ts";
import { createAfterReset } from "./after-reset.ts";
import { systemClock, type Clock } from "./clock.ts";
import type { BridgeConfig } from "./config.ts";
import { createCrmGate } from "./crm-gate.ts";
import {
  createDirectorySync,
  type DirectorySync,
  type DirectorySyncOptions,
} from "./directory/directory-sync.ts";
import { openDirectorySource } from "./directory/open-source.ts";
import { isPassing } from "./errors.ts";
import { createFailedItems } from "./failed-items.ts";
import { createFeedLag } from "./feed-lag.ts";
import { schedulerEvents, whitelistedMethods } from "./hooks.ts";
import { createApp } from "./http/app.ts";
import { ensureMethodKey, METHOD_KEY_FILE } from "./http/method-keys.ts";
import { listen, type Listening } from "./http/server.ts";
import { createSurface } from "./http/surface.ts";
import { createHubClient } from "./hub-client-http.ts";
import type { HubClient } from "./hub-client.ts";
import { createItemRetry } from "./item-retry.ts";
import { createKeepUp } from "./keep-up.ts";
import { createLanes } from "./lanes.ts";
import { createLife } from "./life.ts";
import { createLatestProgress } from "./latest-progress.ts";
import type { Log, RootLog } from "./log.ts";
import { createMethods } from "./methods.ts";
import type { Method } from "./methods/method.ts";
import { createOutgoing } from "./outgoing/outgoing.ts";
import { rebased } from "./position-base.ts";
import { createConnections, type Connections } from "./registry/connections.ts";
import type { BridgeState } from "./state/bridge-state.ts";
import { openLowdbState } from "./state/lowdb-state.ts";
import { openOutgoingFile } from "./state/outgoing-file.ts";
import type { OutgoingOrders } from "./state/outgoing-orders.ts";
import { createAutoSync } from "./sync/auto-sync.ts";
import { createFeed } from "./sync/feed.ts";
import { createReconcile, type Reconcile } from "./sync/reconcile.ts";
import { DEFAULT_LIMITS } from "./sync/budget.ts";
import { createSyncQueue, type SyncQueue } from "./sync/sync-queue.ts";
import { createApply } from "./webhook/apply.ts";
import { createSubscription, type Subscription } from "./subscription.ts";
import { createReceiver, type Receiver } from "./webhook/receive.ts";

const VERSION = "0.1.0";
const USER_AGENT = `InboxHubBridge/${VERSION}`;

export interface Bridge {
  /** Null when it does not serve HTTP itself. */
  url: string | null;
  /** `key:secret`, made at this very first start; to be shown once and never again. */
  newMethodKey: string | null;
  /** For the doors of `webhook/`, in a CRM that has a server of its own. */
  receiver: Receiver;
  sync: SyncQueue;
  reconcile: Reconcile;
  connections: Connections;
  methods: Method[];
  /** Resolves when nothing is being done and nothing could be done now. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** What tests, and CRMs written for Node.js, put in the place of the real thing. */
export interface BridgeOverrides {
  adapter?: CrmAdapter;
  hub?: HubClient;
  state?: BridgeState;
  /** Orders to send that wait for the hub. */
  orders?: OutgoingOrders;
  clock?: Clock;
  /** False: no port is opened; the receiver is mounted elsewhere, at `/webhook` below `BRIDGE_PUBLIC_URL` where that is set. */
  serve?: boolean;
  /** When events that no webhook told are read (cron); every five minutes. */
  keepUp?: string | undefined;
}

/** @throws BridgeStartError when the data folder or the port cannot be used, CrmMisconfigured for the CRM. */
export async function startBridge(
  config: BridgeConfig,
  log: RootLog,
  overrides: BridgeOverrides = {},
): Promise<Bridge> {
  const part = (name: string) => log.child({ part: name });
  const { clock, state, orders, hub, crm } = await openOutside(config, part, overrides);
  const methodKey = await madeMethodKey(config, overrides);
  const gate = createCrmGate({ adapter: crm, prepares: config.crm.kind !== "frappe", log: part("crm") });
  const adapter = rebased(gate.adapter, () => state.read().positionBase);

  const lanes = createLanes();
  const connections = createConnections({ state, clock, log: part("connections") });
  const failed = createFailedItems({ state, clock });
  const limits = { ...DEFAULT_LIMITS, ...config.sync.limits };
  const queue = createSyncQueue({ state, adapter, hub, lanes, limits, clock, log: part("sync"), failed });
  const apply = createApply({
    adapter,
    hub,
    lanes,
    connections,
    requestSync: async (sessionId, reason) => {
      await queue.request(sessionId, reason);
    },
    syncOnConnect: config.sync.onConnect,
    failed,
    log: part("webhook"),
  });
  const feed = createFeed({
    hub,
    state,
    apply,
    setAside: async ({ seq, sessionId }, cause) => {
      const ours = `It could not be applied (${cause instanceof Error ? cause.name : typeof cause}); the log says where.`;
      const error = isPassing(cause) ? cause.message : ours;
      await failed.add({ sessionId, kind: "event", key: String(seq), error });
    },
    checkCrm: () => adapter.check(),
    clock,
    log: part("feed"),
    onReset: createAfterReset({
      ...{ hub, state, connections, queue, clock },
      syncOnConnect: config.sync.onConnect,
    }),
  });
  const receiver = createReceiver({
    secrets: () => config.webhook.secrets,
    acceptLegacy: config.webhook.acceptLegacy,
    apply,
    noticed: (event, action) => feed.noticed(event, action),
    mistrusted: () => subscription?.mistrust(),
    clock,
    log: part("webhook"),
  });
  const autoSync = createAutoSync({ queue, hub, cron: config.autoSync, clock, log: part("sync") });
  const reconcile = createReconcile({
    hub,
    state,
    adapter,
    connections,
    feed,
    queue,
    lanes,
    limits,
    failed,
    cron: config.reconcile,
    syncOnConnect: config.sync.onConnect,
    clock,
    log: part("reconcile"),
  });
  const directory = openDirectory(config.directory, {
    clients: adapter.clients,
    state,
    clock,
    log: part("directory"),
  });

  const outgoing = createOutgoing({ hub, orders, ttlMs: config.sendTtlMs, clock, log: part("outgoing") });
  const feedLag = createFeedLag({ hub, state, applied: () => feed.reached(), clock });
  const progress = createLatestProgress(queue);
  const methods = createMethods({
    hub,
    adapter,
    connections,
    outgoing,
    queue,
    progress,
    autoSync,
    reconcile,
    failed,
    retryItems: createItemRetry({ hub, adapter, lanes, apply, failed }),
    directory,
    feedLag,
    crmProblem: () => gate.problem(),
    clock,
  });
  const whitelisted = whitelistedMethods(methods);
  const surface = createSurface({
    app: config.app,
    version: VERSION,
    keys: methodKey === null ? config.methodKeys : [methodKey.key],
    secrets: () => config.webhook.secrets,
    acceptLegacy: config.webhook.acceptLegacy,
    receiver,
    methods: { all: whitelisted, directory: methods.directory },
    adapter,
    connections,
    progress: queue,
    state,
    feedLag,
    outgoing,
    clock,
  });
  const app = createApp({ surface: surface.surface, log: part("http") });
  const server = await serveOn(config, app, overrides).catch(async (cause: unknown) => {
    await Promise.all([adapter.close(), outgoing.stop(), state.close(), hub.close()]);
    throw cause;
  });
  const subscription = openSubscription(config, server, { hub, state, clock, log: part("subscription") });
  const life = createLife({
    gate,
    receiver,
    feed,
    queue,
    outgoing,
    reconcile,
    directory,
    scheduled: [
      ...(subscription === null ? [] : [subscription]),
      ...schedulerEvents({
        autoSync,
        reconcile,
        keepUp: createKeepUp({ feed, subscription, state, clock, log: part("feed"), cron: overrides.keepUp }),
        directory: directory && { start: () => directory.startDaily(), stop: () => directory.stop() },
      }).map(({ work }) => work),
    ],
    doors: {
      stop: async () => {
        surface.stop();
        progress.stop();
        await server?.stop();
      },
    },
    hub,
    adapter,
    state,
    log,
  });
  await life.start();

  return {
    url: server?.url ?? null,
    newMethodKey: methodKey?.isNew === true ? `${methodKey.key.key}:${methodKey.key.secret}` : null,
    receiver,
    sync: queue,
    reconcile,
    connections,
    methods: whitelisted,
    idle: () => life.idle(),
    stop: () => life.stop(),
  };
}

/** What lies outside of the bridge's own parts: its memory on disk, the hub, the CRM. */
async function openOutside(
  config: BridgeConfig,
  part: (name: string) => Log,
  { clock = systemClock, state, orders, hub, adapter }: BridgeOverrides,
) {
  const kept = { dir: config.dataDir, clock, log: part("state") };
  return {
    clock,
    state: state ?? (await openLowdbState(kept)),
    orders: orders ?? (await openOutgoingFile(kept)),
    hub: hub ?? createHubClient({ ...config.hub, userAgent: USER_AGENT, log: part("hub") }),
    crm: adapter ?? (await openAdapter(config.crm, { clock, log: part("crm") })),
  };
}

/** Null where keys are configured, or nobody can use one. */
const madeMethodKey = (
  config: BridgeConfig,
  { serve }: BridgeOverrides,
): ReturnType<typeof ensureMethodKey> | null =>
  config.methodKeys.length > 0 || serve === false
    ? null
    : ensureMethodKey(join(config.dataDir, METHOD_KEY_FILE));

/** Null where the receiver is mounted elsewhere. */
const serveOn = async (
  { host, port }: BridgeConfig,
  app: RequestListener,
  { serve }: BridgeOverrides,
): Promise<Listening | null> => (serve === false ? null : listen({ app, host, port }));

/** Null where the hub could not reach it: no port is open, and nobody says where the receiver is mounted. */
function openSubscription(
  { publicUrl, webhook: { secrets } }: BridgeConfig,
  server: Listening | null,
  parts: Pick<Parameters<typeof createSubscription>[0], "hub" | "state" | "clock" | "log">,
): Subscription | null {
  const base = publicUrl ?? server?.url;
  return base === undefined ? null : createSubscription({ ...parts, url: `${base}/webhook`, secrets });
}

/** Null where no directory is configured. */
function openDirectory(
  config: BridgeConfig["directory"],
  parts: Omit<DirectorySyncOptions, "source">,
): DirectorySync | null {
  const source = openDirectorySource(config);
  return source && createDirectorySync({ ...parts, source, hour: config.hour, country: config.country });
}
