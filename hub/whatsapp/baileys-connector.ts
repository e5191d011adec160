/** The port to WhatsApp, on Baileys: finds a session's credentials and starts one connection with them. */
import type { Cipher } from "../core/cipher.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { AuthStore, InboxStore, IntakeStore } from "../core/store.ts";
import type { UnreadableNews } from "../core/unreadable.ts";
import { LoginDamaged, type AccountNews, type WhatsAppConnector } from "../core/whatsapp.ts";
import { isPaired, loadCreds, newCreds } from "./auth-state.ts";
import { Curve, type AuthenticationCreds } from "./baileys.ts";
import { connect, type ConnectionTiming } from "./connection.ts";
import { createGroupCache, type GroupCache } from "./group-cache.ts";
import type { CrashPoint } from "./journal.ts";
import { silenceLibsignal } from "./libsignal-console.ts";
import type { RecordFacts } from "./record.ts";
import { resession } from "./resession.ts";
import { assertSignaturesChecked } from "./signal-hardening.ts";
import { createSessionCaches, type SessionCaches } from "./socket-config.ts";

export interface BaileysConnectorParts {
  auth: AuthStore;
  intake: IntakeStore;
  inbox: Pick<InboxStore, "message">;
  /** By scope: `session:<sessionId>`. */
  cipher: (scope: string) => Promise<Cipher>;
  /** The inbox's way in. A failure means that the store is down. */
  record: RecordFacts;
  /** How far back a session wants its history; left out, all that WhatsApp sends is kept. */
  historyDays?: (sessionId: string) => Promise<number>;
  /** What WhatsApp says about an account itself. */
  onNews?: (sessionId: string, news: AccountNews) => void;
  /** A message could not be decrypted, or came after all. */
  onUnreadable?: (sessionId: string, news: UnreadableNews) => void;
  /** Another server in WhatsApp's place, for tests. */
  webSocketUrl: string | null;
  clock: Clock;
  log: Log;
  /** Called at named places of the intake, so that tests can end the process there. */
  crashPoint?: CrashPoint;
  timing?: ConnectionTiming;
}

/** Refuses to work where signatures are not checked. */
export function createBaileysConnector(parts: BaileysConnectorParts): WhatsAppConnector {
  assertSignaturesChecked(Curve);
  silenceLibsignal();
  const kept = new Map<string, { caches: SessionCaches; groups: GroupCache }>();

  function keptOf(sessionId: string): { caches: SessionCaches; groups: GroupCache } {
    const known = kept.get(sessionId) ?? { caches: createSessionCaches(), groups: createGroupCache() };
    kept.set(sessionId, known);
    return known;
  }

  const cipherOf = (sessionId: string): Promise<Cipher> => parts.cipher(`session:${sessionId}`);

  const { auth } = parts;

  function storedCreds(sessionId: string): Promise<AuthenticationCreds | null> {
    return loadCreds({ sessionId, auth, cipher: () => cipherOf(sessionId) });
  }

  /** A login as WhatsApp knows it, or none. */
  async function usableCreds(sessionId: string): Promise<AuthenticationCreds | null> {
    const { fingerprint, standing } = await auth.login(sessionId);
    if (standing === "superseded") throw new LoginDamaged("superseded");
    const stored = await storedCreds(sessionId);
    if (stored === null && fingerprint !== null) throw new LoginDamaged("missing");
    // A pairing that stopped half-way left a number without an account: WhatsApp refuses a login with it.
    if (stored === null || !isPaired(stored)) return null;
    if (standing === "current") return stored;
    parts.log.warn({ sessionId }, "whatsapp.login_renewed");
    return resession(stored, { sessionId, auth, cipher: await cipherOf(sessionId) });
  }

  return {
    open: async (sessionId, onSignal) => {
      const creds = (await usableCreds(sessionId)) ?? newCreds();
      return connect({
        sessionId,
        creds,
        cipher: await cipherOf(sessionId),
        auth,
        intake: parts.intake,
        inbox: parts.inbox,
        record: parts.record,
        ...keptOf(sessionId),
        historyDays: (await parts.historyDays?.(sessionId)) ?? null,
        webSocketUrl: parts.webSocketUrl,
        clock: parts.clock,
        log: parts.log,
        crashPoint: parts.crashPoint ?? (() => undefined),
        timing: parts.timing,
        onSignal,
        onNews: (news) => parts.onNews?.(sessionId, news),
        onUnreadable: (news) => parts.onUnreadable?.(sessionId, news),
      });
    },
    isPaired: async (sessionId) => {
      const creds = await storedCreds(sessionId).catch((cause: unknown) => {
        if (cause instanceof LoginDamaged) return null;
        throw cause;
      });
      return creds !== null && isPaired(creds);
    },
    forget: (sessionId) => void kept.delete(sessionId),
    retireCredentials: async (sessionId, reason) => {
      kept.delete(sessionId);
      await auth.quarantine(sessionId, reason, parts.clock.now());
    },
  };
}
