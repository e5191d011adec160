/** Whether a request is the hub's: by the signed headers, or, where a setting allows it, by the older header alone. */
import { timingSafeEqual } from "node:crypto";
import { signBody, verify } from "../../hub/contract/index.ts";

/** Names in lower case. */
export type Headers = Record<string, string | string[] | undefined>;

export interface Signed {
  headers: Headers;
  body: Uint8Array;
  /** Those accepted now; without any, everything is refused. */
  secrets: string[];
  /** The older header has no time under its signature: a recorded request could be sent again. */
  acceptLegacy: boolean;
  now: Date;
}

const REFUSED = "Invalid signature";
const STANDARD = ["webhook-id", "webhook-timestamp", "webhook-signature"];
const LEGACY = ["x-webhook-signature", "x-signature"];

export interface SignatureProblem {
  /** It begins with words by which the hub knows what is wrong. */
  text: string;
  /** Signed as a hub signs, and now, but with none of the secrets. */
  isForeign: boolean;
}

/** Why it is refused, or null. */
export function signatureProblem(signed: Signed): SignatureProblem | null {
  const { headers, body, secrets, acceptLegacy, now } = signed;
  const verified = verify({ headers, body, secrets, now });
  if (verified.ok) return null;
  if (acceptLegacy && STANDARD.every((name) => headers[name] === undefined))
    return hasLegacySignature(signed) ? null : { text: REFUSED, isForeign: false };
  const text = verified.reason === "expired" ? `${REFUSED}: ${skewText(verified.skewSeconds ?? 0)}` : REFUSED;
  return { text, isForeign: verified.reason === "mismatch" };
}

const skewText = (skewSeconds: number): string =>
  `its timestamp is ${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? "behind" : "ahead of"} this clock, 300 s are allowed; check the clocks of both machines`;

function hasLegacySignature({
  headers,
  body,
  secrets,
}: Pick<Signed, "headers" | "body" | "secrets">): boolean {
  const given = LEGACY.map((name) => headers[name]).find((value) => value !== undefined);
  const hex = typeof given === "string" ? /^(?:sha256=)?([0-9a-f]{64})$/.exec(given)?.[1] : undefined;
  if (hex === undefined) return false;
  const offered = Buffer.from(`sha256=${hex}`);
  // All are compared, so that the time taken does not tell which one matched.
  const matches = secrets.map((secret) => timingSafeEqual(offered, Buffer.from(signBody(secret, body))));
  return matches.includes(true);
}
