/** The composition root: builds the parts, connects them, owns the order of start and stop. Nothing else knows them all. */
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { inSettingNames, type Config } from "./config.ts";
import { doneBy } from "./core/audit.ts";
import { systemClock } from "./core/clock.ts";
import { createClockTrust } from "./core/clock-trust.ts";
import { HubError } from "./core/errors.ts";
import { createNudge } from "./core/nudge.ts";
import { importDays } from "./core/session.ts";
import { createAddressGuard } from "./core/webhook-address.ts";
import type { WhatsAppConnector } from "./core/whatsapp.ts";
import { ensureFirstKey, FIRST_CLIENT } from "./http/api-keys.ts";
import { createApp } from "./http/app.ts";
import { storedFailure } from "./http/errors.ts";
import { drawQrBase64 } from "./http/qr-image.ts";
import { createMetrics } from "./http/metrics.ts";
import { createOrigins } from "./http/origins.ts";
import { publicUrlOf } from "./http/own-url.ts";
import { listen } from "./http/server.ts";
import { createSignIn } from "./http/sign-in.ts";
import { answerStarting } from "./http/starting.ts";
import { hubKeys } from "./hub-keys.ts";
import { createChatOrders } from "./inbox/chat-orders.ts";
import { createContacts } from "./inbox/contacts.ts";
import { createDedupe } from "./inbox/dedupe.ts";
import { createHistory } from "./inbox/history.ts";
import { createIdempotency } from "./inbox/idempotency.ts";
import { startChatNews } from "./inbox/chat-news.ts";
import { createIngest } from "./inbox/ingest.ts";
import { createMedia } from "./inbox/media.ts";
import { startProfiles } from "./inbox/profiles.ts";
import { createRoom } from "./inbox/room.ts";
import { createSending } from "./inbox/send.ts";
import { createOutbox } from "./outbox/outbox.ts";
import { startOverseers } from "./overseers.ts";
import { startSafekeeping } from "./safekeeping/safekeeping.ts";
import { createLogins } from "./sessions/logins.ts";
import { createRestart } from "./sessions/process-restart.ts";
import { createSessions, type Sessions } from "./sessions/sessions.ts";
import { createVault } from "./sessions/vault.ts";
import type { WatchTiming } from "./sessions/watch.ts";
import type { RootLog } from "./log.ts";
import { createErasure } from "./store/erasure.ts";
import { openStore } from "./store/open-store.ts";
import { assertOwnFiles } from "./store/own-files.ts";
import { createSchemaCopies } from "./store/schema-copies.ts";
import { startUpkeep } from "./store/upkeep.ts";
import { createBaileysConnector, type BaileysConnectorParts } from "./whatsapp/baileys-connector.ts";
import { reasonOf } from "./whatsapp/disconnect.ts";

const VERSION = "0.1.0";
const USER_AGENT = `InboxHub/${VERSION}`;

export interface Hub {
  url: string;
  /** Made at this very first start; to be shown once and never again. */
  newApiKey: string | null;
  /** An error of a dead connection reached nobody but the process: counted, and no reason to end. */
  rejectionIgnored(code: string): void;
  stop(): Promise<void>;
}

/** What the process gives its hub, and what tests put in the place of the real thing. */
export interface HubOverrides {
  /** Ends the process for whoever watches it to start it again; left out where nobody does. */
  endProcess?: () => void;
  /** Ends the process at once: the hub must not go on. */
  fail?: (cause: Error) => void;
  /** Other times for the watchdog. */
  watch?: Partial<WatchTiming>;
  /** Called at named places of the road of a message, so that a test can end the process there. */
  crashPoint?: (name: string) => void;
  /** In WhatsApp's place: gets the inbox's way in, and answers with connections that are played. */
  connector?: (parts: Pick<BaileysConnectorParts, "record">) => WhatsAppConnector;
}

