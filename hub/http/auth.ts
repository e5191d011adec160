/** Who is calling, and what the caller may do and see. */
import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { ApiKey, Scope } from "../core/api-key.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { KeyStore } from "../core/store.ts";
import { hashOf } from "./api-keys.ts";

/** The one who asks, by the credential that proved it. */
export interface Caller {
  key: ApiKey;
  /** Whether anything of this session exists for the caller. */
  sees(sessionId: string): boolean;
}

/** Names under which people put a key into a URL, where proxies and browsers write it down. */
const KEY_PARAMETERS = new Set(["apikey", "xapikey", "key", "accesstoken", "token"]);

const isKeyInQuery = (name: string, value: string): boolean =>
  KEY_PARAMETERS.has(name.toLowerCase().replace(/[-_]/g, "")) || value.startsWith("ihk_");

/**
 * Looks the key up on every request, so that a revoked one stops at once.
 * @throws HubError `MISSING_API_KEY`, `INVALID_API_KEY`
 */
export async function authenticate(
  request: IncomingMessage,
  query: URLSearchParams,
  { keys, clock }: { keys: KeyStore; clock: Clock },
): Promise<Caller> {
  if ([...query].some(([name, value]) => isKeyInQuery(name, value)))
    throw new HubError(
      "INVALID_API_KEY",
      "A key in the URL is not accepted; send it as the header X-API-Key.",
    );
  const given = request.headers["x-api-key"];
  if (given === undefined || given === "")
    throw new HubError("MISSING_API_KEY", "Send your API key as the header X-API-Key.");
  const hash = hashOf(String(given));
  const key = await keys.byHash(hash);
  if (key === null || !accepts(key, hash, clock.now()))
    throw new HubError("INVALID_API_KEY", "This API key is not valid.");
  return callerOf(key);
}

/** The stored key accepts this digest now: it is the current one, or the one before in its grace time. */
function accepts(key: ApiKey, hash: string, now: Date): boolean {
  if (key.expiresAt !== null && key.expiresAt <= now) return false;
  if (sameDigest(key.hash, hash)) return true;
  return key.previous !== null && key.previous.until > now && sameDigest(key.previous.hash, hash);
}

const sameDigest = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one, "hex"), Buffer.from(other, "hex")];
  return a.length === b.length && timingSafeEqual(a, b);
};

const callerOf = (key: ApiKey): Caller => ({
  key,
  sees: (sessionId) => key.sessions === "*" || key.sessions.includes(sessionId),
});

/** @throws HubError `AUTHORIZATION_FAILED`; no scope stands for another. */
export function requireScope({ key }: Caller, scope: Scope): void {
  if (!key.scopes.includes(scope))
    throw new HubError("AUTHORIZATION_FAILED", `This API key lacks the scope "${scope}".`, {
      details: { scope },
    });
}

/** A call from this machine itself; one that came through a proxy is somebody else's. */
export function isLocal(request: IncomingMessage): boolean {
  const forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some(
    (name) => name in request.headers,
  );
  const address = request.socket.remoteAddress ?? "";
  return !forwarded && (address === "::1" || /^(::ffff:)?127\./.test(address));
}
