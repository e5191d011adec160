/** Credentials and Signal keys of one session: sealed rows of the store, written through the journal of its connection. */
import { createHash } from "node:crypto";
import type { Cipher } from "../core/cipher.ts";
import { HubError } from "../core/errors.ts";
import type { AuthStore } from "../core/store.ts";
import { LoginDamaged } from "../core/whatsapp.ts";
import {
  BufferJSON,
  initAuthCreds,
  proto,
  type AuthenticationCreds,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
} from "./baileys.ts";
import type { Generation } from "./generation.ts";
import type { InFlight } from "./in-flight.ts";
import { keyPlace, type Journal } from "./journal.ts";
import { codecOf } from "./key-codec.ts";

/**
 * The stored credentials, or null when there are none. Damaged ones throw: they are never taken for none.
 * @throws LoginDamaged
 */
export async function loadCreds({
  sessionId,
  auth,
  cipher,
}: {
  sessionId: string;
  auth: Pick<AuthStore, "creds">;
  cipher: () => Promise<Cipher>;
}): Promise<AuthenticationCreds | null> {
  const sealed = await auth.creds(sessionId);
  if (sealed === null) return null;
  try {
    return credsOf((await cipher()).open("creds", sealed));
  } catch (cause) {
    // A disk that fails says nothing about the login.
    if (cause instanceof HubError) throw cause;
    throw new LoginDamaged("unreadable", cause);
  }
}

/** @throws Error when these are no credentials */
export function credsOf(bytes: Uint8Array): AuthenticationCreds {
  const parsed: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"), BufferJSON.reviver);
  if (!isCreds(parsed)) throw new Error("these are no credentials");
  if (parsed.account) parsed.account = proto.ADVSignedDeviceIdentity.fromObject(parsed.account);
  return parsed;
}

/** What every connection needs of them; the rest is the library's own affair. */
const isCreds = (value: unknown): value is AuthenticationCreds =>
  typeof value === "object" &&
  value !== null &&
  "noiseKey" in value &&
  isKeyPair(value.noiseKey) &&
  "signedIdentityKey" in value &&
  isKeyPair(value.signedIdentityKey);

const isKeyPair = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  "private" in value &&
  "public" in value &&
  value.private instanceof Uint8Array &&
  value.public instanceof Uint8Array;

/** Which login these credentials are, told by what WhatsApp itself knows of it. */
export const fingerprintOf = ({ noiseKey }: AuthenticationCreds): string =>
  createHash("sha256").update(noiseKey.public).digest("hex");

export const newCreds = (): AuthenticationCreds => initAuthCreds();

/** `creds.registered` stays false after a QR code: an account is what makes credentials worth keeping. */
export const isPaired = (creds: AuthenticationCreds): boolean => Boolean(creds.account);

export const credsBytes = (creds: AuthenticationCreds): Uint8Array =>
  Buffer.from(JSON.stringify(creds, BufferJSON.replacer));

/** Kind of "key" under which a stanza joins the transaction of the ratchet step that decrypted it. */
export const INTAKE_TYPE = "intake";

/** As a key, the shape that the library's transactions carry along unread. */
export const intakeKey = (stanza: InFlight): SignalDataSet =>
  ({ [INTAKE_TYPE]: { [String(stanza.order)]: stanza } }) as unknown as SignalDataSet;

export interface KeyStoreParts {
  sessionId: string;
  auth: Pick<AuthStore, "keys">;
  cipher: Cipher;
  journal: Journal;
  generation: Generation;
  /** Both addresses of a person became known. */
  onMapping: (pair: { lid: string; phone: string }) => void;
  /** A key of this kind is damaged; told once for each. */
  onUnreadable: (kind: string, cause: unknown) => void;
}

export function createKeyStore({
  sessionId,
  auth,
  cipher,
  journal,
  generation,
  onMapping,
  onUnreadable,
}: KeyStoreParts): SignalKeyStore {
  const unreadable = new Set<string>();

  async function get(type: string, ids: string[]): Promise<Record<string, unknown>> {
    generation.assertAlive();
    const found: Record<string, unknown> = {};
    const onDisk: string[] = [];
    for (const id of ids) {
      const waiting = journal.key(type, id);
      if (waiting === undefined) onDisk.push(id);
      else if (waiting !== null) found[id] = codecOf(type).hold(waiting);
    }
    if (onDisk.length === 0) return found;
    let rows: Map<string, Uint8Array>;
    try {
      rows = await auth.keys(sessionId, type, onDisk);
    } catch (cause) {
      // An exception would reach Baileys as a failed decryption and be answered with a refusal: WhatsApp would forget.
      generation.fence(cause);
      throw cause;
    }
    for (const [id, sealed] of rows) {
      const value = open(type, id, sealed);
      if (value !== undefined) found[id] = value;
    }
    return found;
  }

  /**
   * Undefined when the row is damaged: to do without one key costs a message sent once more, to do without the session costs
   * all of them. The row stays as it is until the key is made anew.
   */
  function open(type: string, id: string, sealed: Uint8Array): unknown {
    try {
      return codecOf(type).decode(cipher.open(keyPlace(type, id), sealed));
    } catch (cause) {
      const place = keyPlace(type, id);
      if (!unreadable.has(place)) onUnreadable(type, cause);
      unreadable.add(place);
      return undefined;
    }
  }

  function set(data: SignalDataSet): void {
    generation.assertAlive();
    for (const [type, values] of Object.entries(data))
      for (const [id, value] of Object.entries(values) as [string, unknown][]) {
        if (type === INTAKE_TYPE) {
          // Put there by `intakeKey`, and by nobody else.
          journal.putStanza(value as InFlight);
          continue;
        }
        journal.putKey(type, id, value);
        if (type === "lid-mapping") noteMapping(id, value);
      }
  }

  /** Baileys writes every pair twice; the reversed one names both. */
  function noteMapping(id: string, value: unknown): void {
    if (typeof value !== "string" || !id.endsWith("_reverse")) return;
    onMapping({ lid: `${id.slice(0, -"_reverse".length)}@lid`, phone: `${value}@s.whatsapp.net` });
  }

  return {
    // What was stored under a type is of that type.
    get: async <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) =>
      (await get(type, ids)) as Record<string, SignalDataTypeMap[T]>,
    set,
  };
}
