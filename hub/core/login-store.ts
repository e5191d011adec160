/** Logins as a part of the store: their credentials and keys, what is known of them, and where they go when they are out of use. */
import type { Session } from "./session.ts";
import type { IntakeEntry } from "./intake-store.ts";

/** Credentials and Signal keys, sealed by the caller. */
export interface AuthStore {
  creds(sessionId: string): Promise<Uint8Array | null>;
  keys(sessionId: string, type: string, ids: string[]): Promise<Map<string, Uint8Array>>;
  /** Everything of one step of the ratchet, and the intake rows it proves, in one transaction. */
  commit(sessionId: string, step: RatchetStep): Promise<void>;
  /**
   * Moves all of a session's credentials and keys to quarantine; returns its id, null when there was nothing. Until
   * `undoUntil` it may be brought back; left out, never.
   */
  quarantine(sessionId: string, reason: string, now: Date, undoUntil?: Date): Promise<string | null>;
  /** What lies in quarantine of a session, newest first. */
  quarantined(sessionId: string): Promise<QuarantinedLogin[]>;
  /** Moves it back, and what is there now into its place. `STATE_CONFLICT` when another session has this very login. */
  release(
    sessionId: string,
    quarantineId: string,
    instead: { reason: string; now: Date; undoUntil: Date },
  ): Promise<void>;
  /** Destroys what was put into quarantine before `before`; returns the ids. */
  forgetQuarantined(before: Date): Promise<string[]>;
  /** What is known of a session's login beside its bytes. */
  login(sessionId: string): Promise<LoginFacts>;
  /** The whole login as it lies there, for a copy; null when there is none. */
  loginRows(sessionId: string): Promise<LoginRows | null>;
  /**
   * Puts a whole login where there is none, and makes the session if it is not there, in one. `instead` puts what is there into
   * quarantine first; `isStale`: it is an older copy. `STATE_CONFLICT` when the session has a login, when another session has
   * this very one, or holds its number.
   */
  install(
    session: Omit<Session, "id">,
    login: LoginRows & { fingerprint: string },
    options?: { instead?: { reason: string; now: Date; undoUntil: Date }; isStale?: boolean },
  ): Promise<void>;
  /** It is about to be used elsewhere: what is here will be an older copy, and so are copies of it. */
  markStale(sessionId: string): Promise<void>;
}

export interface RatchetStep {
  creds?: Uint8Array;
  /** Which login the credentials are. */
  fingerprint?: string;
  /** `value: null` deletes. */
  keys: { type: string; id: string; value: Uint8Array | null }[];
  /** Stanzas (and their plaintext) that become durable with it. */
  intake: IntakeEntry[];
  /** Keys that an older copy had in common with later use are gone: the login is not stale any more. */
  renewed?: true;
}

/** current: as WhatsApp knows it. stale: a copy, older than what was used since. superseded: a copy of one replaced since. */
export type LoginStanding = "current" | "stale" | "superseded";

export interface LoginFacts extends LoginAge {
  /** Hash of the login's public key; null when none was ever written. */
  fingerprint: string | null;
  standing: LoginStanding;
  /** There is a row of credentials, readable or not. */
  isThere: boolean;
}

/** How far a session's logins have got; tells copies of one apart. */
export interface LoginAge {
  /** Grows when the whole database was put back from a copy: counts from before say nothing about now. */
  epoch: number;
  /** Grows whenever the login is replaced or taken out of use. */
  generation: number;
  /** Grows with every write of keys, and with each new generation. */
  keyVersion: number;
}

export interface LoginRows {
  creds: Uint8Array | null;
  keys: { type: string; id: string; value: Uint8Array }[];
}

export interface QuarantinedLogin {
  id: string;
  reason: string;
  at: Date;
  undoUntil: Date | null;
}

/** How far a hub has got, kept beside its database: what is older than this was restored from a copy. */
export interface Watermark {
  hubId: string;
  epoch: number;
  /** The newest event. */
  seq: number;
  logins: { sessionId: string; fingerprint: string | null; generation: number; keyVersion: number }[];
}
