/** Who is calling, and what the caller may do and see. */
import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { defaultKeySettings, type ApiKey, type Credential, type Scope } from "../core/api-key.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { KeyStore } from "../core/store.ts";
import type { User } from "../core/user.ts";
import { hashOf } from "./api-keys.ts";
import type { Origins } from "./origins.ts";
import type { SignIn } from "./sign-in.ts";

/** The one who asks, by the credential that proved it. */
export interface Caller {
  /** The key, or what stands in its place for a person. */
  key: Credential;
  /** The person, who came with an access token; null for a key. */
  person: { user: User; signInId: string } | null;
  /** Whether anything of this session exists for the caller. */
  sees(sessionId: string): boolean;
}

/** Names under which people put a key into a URL, where proxies and browsers write it down. */
const KEY_PARAMETERS = new Set(["apikey", "xapikey", "key", "accesstoken", "refreshtoken", "token"]);

const isKeyInQuery = (name: string, value: string): boolean =>
  KEY_PARAMETERS.has(name.toLowerCase().replace(/[-_]/g, "")) || /^ih[kr]_/.test(value);

/**
 * Looks the key or the user up on every request, so that a revoked one stops at once. A key decides alone: a token beside it
 * is not looked at. `wants`: what is asked for where there is neither.
 * @throws HubError `MISSING_API_KEY`, `INVALID_API_KEY`, `MISSING_TOKEN`, `INVALID_TOKEN`
 */
export async function authenticate(
  request: IncomingMessage,
  query: URLSearchParams,
  {
    keys,
    signIn,
    clock,
    origins,
    wants = "key",
  }: {
    keys: KeyStore;
    signIn: Pick<SignIn, "identify">;
    clock: Clock;
    origins: Pick<Origins, "isFrom">;
    wants?: "key" | "token";
  },
): Promise<Caller> {
  if ([...query].some(([name, value]) => isKeyInQuery(name, value)))
    throw new HubError(
      "INVALID_API_KEY",
      "A key in the URL is not accepted; send it as the header X-API-Key.",
    );
  const given = request.headers["x-api-key"];
  if (given !== undefined && given !== "")
    return callerByKey(String(given), request, { keys, clock, origins });
  const token = bearerOf(request);
  if (token !== null) return callerOfUser(await signIn.identify(token));
  if (wants === "token") throw missingToken();
  throw new HubError("MISSING_API_KEY", "Send your API key as the header X-API-Key.");
}

async function callerByKey(
  given: string,
  request: IncomingMessage,
  { keys, clock, origins }: { keys: KeyStore; clock: Clock; origins: Pick<Origins, "isFrom"> },
): Promise<Caller> {
  const hash = hashOf(given);
  const key = await keys.byHash(hash);
  const mayComeFrom = ({ allowedCidrs }: ApiKey): boolean =>
    allowedCidrs.length === 0 || origins.isFrom(request, allowedCidrs);
  if (key === null || !accepts(key, hash, clock.now()) || !mayComeFrom(key))
    throw new HubError("INVALID_API_KEY", "This API key is not valid.");
  return { key, person: null, sees: seesOf(key) };
}

/** The token of the request; null when it announces none. @throws HubError `MISSING_TOKEN` */
export function bearerOf({ headers: { authorization } }: IncomingMessage): string | null {
  // Other schemes are other systems', which send their own everywhere.
  if (authorization === undefined || !/^bearer\b/i.test(authorization)) return null;
  const token = authorization.slice("bearer".length).trim();
  if (token === "") throw missingToken();
  return token;
}

export const missingToken = (): HubError =>
  new HubError("MISSING_TOKEN", "Log in, and send the access token as the header Authorization: Bearer …");

/** What a person may do and see, as if it were a key's. */
export function callerOfUser(person: { user: User; signInId: string }): Caller {
  const { id, identifier, scopes, sessions } = person.user;
  const key: Credential = {
    ...{ id, name: identifier, scopes, sessions },
    ...{ allowedCidrs: [], client: id, settings: defaultKeySettings },
  };
  return { key, person, sees: seesOf(key) };
}

/** Who ordered something, as everybody is told it: what a person types to log in may be a number or a mail address. */
export const authorOf = ({ key, person }: Pick<Caller, "key" | "person">): string =>
  person === null ? key.name : key.id;

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

const seesOf =
  ({ sessions }: Credential) =>
  (sessionId: string): boolean =>
    sessions === "*" || sessions.includes(sessionId);

/** @throws HubError `AUTHORIZATION_FAILED`; no scope stands for another */
export function requireScope({ key, person }: Caller, scope: Scope): void {
  if (key.scopes.includes(scope)) return;
  const who = person === null ? "This API key" : "This user";
  throw new HubError("AUTHORIZATION_FAILED", `${who} lacks the scope "${scope}".`, { details: { scope } });
}
