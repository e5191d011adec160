/** How a webhook is signed and how a receiver checks it. Pure: the hub, the bridge and third parties use the same file. */
import { createHmac, randomBytes, timingSafeEqual, type BinaryLike } from "node:crypto";

/** Signatures added for receivers that expect another system's header. */
export const PRESETS = ["hub256", "waha", "frappe", "spatie"] as const;
export type Preset = (typeof PRESETS)[number];

/** Name of the `spatie` preset's header unless an endpoint names another. */
export const DEFAULT_SIGNATURE_HEADER = "Signature";

const SECRET_PREFIX = "whsec_";
const MIN_SECRET = 16;
const MAX_SECRET = 140;
const MADE_SECRET_BYTES = 32;

export const makeSecret = (): string => SECRET_PREFIX + randomBytes(MADE_SECRET_BYTES).toString("base64");

const STRICT_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Why a secret cannot be used, or null. */
export function secretProblem(secret: string): string | null {
  if (secret.length < MIN_SECRET || secret.length > MAX_SECRET)
    return `use ${MIN_SECRET} to ${MAX_SECRET} characters`;
  // Decoders differ on what is no base64: two sides would then sign with different keys.
  if (secret.startsWith(SECRET_PREFIX) && !STRICT_BASE64.test(secret.slice(SECRET_PREFIX.length)))
    return `after ${SECRET_PREFIX}, use padded base64`;
  return null;
}

/** Key of `webhook-signature`: what `whsec_` announces as base64, else the secret's own bytes. */
const standardKey = (secret: string): Buffer =>
  secret.startsWith(SECRET_PREFIX)
    ? Buffer.from(secret.slice(SECRET_PREFIX.length), "base64")
    : Buffer.from(secret, "utf8");

const hmac = (hash: "sha256" | "sha512", key: BinaryLike, ...parts: BinaryLike[]) => {
  const mac = createHmac(hash, key);
  for (const part of parts) mac.update(part);
  return mac;
};

const FINGERPRINT_DIGITS = 16;

/** Tells one secret of an endpoint from another without revealing it. Bound to the endpoint: equal secrets of two do not show. */
export const secretFingerprint = (endpointId: string, secret: string): string =>
  hmac("sha256", secret, `fingerprint of the secret of ${endpointId}`)
    .digest("hex")
    .slice(0, FINGERPRINT_DIGITS);

export interface Signable {
  id: string;
  /** Unix seconds of this attempt. */
  timestamp: number;
  /** The bytes as they are sent. */
  body: string | Uint8Array;
}

/** `webhook-signature`: one entry per secret, the newest first. */
export const sign = (secrets: string[], { id, timestamp, body }: Signable): string =>
  secrets
    .map(
      (secret) => `v1,${hmac("sha256", standardKey(secret), `${id}.${timestamp}.`, body).digest("base64")}`,
    )
    .join(" ");

/** Value of `X-Webhook-Signature`: over the body alone, keyed with the secret as it is displayed. */
export const signBody = (secret: string, body: string | Uint8Array): string =>
  `sha256=${hmac("sha256", secret, body).digest("hex")}`;

/** The headers that a preset adds. `requestId` is new for every attempt. */
export function presetHeaders(
  preset: Preset,
  {
    secret,
    body,
    requestId,
    signatureHeaderName,
  }: { secret: string; body: string | Uint8Array; requestId: string; signatureHeaderName: string | null },
): Record<string, string> {
  switch (preset) {
    case "hub256":
      return { "X-Hub-Signature-256": signBody(secret, body) };
    case "waha":
      return {
        "X-Webhook-Hmac": hmac("sha512", secret, body).digest("hex"),
        "X-Webhook-Hmac-Algorithm": "sha512",
        "X-Webhook-Request-Id": requestId,
      };
    case "frappe":
      return { "X-Frappe-Webhook-Signature": hmac("sha256", secret, body).digest("base64") };
    case "spatie":
      return {
        [signatureHeaderName ?? DEFAULT_SIGNATURE_HEADER]: hmac("sha256", secret, body).digest("hex"),
      };
  }
}

export type Verification =
  | { ok: true; id: string; timestamp: number }
  | { ok: false; reason: "missing" | "malformed" | "expired" | "mismatch"; skewSeconds: number | null };

const TOLERANCE_SECONDS = 300;
const MAX_HEADER = 4096;
const MAX_SIGNATURES = 8;

/**
 * Checks the three `webhook-*` headers against the raw bytes, before anything parses them. `headers` are looked up in
 * lower case; `secrets` are those a receiver accepts now (two during a rotation).
 */
export function verify({
  headers,
  body,
  secrets,
  now,
  toleranceSeconds = TOLERANCE_SECONDS,
}: {
  headers: Record<string, string | string[] | undefined>;
  body: string | Uint8Array;
  secrets: string[];
  now: Date;
  toleranceSeconds?: number;
}): Verification {
  const read = readHeaders(headers);
  if (typeof read === "string") return { ok: false, reason: read, skewSeconds: null };
  const { id, timestamp, entries } = read;
  const skewSeconds = Math.round(now.getTime() / 1000 - timestamp);
  if (Math.abs(skewSeconds) > toleranceSeconds) return { ok: false, reason: "expired", skewSeconds };

  const expected = secrets.map((secret) => Buffer.from(sign([secret], { id, timestamp, body })));
  // Every pair is compared, so that the time taken does not tell which one matched.
  const matches = entries.flatMap((entry) => expected.map((one) => sameBytes(Buffer.from(entry), one)));
  return matches.includes(true)
    ? { ok: true, id, timestamp }
    : { ok: false, reason: "mismatch", skewSeconds: null };
}

function readHeaders(
  headers: Record<string, string | string[] | undefined>,
): { id: string; timestamp: number; entries: string[] } | "missing" | "malformed" {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(
    (name) => headers[name],
  );
  if (id === undefined || timestamp === undefined || signatures === undefined) return "missing";
  // A header sent twice arrives as a list, or joined by a comma: neither has one meaning.
  if (typeof id !== "string" || typeof timestamp !== "string" || typeof signatures !== "string")
    return "malformed";
  if (id === "" || !/^\d{10}$/.test(timestamp) || signatures.length > MAX_HEADER) return "malformed";
  const entries = signatures.split(" ").filter((entry) => entry.startsWith("v1,"));
  if (entries.length === 0 || entries.length > MAX_SIGNATURES) return "malformed";
  return { id, timestamp: Number(timestamp), entries };
}

const sameBytes = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);