/** @throws Error in plain words when the data folder is in use, sealed by another key, or not writable. */
export async function startHub(config: Config, log: RootLog, overrides: HubOverrides = {}): Promise<Hub> {
  const { dataDir } = config;
  const crashPoint = overrides.crashPoint ?? (() => undefined);
  const clock = systemClock;
  const nudge = createNudge();
  const stopping = new AbortController();

  assertOwnFiles(dataDir, { isKeyHere: config.masterKey === null && config.masterKeyFile === null });
  const keys = await hubKeys(config);

  // The port comes first, because its number is part of the URLs that the store freezes into events.
  const environment = config.webSocketUrl === null ? "production" : "test";
  let app: RequestListener = answerStarting({ clock, version: VERSION, environment });
  const server = await listen({
    app: (request, response) => app(request, response),
    host: config.host,
    port: config.port,
  });
  const publicUrl = publicUrlOf({ configured: config.publicUrl, host: config.host, own: server.url, log });

  const storeLog = log.child({ part: "store" });
  const store = await openStore({
    dataDir,
    publicUrl,
    clock,
    log: storeLog,
    onDamaged: (cause) => overrides.fail?.(cause),
  }).catch(async (cause: unknown) => {
    await server.stop();
    throw cause;
  });
  const isClockTrusted = createClockTrust({ clock, log: storeLog });
  const masterKeys = await keys.read((await store.vault.dataKey("hub")) === null);
  const vault = await createVault({ ...masterKeys, keys: store.vault });
  const overseers = startOverseers({
    ...{ store, settings: config.alerts, dataDir, clock, nudge, log },
    countUnreadable: (sessionId, counts) => sessions.countUnreadable(sessionId, counts),
  });
  const { pressure, storms, alerts } = overseers;
  const safekeeping = await startSafekeeping({
    ...{ dataDir, store, vault, clock, isClockTrusted, log: storeLog },
    keyFile: keys.file,
    onNews: (what, news) => alerts.safekeeping(what, news),
  });
  const httpLog = log.child({ part: "http" });
  const newApiKey = await ensureFirstKey({ keys: store.keys, given: config.apiKey, clock, log: httpLog });

  const ingest = createIngest({ inbox: store.inbox, clock, nudge });
  const chatNews = startChatNews({ inbox: store.inbox, ingest, clock, nudge, pressure, log: storeLog });
  const connector = (overrides.connector ?? createBaileysConnector)({
    auth: store.auth,
    intake: store.intake,
    inbox: store.inbox,
    cipher: (scope) => vault.cipher(scope),
    record: async (entry) => {
      crashPoint("before-record");
      const recorded = await ingest(entry).catch((cause: unknown) => {
        // A disk that fails one account fails all: none may take what cannot be kept.
        if (cause instanceof HubError && cause.code === "STORE_UNAVAILABLE") sessions.storeFailed(cause);
        throw cause;
      });
      crashPoint("after-record");
      for (const { fromMe } of recorded.messages) metrics.message(fromMe ? "out" : "in");
      return recorded;
    },
    historyDays: async (id) => importDays((await sessions.get(id)).settings, config.retentionDays),
    onNews: (sessionId, news) => sending.heard(sessionId, news),
    onUnreadable: (sessionId, news) => storms.heard(sessionId, news),
    webSocketUrl: config.webSocketUrl,
    clock,
    log: log.child({ part: "whatsapp" }),
    crashPoint,
  });
  const sessionsLog = log.child({ part: "sessions" });
  const sessions: Sessions = createSessions({
    store: store.sessions,
    connector,
    logins: createLogins({ auth: store.auth, keys: store.vault, vault, dir: join(dataDir, "vault"), clock }),
    reasonOf,
    canary: () => store.canary(),
    clock,
    isClockTrusted,
    nudge,
    log: sessionsLog,
    jidForm: config.jidForm,
    qrImage: drawQrBase64,
    figures: store.figures,
    onMoved: (previous, next, seen) => {
      sending.moved(previous, next);
      alerts.moved(previous, next, seen);
    },
    onSwept: (details) => store.audit.append(doneBy("hub", "logins.swept", clock.now(), { details })),
    onKeyUnreadable: (kind) => metrics.keyUnreadable(kind),
    watchdog: {
      intake: store.intake,
      inbox: store.inbox,
      timing: overrides.watch ?? {},
      restart: createRestart({
        marks: store.marks,
        clock,
        log: sessionsLog,
        end: config.watchdogRestart ? overrides.endProcess : undefined,
      }),
    },
    onOpened: (sessionId) => {
      safekeeping.note();
      sending
        .resume(sessionId)
        .catch((cause: unknown) => log.error({ sessionId, err: cause }, "sends.not_resumed"));
    },
  });
  const link = (sessionId: string) => sessions.link(sessionId);
  const metrics = createMetrics({
    ...{ sessions: () => sessions.list(), sending: () => sending, store, pressure, clock },
    each: { figures: (sessionId) => sessions.figures(sessionId), isStormy: storms.isStormy },
  });
  ingest.onRecorded((sessionId, facts) => {
    sessions.touch(sessionId);
    metrics.recorded(facts);
  });

  const guard = createAddressGuard({
    allowCidrs: config.webhookAllowCidrs,
    allowedUrls: config.webhook === null ? [] : [config.webhook.url],
  });
  const inboxLog = log.child({ part: "inbox" });
  const room = createRoom({ outbox: store.outbox, dir: dataDir, clock });
  const media = createMedia({
    ...{ media: store.media, link, dir: dataDir, guard, clock, log: inboxLog },
    refuseWhenFull: () => room.refuseFiles(),
  });
  await media.tidy();
  const removeFile = (mediaId: string): Promise<void> => media.removeFile(mediaId);
  const schemaCopies = createSchemaCopies({ dataDir, log: storeLog });
  const contacts = createContacts({
    ...{ ...store, media, tokens: store.media, link, ingest, pressure, clock },
    refuseWhenFull: () => room.refuseFiles(),
    onWanted: (contact) => profiles.want(contact),
  });
  const sending = createSending({
    ...store,
    ...{ media, contacts, link, ingest, clock, nudge },
    limits: config.sends,
    log: inboxLog,
    refuseWhenFull: () => room.refuseWhenFull(),
  });
  const profiles = startProfiles({
    ...{ inbox: store.inbox, lookUps: store.lookUps, contacts, ingest, sessions, sending, clock },
    log: inboxLog,
    isOn: config.pictures,
  });

  const cipher = await vault.cipher("hub");
  const outbox = await createOutbox({
    store,
    cipher,
    guard,
    defaultEndpoint: config.webhook && { ...config.webhook, client: FIRST_CLIENT },
    ...{ clock, nudge, pressure },
    log: log.child({ part: "outbox" }),
    userAgent: USER_AGENT,
    onSettled: ({ patch }) => metrics.delivery(patch.state),
    onTrouble: (endpointId, what) => alerts.endpointInTrouble(endpointId, what),
  }).catch(inSettingNames);

  app = createApp({
    sessions,
    contacts,
    profiles,
    chats: createChatOrders({ inbox: store.inbox, link, ingest, pressure }),
    history: createHistory({ inbox: store.inbox, link, clock, pressure }),
    sending,
    media,
    endpoints: outbox.endpoints,
    replays: outbox.replays,
    idempotency: createIdempotency({
      ...{ sends: store.sends, cipher, clock },
      failure: (error) => storedFailure(error, clock.now()),
    }),
    dedupe: createDedupe({
      sends: store.sends,
      inbox: store.inbox,
      reserveId: (sessionId) => sending.reserveId(sessionId),
      clock,
    }),
    signIn: await createSignIn({ store, cipher, clock, log: httpLog }),
    origins: createOrigins(config.trustedProxies),
    erasure: createErasure({ ...store, removeFile, schemaCopies, log: storeLog }),
    ...{ store, cipher, metrics, pressure, clock, nudge },
    log: httpLog,
    publicUrl,
    dataDir,
    version: VERSION,
    environment,
    stopping: stopping.signal,
  });
  const upkeep = startUpkeep({
    ...{ ...store, clock, isClockTrusted, pressure, log: storeLog },
    ...{ removeFile, schemaCopies, retentionDays: config.retentionDays },
  });
  await store.audit.append(
    doneBy("hub", "hub.started", clock.now(), { details: { version: VERSION, node: process.versions.node } }),
  );
  await outbox.start();
  await sessions.restoreAll();

  return {
    url: server.url,
    newApiKey,
    rejectionIgnored: (code) => metrics.rejectionIgnored(code),
    stop: async () => {
      stopping.abort();
      await storms.stop();
      await sessions.stop();
      await Promise.all(
        [chatNews, profiles, sending, outbox, server, upkeep].map((running) => running.stop()),
      );
      await overseers.stop();
      await safekeeping.stop();
      await store.close();
    },
  };
}
