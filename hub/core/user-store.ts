/**
 * People who log in, as a part of the store. A sign-in begins with the password and goes on with refresh tokens: each is good
 * once, and gives the next. It ends by order, by time, with its user, or when a token is used a second time.
 */
import type { NewAuditEntry } from "./audit.ts";
import type { User } from "./user.ts";

/** Only its SHA-256 is kept. */
export interface RefreshToken {
  hash: string;
  expiresAt: Date;
}

/** `reused`: the token had given its successor before, so somebody else has it, and the sign-in was ended. */
export type Renewal =
  | { result: "renewed"; user: User; signInId: string }
  | { result: "reused"; userId: string }
  | { result: "unknown" };

export interface UserStore {
  /** In the order they were made. */
  list(): Promise<User[]>;
  get(id: string): Promise<User | null>;
  byIdentifier(identifier: string): Promise<User | null>;
  /**
   * Creates or replaces. `ends`: which sign-ins of the user end with it. False, and nothing has changed, when the identifier
   * is another's. `entry` goes into the audit log in the same transaction.
   */
  save(
    user: User,
    options?: { ends?: "none" | "all" | { except: string }; entry?: NewAuditEntry | undefined },
  ): Promise<boolean>;
  /** With all sign-ins. */
  remove(id: string, entry?: NewAuditEntry): Promise<boolean>;
  /** A sign-in begins with its first token. Those that ran out are removed. */
  beginSignIn(signIn: { id: string; userId: string }, token: RefreshToken, now: Date): Promise<void>;
  /** Whose sign-in it is; null when it ended, or when its user is disabled. */
  userOfSignIn(signInId: string, now: Date): Promise<User | null>;
  /** Uses a token up and puts `next` in its place, in one transaction. */
  renewSignIn(hash: string, next: RefreshToken, now: Date): Promise<Renewal>;
  /** By its id, or by one of its tokens. Whose it was; null when there is none. */
  endSignIn(which: { id: string } | { tokenHash: string }): Promise<User | null>;
  /** What signs access tokens, sealed. */
  tokenSecret(): Promise<Uint8Array | null>;
  saveTokenSecret(sealed: Uint8Array): Promise<void>;
}
