/** Puts the parts of one connection together: keys, journal, intake, socket, link. One call, one life. */
import type { Cipher } from "../core/cipher.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { AuthStore, InboxStore, IntakeStore } from "../core/store.ts";
import type { UnreadableNews } from "../core/unreadable.ts";
import type { AccountNews, SessionSignal, WhatsAppLink } from "../core/whatsapp.ts";
import { hearStanding } from "./account-standing.ts";
import { createArrivalOrder } from "./arrival-order.ts";
import { createKeyStore, credsBytes, fingerprintOf } from "./auth-state.ts";
import {
  addTransactionCapability,
  DEFAULT_CONNECTION_CONFIG,
  makeWASocket,
  type AuthenticationCreds,
  type WAMessageKey,
} from "./baileys.ts";
import { createBaileysLog } from "./baileys-log.ts";
import { OWN_CODE } from "./disconnect.ts";
import { recordEvents } from "./events.ts";
import { createGeneration } from "./generation.ts";
import type { GroupCache } from "./group-cache.ts";
import { createGroups } from "./groups.ts";
import { createHistoryRecorder } from "./history-recorder.ts";
import { createInFlightStanzas } from "./in-flight.ts";
import { createIntake, type HistoryNotice } from "./intake.ts";
import { listenFirst } from "./intake-listener.ts";
import { createRecovery } from "./intake-recovery.ts";
import { withIntake } from "./intake-repository.ts";
import { createJournal, type CrashPoint } from "./journal.ts";
import { createLink } from "./link.ts";
import { createNews } from "./news.ts";
import { rawSocketOf, watchSocket } from "./live-socket.ts";
import { meOf } from "./message-of-stanza.ts";
import { gateOutgoing } from "./outgoing-gate.ts";
import { protoOf } from "./outgoing.ts";
import { askPhoneFor } from "./phone-requests.ts";
import { takePulse } from "./pulse.ts";
import { readInTurns } from "./turns.ts";
import type { RecordFacts } from "./record.ts";
import { createStaleDevices } from "./stale-devices.ts";
import { socketConfig, type SessionCaches } from "./socket-config.ts";
import { addressOf } from "./translate/addresses.ts";
import { belongTogether } from "./translate/facts-of-message.ts";
import { factsOfAck } from "./translate/receipts.ts";
import { createUndecrypted } from "./undecrypted.ts";

/** How long what is missing is waited for; tests wait less. */
export interface ConnectionTiming {
  sweepMs?: number;
  missingAfterMs?: number;
  /** After the last piece of history that came. */
  historyPausedAfterMs?: number;
  /** How long WhatsApp may take to answer at all. */
  answerMs?: number;
}

export interface ConnectionParts {
  sessionId: string;
  creds: AuthenticationCreds;
  cipher: Cipher;
  auth: AuthStore;
  intake: IntakeStore;
  inbox: Pick<InboxStore, "message">;
  record: RecordFacts;
  caches: SessionCaches;
  groups: GroupCache;
  historyDays: number | null;
  webSocketUrl: string | null;
  clock: Clock;
  log: Log;
  crashPoint: CrashPoint;
  timing: ConnectionTiming | undefined;
  onSignal: (signal: SessionSignal) => void;
  onNews: (news: AccountNews) => void;
  onUnreadable: (news: UnreadableNews) => void;
}

const SWEEP_MS = 60_000;
/** WhatsApp takes a pairing code for about as long as a few QR codes. */
const PAIRING_CODE_MS = 160_000;
const TRANSACTIONS = { maxCommitRetries: 1, delayBetweenTriesMs: 10 };

