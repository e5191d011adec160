/** Who is calling: `Authorization: token key:secret` as Frappe has it, or `X-API-Key: key:secret`. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";
import { BridgeError } from "../errors.ts";
import type { MethodKey } from "./method-keys.ts";

export interface Caller {
  /** The key's name: what is noted when someone orders something. */
  name: string;
  role: MethodKey["role"];
}

export interface Auth {
  /** @throws BridgeError `UNAUTHENTICATED`, `RATE_LIMITED` */
  callerOf(request: IncomingMessage): Caller;
}

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();

export function createAuth({ keys, clock }: { keys: MethodKey[]; clock: Clock }): Auth {
  const known = keys.map(({ key, secret, role }) => ({
    caller: { name: key, role },
    digest: digestOf(`${key}:${secret}`),
  }));
  const wrong = createWrongTries(clock);
  return {
    callerOf: (request) => {
      const given = credentialOf(request);
      if (given === null)
        throw new BridgeError(
          "UNAUTHENTICATED",
          "Send your key as Authorization: token <key>:<secret>, or as X-API-Key: <key>:<secret>.",
        );
      // By name as well as by address: one caller with a stale key must not lock out the others behind the same proxy.
      const source = `${request.socket.remoteAddress ?? ""} ${given.split(":", 1)[0]?.slice(0, 64) ?? ""}`;
      wrong.refuseBeyondLimit(source);
      const digest = digestOf(given);
      // All are compared, so that the time taken does not tell which one was nearly right.
      const found = known.filter((one) => timingSafeEqual(one.digest, digest));
      const [match] = found;
      if (match !== undefined) return match.caller;
      wrong.note(source);
      throw new BridgeError("UNAUTHENTICATED", "This key is not valid.");
    },
  };
}

/** `key:secret` from whichever header carries it; `X-API-Key` decides alone. */
function credentialOf({ headers }: IncomingMessage): string | null {
  const apiKey = headers["x-api-key"];
  if (typeof apiKey === "string" && apiKey !== "") return apiKey;
  const [scheme = "", ...rest] = (headers.authorization ?? "").trim().split(/\s+/);
  const value = rest.join(" ");
  if (value === "") return null;
  switch (scheme.toLowerCase()) {
    case "token":
      return value;
    case "basic":
      return Buffer.from(value, "base64").toString("utf8");
    default:
      return null;
  }
}

const MAX_WRONG_PER_MINUTE = 10;
const MINUTE_MS = 60_000;
/** Beyond this many sources the oldest is forgotten: what strangers send must not fill the memory. */
const MAX_SOURCES = 10_000;

function createWrongTries(clock: Clock) {
  const elapsed = createElapsed(clock);
  const tries = new Map<string, { since: number; count: number }>();
  const current = (source: string) => {
    const found = tries.get(source);
    if (found !== undefined && elapsed() - found.since < MINUTE_MS) return found;
    tries.delete(source);
    return null;
  };
  return {
    refuseBeyondLimit: (source: string): void => {
      if ((current(source)?.count ?? 0) >= MAX_WRONG_PER_MINUTE)
        throw new BridgeError("RATE_LIMITED", "Too many wrong keys; wait a minute.");
    },
    note: (source: string): void => {
      const found = current(source);
      if (found !== null) found.count += 1;
      else tries.set(source, { since: elapsed(), count: 1 });
      const [oldest] = tries.keys();
      if (tries.size > MAX_SOURCES && oldest !== undefined) tries.delete(oldest);
    },
  };
}

/** @throws BridgeError `FORBIDDEN` */
export function requireRole({ role }: Caller, needed: MethodKey["role"]): void {
  if (needed === "admin" && role !== "admin")
    throw new BridgeError("FORBIDDEN", "This key may only read; use one with the role admin.");
}

/** A call from this machine itself; one that came through a proxy is somebody else's. */
export function isLocal({ headers, socket }: IncomingMessage): boolean {
  const isForwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some((name) => name in headers);
  const address = socket.remoteAddress ?? "";
  return !isForwarded && (address === "::1" || /^(::ffff:)?127\./.test(address));
}
