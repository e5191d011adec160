/** A whole login outside of a store: read from a copy or from another program's files, and sealed for a session. */
import type { Cipher } from "../core/cipher.ts";
import { userOf, type Jid } from "../core/jid.ts";
import type { LoginRows } from "../core/store.ts";
import { credsBytes, credsOf, fingerprintOf, isPaired } from "./auth-state.ts";
import type { AuthenticationCreds } from "./baileys.ts";
import { keyPlace } from "./journal.ts";
import { codecOf } from "./key-codec.ts";
import { addressOf } from "./translate/addresses.ts";

/** Plain, so it is never kept. */
export interface LooseLogin {
  creds: AuthenticationCreds;
  fingerprint: string;
  phoneNumber: string;
  lid: Jid | null;
  pushName: string | null;
  keys: LooseKey[];
}

export interface LooseKey {
  type: string;
  id: string;
  value: unknown;
}

/** Null when they belong to no account: never linked, or only half-way. */
export function looseLogin(creds: AuthenticationCreds, keys: LooseKey[]): LooseLogin | null {
  if (!isPaired(creds) || !creds.me?.id) return null;
  return {
    creds,
    fingerprint: fingerprintOf(creds),
    phoneNumber: userOf(addressOf(creds.me.id)),
    lid: creds.me.lid ? addressOf(creds.me.lid) : null,
    pushName: creds.me.name ?? null,
    keys,
  };
}

export interface OpenedRows {
  creds: AuthenticationCreds;
  keys: LooseKey[];
  /** How many of each kind could not be opened: whoever uses the login makes them anew. */
  unreadable: Record<string, number>;
}

/** Null when there are no credentials, or they are damaged: without them there is no login at all. */
export function openRows(rows: LoginRows, cipher: Cipher): OpenedRows | null {
  const creds = rows.creds === null ? null : openCreds(rows.creds, cipher);
  if (creds === null) return null;
  const opened: OpenedRows = { creds, keys: [], unreadable: {} };
  for (const row of rows.keys) {
    const value = openKey(row, cipher);
    if (value === null) opened.unreadable[row.type] = (opened.unreadable[row.type] ?? 0) + 1;
    else opened.keys.push({ type: row.type, id: row.id, value: value.it });
  }
  return opened;
}

function openCreds(sealed: Uint8Array, cipher: Cipher): AuthenticationCreds | null {
  try {
    return credsOf(cipher.open("creds", sealed));
  } catch {
    return null; // what is wrong with them helps nobody
  }
}

function openKey({ type, id, value }: LoginRows["keys"][number], cipher: Cipher): { it: unknown } | null {
  try {
    return { it: codecOf(type).decode(cipher.open(keyPlace(type, id), value)) };
  } catch {
    return null; // it is counted
  }
}

/** As the store keeps it. */
export function sealLogin(
  { creds, keys, fingerprint }: LooseLogin,
  cipher: Cipher,
): LoginRows & { fingerprint: string } {
  return {
    creds: cipher.seal("creds", credsBytes(creds)),
    keys: keys.map(({ type, id, value }) => ({
      type,
      id,
      value: cipher.seal(keyPlace(type, id), codecOf(type).encode(codecOf(type).hold(value))),
    })),
    fingerprint,
  };
}