export async function connect(parts: ConnectionParts): Promise<WhatsAppLink> {
  const { sessionId, creds, cipher, auth, inbox, record, clock, log, crashPoint, onSignal } = parts;
  const now = (): Date => clock.now();
  const generation = createGeneration();
  const journal = createJournal({
    sessionId,
    auth,
    cipher,
    record,
    creds: () => credsBytes(creds),
    fingerprint: fingerprintOf(creds),
    generation,
    crashPoint,
  });
  const keys = createKeyStore({
    ...{ sessionId, auth, cipher, journal, generation },
    onMapping: (pair) => {
      const me = meOf(creds);
      if (me !== null && belongTogether(pair, me))
        journal.putFacts({ facts: [{ kind: "lid", ...pair }], closes: [] });
    },
    onUnreadable: (kind, cause) => {
      // What an error says of bytes that were opened may be a piece of them.
      const error = cause instanceof Error ? cause.name : "unknown";
      log.error({ sessionId, kind, error }, "whatsapp.key_unreadable");
      onSignal({ type: "key_unreadable", kind });
    },
  });
  const history = createHistoryRecorder({
    sessionId,
    creds,
    generation,
    record,
    historyDays: parts.historyDays,
    pausedAfterMs: parts.timing?.historyPausedAfterMs,
    now,
    log,
  });
  const inFlight = createInFlightStanzas(sessionId);
  const order = createArrivalOrder();
  const undecrypted = createUndecrypted(parts.onUnreadable);
  const logger = createBaileysLog(log, sessionId);
  const leftOpen: HistoryNotice[] = [];
  let openSince: Date | null = null;
  const intake = createIntake({
    sessionId,
    creds,
    journal,
    generation,
    inFlight,
    order,
    undecrypted,
    news: createNews(),
    // What Baileys is not fetching we do, once there is a connection.
    onHistory: (notice) => {
      if (!notice.restored) history.announced(notice);
      else if (openSince !== null) void history.fetchAgain(notice);
      else leftOpen.push(notice);
    },
    now,
    log,
    crashPoint,
  });
  const makeRepository = withIntake(DEFAULT_CONNECTION_CONFIG.makeSignalRepository, {
    sessionId,
    generation,
    inFlight,
    intake,
    store: parts.intake,
    journal,
    cipher,
    log,
  });
  const recovery = createRecovery({
    sessionId,
    store: parts.intake,
    inbox,
    cipher,
    creds,
    inFlight,
    intake,
    journal,
    undecrypted,
    isUnderWay: (digest) => history.isUnderWay(digest),
    openSince: () => openSince,
    askPhone: (stanza) => askPhoneFor(stanza, { socket, creds, sessionId, log }),
    missingAfterMs: parts.timing?.missingAfterMs,
    now,
    logger,
    log,
  });
  if (meOf(creds) !== null) await recover();

  const socket = makeWASocket(
    socketConfig({
      webSocketUrl: parts.webSocketUrl,
      creds,
      keys,
      logger,
      caches: parts.caches,
      makeSignalRepository: makeRepository,
      getMessage,
      cachedGroupMetadata: (jid) => groups.of(jid),
    }),
  );
  const groups = createGroups({ cache: parts.groups, socket, keys, journal, now });
  // All of this in the turn in which the socket was made: nothing can have come or gone yet.
  const raw = rawSocketOf(socket);
  const gate = gateOutgoing(raw, journal);
  readInTurns(raw, (listener) => socket.ws.on("message", listener));
  generation.onFence(() => {
    gate.shut();
    clearInterval(sweeping);
    order.stop();
  });
  const live = watchSocket({
    socket,
    creds,
    journal,
    generation,
    clock,
    answerMs: parts.timing?.answerMs,
    onSignal,
    onOpen: () => {
      openSince = now();
      history.connected();
      for (const notice of leftOpen.splice(0)) void history.fetchAgain(notice);
    },
    onEnding: () => order.stop(),
  });
  const pulse = takePulse({
    socket,
    clock,
    isImporting: () => history.isBusy(),
    isHistoryMissing: () => history.isMissing(),
    sweep,
    end: (detail) => live.end(OWN_CODE.connectionLost, detail),
  });
  const stale = createStaleDevices({
    socket,
    onGivenUp: (ack) => {
      if (!generation.isFenced()) journal.putFacts({ facts: factsOfAck(ack), closes: [] });
    },
    sessionId,
    log,
  });
  listenFirst({
    socket,
    intake,
    journal,
    generation,
    creds,
    onPasskey: () => live.end(OWN_CODE.passkeyRequired, "passkey_prologue_request"),
    onGroup: (jid) => groups.forget(jid),
    takesAck: (ack) => stale.takes(ack),
  });
  hearStanding(socket, parts.onNews);
  recordEvents({ socket, journal, generation, creds, history });
  socket.ev.on("creds.update", () => journal.putCreds());
  const sweeping = setInterval(() => void sweep(), parts.timing?.sweepMs ?? SWEEP_MS);
  sweeping.unref();

  /** With its own transactions over the same keys: no socket exists yet. */
  async function recover(): Promise<void> {
    const own = { creds, keys: addTransactionCapability(keys, logger, TRANSACTIONS) };
    const repository = makeRepository(own, logger);
    await recovery.beforeConnecting(repository);
    repository.close?.();
  }

  let isSweeping = false;
  async function sweep(): Promise<void> {
    if (isSweeping || generation.isFenced()) return;
    isSweeping = true;
    try {
      await recovery.sweep();
    } catch (cause) {
      generation.fence(cause);
    } finally {
      isSweeping = false;
    }
  }

  /** For peers who ask for a message again. An empty answer would overwrite what they have. */
  async function getMessage({ id, remoteJid }: WAMessageKey) {
    if (!id) return undefined;
    const chatId = remoteJid ? addressOf(remoteJid) : undefined;
    const message = (await inbox.message(sessionId, id, chatId)) ?? (await inbox.message(sessionId, id));
    return (message && protoOf(message)) ?? undefined;
  }

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      order.stop();
      // What cannot be written any more was not acknowledged either.
      await journal.flush().catch(() => undefined);
      const gone = live.close();
      generation.fence(null);
      await gone;
      await history.idle();
    })());

  return createLink({
    socket,
    creds,
    generation,
    groupOf: (jid) => groups.of(jid),
    onPairingCode: (code) =>
      onSignal({ type: "pairing_code", code, expiresAt: new Date(now().getTime() + PAIRING_CODE_MS) }),
    flush: () => journal.flush(),
    onSent: (id, chatId, message) => stale.sent(id, chatId, message),
    close,
    pulse,
  });
}
