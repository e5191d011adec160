/** What of an endpoint nobody may read on the disk: its secret, and its own headers, which are often a CRM's credential. */
import { createHash, timingSafeEqual } from "node:crypto";
import { secretFingerprint } from "../contract/signature.ts";
import type { Cipher } from "../core/cipher.ts";
import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Log } from "../core/log.ts";
import type { Signing } from "./wire-headers.ts";

/** Begins a sealed value: a sign that no header may carry, so that what an earlier version stored is told apart. */
const SEALED = "\u0001";

export interface EndpointSecrets {
  seal(id: string, secret: string): Uint8Array;
  /** Secrets that sign now. */
  signing(endpoint: Endpoint): Signing;
  /** False also of one whose secret cannot be opened. */
  has(endpoint: Endpoint, secret: string): boolean;
  /** False after the loss of the key it was sealed with. */
  canOpen(endpoint: Endpoint): boolean;
  /** Of the secrets that sign now, the newest first; none where they cannot be opened. */
  fingerprints(endpoint: Endpoint): string[];
  /** As it goes into the store. */
  forStore(endpoint: Endpoint): Endpoint;
  /** As it is used; a header that cannot be opened is left out, and told. */
  fromStore(stored: Endpoint): Endpoint;
}

/** An earlier version stored headers as they are. */
export const hasPlainHeaders = ({ headers }: Endpoint): boolean =>
  Object.values(headers).some((value) => !value.startsWith(SEALED));

export function createEndpointSecrets({
  cipher,
  clock,
  log,
}: {
  cipher: Cipher;
  clock: Clock;
  log: Log;
}): EndpointSecrets {
  const opened = new WeakMap<Uint8Array, string>();
  const openText = (place: string, sealed: Uint8Array): string =>
    Buffer.from(cipher.open(place, sealed)).toString("utf8");

  const open = (id: string, sealed: Uint8Array): string => {
    const cached = opened.get(sealed);
    if (cached !== undefined) return cached;
    const secret = openText(`endpoint:${id}`, sealed);
    opened.set(sealed, secret);
    return secret;
  };
  const openIfAny = (id: string, sealed: Uint8Array): string | null => {
    try {
      return open(id, sealed);
    } catch {
      return null;
    }
  };
  const signing = ({ id, secret, previousSecret }: Endpoint): Signing => ({
    secret: open(id, secret),
    // One that does not open would keep the new one from signing.
    previous:
      previousSecret !== null && previousSecret.until > clock.now()
        ? openIfAny(id, previousSecret.sealed)
        : null,
  });

  const openHeader = (id: string, name: string, value: string): [string, string][] => {
    if (!value.startsWith(SEALED)) return [[name, value]];
    try {
      const sealed = Buffer.from(value.slice(SEALED.length), "base64");
      return [[name, openText(placeOf(id, name), sealed)]];
    } catch (cause) {
      // The others still work; without this one the CRM will say what it misses.
      log.error({ err: cause, endpointId: id, header: name }, "endpoint.header_unreadable");
      return [];
    }
  };

  return {
    seal: (id, secret) => cipher.seal(`endpoint:${id}`, Buffer.from(secret, "utf8")),
    signing,
    has: (endpoint, secret) => {
      const own = openIfAny(endpoint.id, endpoint.secret);
      return own !== null && timingSafeEqual(digestOf(own), digestOf(secret));
    },
    canOpen: ({ id, secret }) => openIfAny(id, secret) !== null,
    fingerprints: (endpoint) => {
      try {
        const { secret, previous } = signing(endpoint);
        return [secret, ...(previous === null ? [] : [previous])].map((one) =>
          secretFingerprint(endpoint.id, one),
        );
      } catch {
        // Whoever sends to it says so in the log. Whoever lists it can give it another secret.
        return [];
      }
    },
    forStore: (endpoint) => {
      const sealed = Object.entries(endpoint.headers).map(([name, value]) => {
        const bytes = cipher.seal(placeOf(endpoint.id, name), Buffer.from(value, "utf8"));
        return [name, SEALED + Buffer.from(bytes).toString("base64")] as const;
      });
      return { ...endpoint, headers: Object.fromEntries(sealed) };
    },
    fromStore: (stored) => {
      const headers = Object.entries(stored.headers).flatMap(([name, value]) =>
        openHeader(stored.id, name, value),
      );
      return { ...stored, headers: Object.fromEntries(headers) };
    },
  };
}

const placeOf = (id: string, name: string): string => `endpoint:${id}:header:${name.toLowerCase()}`;

/** Of one length, whatever was given. */
const digestOf = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();
