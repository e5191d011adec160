/** The composition root: builds the parts, connects them, owns the order of start and stop. Nothing else knows them all. */
import type { RequestListener } from "node:http";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { systemClock } from "./core/clock.ts";
import { HubError } from "./core/errors.ts";
import { createNudge } from "./core/nudge.ts";
import { createAddressGuard } from "./core/webhook-address.ts";
import type { WhatsAppConnector } from "./core/whatsapp.ts";
import { ensureFirstKey, FIRST_CLIENT } from "./http/api-keys.ts";
import { createApp } from "./http/app.ts";
import { storedFailure } from "./http/errors.ts";
import { drawQrBase64 } from "./http/qr-image.ts";
import { listen } from "./http/server.ts";
import { answerStarting } from "./http/starting.ts";
import { createChatOrders } from "./inbox/chat-orders.ts";
import { createContacts } from "./inbox/contacts.ts";
import { createDedupe } from "./inbox/dedupe.ts";
import { createHistory } from "./inbox/history.ts";
import { createIdempotency } from "./inbox/idempotency.ts";
import { createIngest } from "./inbox/ingest.ts";
import { createMedia } from "./inbox/media.ts";
import { createRoom } from "./inbox/room.ts";
import { createSending } from "./inbox/send.ts";
import { createDispatcher } from "./outbox/dispatcher.ts";
import { createEndpoints } from "./outbox/endpoints.ts";
import { createReplays } from "./outbox/replays.ts";
import { createLogins } from "./sessions/logins.ts";
import { readMasterKey } from "./sessions/master-key.ts";
import { createSessions, type Sessions } from "./sessions/sessions.ts";
import { createVault } from "./sessions/vault.ts";
import type { RootLog } from "./log.ts";
import { openStore } from "./store/open-store.ts";
import { startUpkeep } from "./store/upkeep.ts";
import { createBaileysConnector, type BaileysConnectorParts } from "./whatsapp/baileys-connector.ts";
import { reasonOf } from "./whatsapp/disconnect.ts";

const VERSION = "0.1.0";
const USER_AGENT = `InboxHub/${VERSION}`;

export interface Hub {
  url: string;
  /** Made at this very first start; to be shown once and never again. */
  newApiKey: string | null;
  stop(): Promise<void>;
}

/** What tests put in the place of the real thing. */
export interface HubOverrides {
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

  // The port comes first, because its number is part of the URLs that the store freezes into events.
  let app: RequestListener = answerStarting(clock);
  const server = await listen({
    app: (request, response) => app(request, response),
    host: config.host,
    port: config.port,
  });
  const publicUrl = config.publicUrl ?? server.url;

  const store = await openStore({ dataDir, publicUrl, clock, log: log.child({ part: "store" }) }).catch(
    async (cause: unknown) => {
      await server.stop();
      throw cause;
    },
  );
  const masterKey = await readMasterKey({
    configured: config.masterKey,
    file: join(dataDir, "master.key"),
    mayCreate: (await store.vault.dataKey("hub")) === null,
  });
  const vault = await createVault({ masterKey, keys: store.vault });
  const newApiKey = await ensureFirstKey({ keys: store.keys, given: config.apiKey, clock });

  const ingest = createIngest({ inbox: store.inbox, clock, nudge });
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
      return recorded;
    },
    historyDays: async (sessionId) => (await sessions.get(sessionId)).settings.historyDays,
    webSocketUrl: config.webSocketUrl,
    clock,
    log: log.child({ part: "whatsapp" }),
    crashPoint,
  });
  const sessions: Sessions = createSessions({
    store: store.sessions,
    connector,
    logins: createLogins({ auth: store.auth, keys: store.vault, vault, dir: join(dataDir, "vault"), clock }),
    reasonOf,
    canary: () => store.canary(),
    clock,
    nudge,
    log: log.child({ part: "sessions" }),
    jidForm: config.jidForm,
    qrImage: drawQrBase64,
    onOpened: (sessionId) => {
      sending
        .resume(sessionId)
        .catch((cause: unknown) => log.error({ sessionId, err: cause }, "sends.not_resumed"));
    },
  });
  const link = (sessionId: string) => sessions.link(sessionId);
  ingest.onRecorded((sessionId) => sessions.touch(sessionId));

  const guard = createAddressGuard({
    allowCidrs: config.webhookAllowCidrs,
    allowedUrls: config.webhook === null ? [] : [config.webhook.url],
  });
  const inboxLog = log.child({ part: "inbox" });
  const media = createMedia({ media: store.media, link, dir: dataDir, guard, clock, log: inboxLog });
  await media.tidy();
  const room = createRoom({ outbox: store.outbox, dir: dataDir, clock });
  const contacts = createContacts({ inbox: store.inbox, media, tokens: store.media, link, ingest, clock });
  const sending = createSending({
    sends: store.sends,
    inbox: store.inbox,
    sessions: store.sessions,
    media,
    contacts,
    link,
    ingest,
    clock,
    nudge,
    log: inboxLog,
    refuseWhenFull: () => room.refuseWhenFull(),
  });

  const outboxLog = log.child({ part: "outbox" });
  const endpoints = createEndpoints({
    store: store.endpoints,
    cipher: await vault.cipher("hub"),
    guard,
    clock,
    log: outboxLog,
    userAgent: USER_AGENT,
  });
  await endpoints.ensureDefault(config.webhook && { ...config.webhook, client: FIRST_CLIENT });
  const dispatcher = createDispatcher({
    outbox: store.outbox,
    endpoints,
    events: store.events,
    guard,
    clock,
    nudge,
    log: outboxLog,
    userAgent: USER_AGENT,
  });
  const replays = createReplays({ outbox: store.outbox, clock, nudge, log: outboxLog });

  app = createApp({
    sessions,
    contacts,
    chats: createChatOrders({ inbox: store.inbox, link, ingest }),
    history: createHistory({ inbox: store.inbox, link, clock }),
    sending,
    media,
    endpoints,
    replays,
    idempotency: createIdempotency({
      sends: store.sends,
      clock,
      failure: (error) => storedFailure(error, clock.now()),
    }),
    dedupe: createDedupe({
      sends: store.sends,
      inbox: store.inbox,
      reserveId: (sessionId) => sending.reserveId(sessionId),
      clock,
    }),
    store,
    clock,
    nudge,
    log: log.child({ part: "http" }),
    publicUrl,
    dataDir,
    version: VERSION,
    environment: config.webSocketUrl === null ? "production" : "test",
    stopping: stopping.signal,
  });
  const upkeep = startUpkeep({ ...store, clock, log: log.child({ part: "store" }) });
  await store.audit.append({
    at: clock.now(),
    actor: "hub",
    actorName: null,
    action: "hub.started",
    target: null,
    outcome: "done",
    details: { version: VERSION, node: process.versions.node },
  });
  await dispatcher.start();
  await sessions.restoreAll();

  return {
    url: server.url,
    newApiKey,
    stop: async () => {
      stopping.abort();
      await sessions.stop();
      await Promise.all([sending.stop(), dispatcher.stop(), server.stop(), upkeep.stop()]);
      await store.close();
    },
  };
}
