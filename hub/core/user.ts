/** A person who logs in with a password. Only what scrypt made of it is kept. */
import type { Scope } from "./api-key.ts";

export interface User {
  /** `usr_…` */
  id: string;
  /** What the person types; in lower case, and nobody else's. */
  identifier: string;
  password: PasswordHash;
  scopes: Scope[];
  sessions: "*" | string[];
  createdAt: Date;
  /** Since then nobody gets in with it. */
  disabledAt: Date | null;
}

/** With the parameters it was made by, so that they may grow without anybody's password becoming wrong. */
export interface PasswordHash {
  /** Base64, as the salt. */
  hash: string;
  salt: string;
  cost: number;
  blockSize: number;
  parallelization: number;
}
