/** Keys of the API: made, given to the first caller, rotated. Only a SHA-256 is kept, so a key can be shown just once. */
import { createHash } from "node:crypto";
import { defaultKeySettings, SCOPES, type ApiKey, type ApiKeySettings, type Scope } from "../core/api-key.ts";
import type { Audited } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { KeyStore } from "../core/store.ts";
import { randomText } from "./random-text.ts";

/** `ihk_<8>_<43>`: 43 characters of base62 hold 256 random bits. */
export const newApiKey = (): string => `ihk_${randomText(8)}_${randomText(43)}`;

export const hashOf = (key: string): string => createHash("sha256").update(key, "utf8").digest("hex");

export interface NewKey {
  /** Where something of it was sealed for that id before. */
  id?: string;
  name: string;
  scopes: Scope[];
  sessions: "*" | string[];
  allowedCidrs?: string[] | undefined;
  client?: string | undefined;
  settings?: Partial<ApiKeySettings> | undefined;
  expiresAt?: Date | null | undefined;
}

/** The row of a key; without a client label a key is a client of its own. */
function rowOfKey(key: string, about: NewKey, now: Date): ApiKey {
  const id = about.id ?? newId("key", now);
  return {
    id,
    name: about.name,
    hash: hashOf(key),
    previous: null,
    operatorHash: null,
    scopes: about.scopes,
    sessions: about.sessions,
    allowedCidrs: about.allowedCidrs ?? [],
    client: about.client ?? id,
    settings: { ...defaultKeySettings, ...about.settings },
    expiresAt: about.expiresAt ?? null,
    createdAt: now,
  };
}

interface Parts {
  keys: KeyStore;
  clock: Clock;
  /** The row of the audit log about it. */
  audited?: Audited;
}

export async function createKey(
  about: NewKey,
  { keys, clock, audited }: Parts,
): Promise<{ row: ApiKey; key: string }> {
  const key = newApiKey();
  const row = rowOfKey(key, about, clock.now());
  await keys.save(row, audited?.(row.id));
  return { row, key };
}

/** A new secret for a known key; the old one is accepted for `graceSeconds` more. */
export async function rotateKey(
  row: ApiKey,
  graceSeconds: number,
  { keys, clock, audited }: Parts,
): Promise<{ row: ApiKey; key: string }> {
  const key = newApiKey();
  const until = new Date(clock.now().getTime() + graceSeconds * 1000);
  const rotated = {
    ...row,
    hash: hashOf(key),
    previous: graceSeconds > 0 ? { hash: row.hash, until } : null,
  };
  await keys.save(rotated, audited?.(row.id));
  return { row: rotated, key };
}

/** Name that the key of HUB_API_KEY is made under; it may be renamed. */
const OPERATOR_KEY = "HUB_API_KEY";
/** Name of the key that was made under it, when another key is given that is one already. */
const FORMER_KEY = "HUB_API_KEY before";
/** Label of the client that the first key belongs to; the endpoint of HUB_WEBHOOK_URL is that client's. */
export const FIRST_CLIENT = "default";

/**
 * The key everything begins with. One given by the operator is taken as it is, and replaces the one given before; one that is
 * a key already stays that key with its rights, and the one given before is a key like others from then on: of all keys only the
 * one given last is ever replaced. What became of it since (a new name, a new secret) is undone by no start: only another value
 * is another word of the operator. One that was revoked is such a word: whoever writes `.env` may have all rights.
 * Without one, and without any key stored, one is made.
 * @returns the made key, to be shown once; else null.
 */
export async function ensureFirstKey({
  keys,
  given,
  clock,
  log,
}: {
  keys: KeyStore;
  given: string | null;
  clock: Clock;
  log: Log;
}): Promise<string | null> {
  const all = { scopes: [...SCOPES], sessions: "*" as const, client: FIRST_CLIENT };
  const stored = await keys.list();
  if (given === null) {
    if (stored.length > 0) return null;
    return (await createKey({ name: "first key", ...all }, { keys, clock })).key;
  }
  const hash = hashOf(given);
  if (stored.some(({ operatorHash }) => operatorHash === hash)) return null;
  const adopted = stored.find((key) => key.hash === hash);
  const replaced =
    stored.find(({ operatorHash, client }) => operatorHash !== null && client === FIRST_CLIENT) ??
    // Stored by a version that did not note what was given.
    stored.find(({ name }) => name === OPERATOR_KEY);
  const row = adopted ?? replaced ?? rowOfKey(given, { name: OPERATOR_KEY, ...all }, clock.now());
  for (const other of stored.filter((key) => key.id !== row.id && isOperators(key)))
    await keys.save({
      ...other,
      name: other.name === OPERATOR_KEY ? FORMER_KEY : other.name,
      operatorHash: null,
    });
  await keys.save({ ...row, hash, previous: adopted?.previous ?? null, operatorHash: hash });
  if (adopted === undefined)
    log.info({ keyId: row.id, name: row.name, isNew: replaced === undefined }, "key.operator_made");
  return null;
}

const isOperators = ({ name, operatorHash }: ApiKey): boolean =>
  operatorHash !== null || name === OPERATOR_KEY;
