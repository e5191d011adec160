/** Logins out of use: put into quarantine with a sealed copy first, brought back while that is possible, destroyed in the end. */
import type { Cipher } from "../core/cipher.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type {
  AuthStore,
  LoginAge,
  LoginFacts,
  LoginRows,
  LoginStanding,
  QuarantinedLogin,
  VaultStore,
} from "../core/store.ts";
import type { LoginDamaged } from "../core/whatsapp.ts";
import { createSnapshots, type NamedKey } from "./snapshots.ts";
import { isFormerOf, type Vault } from "./vault.ts";

export interface Logins {
  /** Null when there is no login, and none is missing. */
  standing(sessionId: string): Promise<LoginStanding | null>;
  /** Nothing moves unless the copy reads back. Null when there was nothing to move. */
  quarantine(sessionId: string, reason: string, options: { isUndoable: boolean }): Promise<PutAway | null>;
  /**
   * What `bringBack` would bring back: this one, or the newest that may be; one that made room for a login that was brought back
   * has to be named. @throws HubError NOT_FOUND, UNDO_EXPIRED
   */
  toBringBack(sessionId: string, quarantineId: string | null): Promise<QuarantinedLogin>;
  /** What lies in quarantine of a session, newest first. */
  putAway(sessionId: string): Promise<QuarantinedLogin[]>;
  /** The login of now, if there is one, takes the other's place in quarantine. */
  bringBack(sessionId: string, quarantineId: string): Promise<void>;
  /**
   * Puts a login from a copy into a session; the one of now, if there is one, goes into quarantine and can be brought back.
   * `seal` makes its rows with the session's own key. `isStale`: it was used since the copy was made.
   */
  putBack(
    session: Omit<Session, "id">,
    seal: (cipher: Cipher) => LoginRows & { fingerprint: string },
    options: { isStale: boolean },
  ): Promise<void>;
  /** Destroys what nobody can want back any more; returns how many logins in quarantine, and how many sealed copies. */
  sweep(): Promise<{ quarantined: number; copies: number }>;
}

export interface PutAway {
  quarantineId: string;
  undoUntil: Date | null;
}

const DAY_MS = 86_400_000;
const UNDO_MS = 7 * DAY_MS;
/** Longer than it can be undone: for whoever has to find out what happened. */
const KEPT_MS = 30 * DAY_MS;

/** As which a login goes into quarantine by itself; what goes there otherwise was unlinked, or ordered away. */
export const damageReason = (damage: LoginDamaged["damage"]): string => `${DAMAGED}${damage}`;
export const isDamageReason = (reason: string): boolean => reason.startsWith(DAMAGED);
const DAMAGED = "login ";

const MADE_ROOM = "replaced by an older login that was brought back";

/** Null where the login is an older copy itself: nobody knows what was used since. */
export const ageOf = ({ standing, epoch, generation, keyVersion }: LoginFacts): LoginAge | null =>
  standing === "current" ? { epoch, generation, keyVersion } : null;

export interface LoginsParts {
  auth: AuthStore;
  keys: Pick<VaultStore, "dataKey" | "scopes">;
  vault: Pick<Vault, "cipher" | "renew">;
  /** Folder of the copies; nothing that starts sessions reads it. */
  dir: string;
  clock: Clock;
}

export function createLogins({ auth, keys, vault, dir, clock }: LoginsParts): Logins {
  const snapshots = createSnapshots({ dir, cipher: () => vault.cipher("hub") });
  const undoUntil = (now: Date): Date => new Date(now.getTime() + UNDO_MS);
  const scopeOf = (sessionId: string): string => `session:${sessionId}`;

  /** The one in use, and those before it. */
  async function dataKeys(scope: string): Promise<NamedKey[]> {
    const names = (await keys.scopes()).filter((name) => name === scope || isFormerOf(scope, name));
    return Promise.all(names.map(async (name) => ({ name, wrapped: await keys.dataKey(name) })));
  }

  async function copy(sessionId: string, now: Date): Promise<void> {
    const login = await auth.loginRows(sessionId);
    if (login === null) return;
    const facts = await auth.login(sessionId);
    const { fingerprint } = facts;
    const sealedBy = await dataKeys(scopeOf(sessionId));
    await snapshots.keep({ sessionId, login, dataKeys: sealedBy, fingerprint, age: ageOf(facts) }, now);
  }

  /** A key that opens with no master key is as good as lost; the next login needs one. */
  async function assertKey(sessionId: string): Promise<void> {
    try {
      await vault.cipher(scopeOf(sessionId));
    } catch (cause) {
      if (cause instanceof HubError) throw cause;
      await vault.renew(scopeOf(sessionId));
    }
  }

  return {
    standing: async (sessionId) => {
      const { standing, isThere, fingerprint } = await auth.login(sessionId);
      return isThere || fingerprint !== null ? standing : null;
    },
    quarantine: async (sessionId, reason, { isUndoable }) => {
      const now = clock.now();
      await copy(sessionId, now);
      const until = isUndoable ? undoUntil(now) : null;
      const id = await auth.quarantine(sessionId, reason, now, until ?? undefined);
      await assertKey(sessionId);
      return id === null ? null : { quarantineId: id, undoUntil: until };
    },
    toBringBack: async (sessionId, quarantineId) => {
      const all = await auth.quarantined(sessionId);
      const now = clock.now();
      const mayBe = ({ undoUntil }: QuarantinedLogin): boolean => undoUntil !== null && undoUntil > now;
      // An undo that is ordered again must not take the first one back.
      const cleaned = all.filter(({ reason }) => reason !== MADE_ROOM);
      const wanted =
        quarantineId === null
          ? (cleaned.find(mayBe) ?? cleaned[0])
          : all.find(({ id }) => id === quarantineId);
      if (wanted === undefined)
        throw new HubError("NOT_FOUND", "There is no login in quarantine that could be brought back.");
      if (!mayBe(wanted))
        throw new HubError(
          "UNDO_EXPIRED",
          wanted.undoUntil === null
            ? "This login cannot be used any more; link the number again."
            : "The time in which this login could be brought back is over; link the number again.",
        );
      return wanted;
    },
    putAway: (sessionId) => auth.quarantined(sessionId),
    bringBack: async (sessionId, quarantineId) => {
      const now = clock.now();
      await copy(sessionId, now);
      await auth.release(sessionId, quarantineId, {
        reason: MADE_ROOM,
        now,
        undoUntil: undoUntil(now),
      });
    },
    putBack: async (session, seal, { isStale }) => {
      const { sessionId } = session;
      const now = clock.now();
      await copy(sessionId, now);
      await assertKey(sessionId);
      await auth.install(session, seal(await vault.cipher(scopeOf(sessionId))), {
        instead: { reason: "replaced by a login from a copy", now, undoUntil: undoUntil(now) },
        isStale,
      });
    },
    sweep: async () => {
      const before = new Date(clock.now().getTime() - KEPT_MS);
      const quarantined = (await auth.forgetQuarantined(before)).length;
      return { quarantined, copies: await snapshots.forget(before) };
    },
  };
}
