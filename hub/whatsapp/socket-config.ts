/** How every socket is set up; the reasons stand at the values. */
import {
  Browsers,
  type CacheStore,
  type GroupMetadata,
  type SignalKeyStore,
  type AuthenticationCreds,
  type SocketConfig,
  type UserFacingSocketConfig,
  type WAMessageKey,
  type proto,
} from "./baileys.ts";
import type { BaileysLogger } from "./baileys-log.ts";
import { ONLY_WHATSAPP } from "./file-hosts.ts";
import { asBaileysCache } from "./small-cache.ts";

/** Counters and caches of one session, kept over its sockets: a reconnect must not start retries from nothing. */
export interface SessionCaches {
  msgRetryCounterCache: CacheStore;
  placeholderResendCache: CacheStore;
  userDevicesCache: CacheStore;
  callOfferCache: CacheStore;
}

const MINUTE_MS = 60_000;

export const createSessionCaches = (): SessionCaches => ({
  msgRetryCounterCache: asBaileysCache({ max: 2000, ttlMs: 60 * MINUTE_MS }),
  placeholderResendCache: asBaileysCache({ max: 500, ttlMs: 60 * MINUTE_MS }),
  userDevicesCache: asBaileysCache({ max: 2000, ttlMs: 5 * MINUTE_MS }),
  callOfferCache: asBaileysCache({ max: 50, ttlMs: 5 * MINUTE_MS }),
});

export function socketConfig({
  webSocketUrl,
  creds,
  keys,
  logger,
  caches,
  makeSignalRepository,
  getMessage,
  cachedGroupMetadata,
}: {
  webSocketUrl: string | null;
  creds: AuthenticationCreds;
  keys: SignalKeyStore;
  logger: BaileysLogger;
  caches: SessionCaches;
  makeSignalRepository: SocketConfig["makeSignalRepository"];
  getMessage: (key: WAMessageKey) => Promise<proto.IMessage | undefined>;
  cachedGroupMetadata: (jid: string) => Promise<GroupMetadata | undefined>;
}): UserFacingSocketConfig {
  return {
    ...(webSocketUrl === null ? {} : { waWebSocketUrl: webSocketUrl }),
    auth: { creds, keys },
    logger,
    browser: Browsers.ubuntu("Chrome"),
    ...caches,
    makeSignalRepository,
    getMessage,
    cachedGroupMetadata,
    // A commit that fails ends the connection: trying again would hold the lock for half a minute.
    transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 10 },
    // Slept inside the message lock: one good message would wait behind every bad one.
    retryRequestDelayMs: 0,
    // A timer and two stack traces for every frame that leaves; a connection that does not come has a deadline of our own.
    connectTimeoutMs: 0,
    markOnlineOnConnect: false,
    // Our own sends are stored before they leave.
    emitOwnEvents: false,
    // Refusing all kinds would also refuse the addresses that come with them.
    shouldSyncHistoryMessage: () => true,
    syncFullHistory: true,
    // A preview is fetched from wherever the text points to; the hub fetches nothing by itself.
    generateHighQualityLinkPreview: false,
    // Places of history and synced state are told by a phone: whose, the library says.
    options: ONLY_WHATSAPP,
  };
}
