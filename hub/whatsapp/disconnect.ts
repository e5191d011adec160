/** Table: what the number of a closed connection means for a session. Codes of Baileys' DisconnectReason, and three of ours. */
import type { ClosedOutcome } from "../core/session-state.ts";
import type { SessionReason } from "../core/session.ts";

/** Ends that WhatsApp gives no number for. */
export const OWN_CODE = {
  /** Open, and nothing comes over it any more: the same as when the library notices it. */
  connectionLost: 408,
  /** The WebSocket was refused by somebody on the way; the HTTP status is in the signal's detail. */
  upgradeRefused: 502,
  /** Neither open nor showing a QR code in time. */
  noAnswer: 504,
  /** WhatsApp asks for a passkey that only the phone has. */
  passkeyRequired: 1001,
} as const;

export interface ClosedReason {
  outcome: ClosedOutcome;
  text: string;
  blame: SessionReason["blame"];
  advice: string;
  /** The first wait, where one second would only annoy. */
  firstDelayMs?: number;
}

const TEMPORARY_BAN = 402;
const NOTHING_TO_DO = "Nothing to do: the hub connects again by itself.";
const SERVER_WAIT_MS = 5000;

const TABLE: Record<number, ClosedReason> = {
  401: {
    outcome: "logged_out",
    text: "The device was removed on the phone or by WhatsApp.",
    blame: "user",
    advice: "Link the number again; history and settings are kept.",
  },
  [TEMPORARY_BAN]: {
    outcome: "banned",
    text: "WhatsApp has banned this number for a while; until when is unknown.",
    blame: "whatsapp",
    advice: "Wait until the time that WhatsApp shows on the phone; do not link again before.",
  },
  403: {
    outcome: "banned",
    text: "WhatsApp has locked this account.",
    blame: "whatsapp",
    advice: "Open WhatsApp on the phone and follow its notice.",
  },
  405: {
    outcome: "outdated",
    text: "WhatsApp wants a newer client.",
    blame: "hub",
    advice: "Update Inbox Hub.",
  },
  406: {
    outcome: "banned",
    text: "WhatsApp has banned this number.",
    blame: "whatsapp",
    advice: "Appeal in the WhatsApp app on the phone.",
  },
  408: { outcome: "retry", text: "The connection was lost.", blame: "network", advice: NOTHING_TO_DO },
  411: {
    outcome: "outdated",
    text: "WhatsApp on the phone does not support linked devices of this kind.",
    blame: "user",
    advice: "Update WhatsApp on the phone, then link again.",
  },
  428: { outcome: "retry", text: "The connection was closed.", blame: "network", advice: NOTHING_TO_DO },
  440: {
    outcome: "replaced",
    text: "Another program uses this login.",
    blame: "other_instance",
    advice: "Stop the other program, then connect again.",
  },
  500: {
    outcome: "retry",
    text: "WhatsApp ended the connection with an error it does not explain.",
    blame: "whatsapp",
    advice: NOTHING_TO_DO,
  },
  503: {
    outcome: "retry",
    text: "WhatsApp's service is not available.",
    blame: "whatsapp",
    advice: NOTHING_TO_DO,
    firstDelayMs: SERVER_WAIT_MS,
  },
  515: {
    outcome: "retry",
    text: "WhatsApp asked for a new connection that finishes the link.",
    blame: "whatsapp",
    advice: "Finishing the link…",
  },
  [OWN_CODE.upgradeRefused]: {
    outcome: "retry",
    text: "The way to WhatsApp refused the connection.",
    blame: "network",
    advice: "Check proxy and firewall.",
    firstDelayMs: SERVER_WAIT_MS,
  },
  [OWN_CODE.noAnswer]: {
    outcome: "retry",
    text: "WhatsApp did not answer in time.",
    blame: "network",
    advice: "Check that this machine reaches web.whatsapp.com.",
  },
  [OWN_CODE.passkeyRequired]: {
    outcome: "passkey_required",
    text: "WhatsApp asks for a passkey, which only the phone has.",
    blame: "whatsapp",
    advice: "Confirm the passkey on the phone, or link with a pairing code.",
  },
};

/** WhatsApp says "too old" with two numbers. */
const ALIASES: Record<number, number> = { 409: 405 };

const UNPAIRED: Record<number, ClosedReason> = {
  401: {
    outcome: "qr_expired",
    text: "WhatsApp refused or gave up this pairing.",
    blame: "user",
    advice: "Scan a fresh code.",
  },
  408: {
    outcome: "qr_expired",
    text: "Nobody scanned the code in time.",
    blame: "user",
    advice: "Ask for a new code when the phone is at hand.",
  },
};

const UNKNOWN: ClosedReason = {
  outcome: "retry",
  text: "The connection ended with a number that is not in the hub's table.",
  blame: "whatsapp",
  advice: "If it does not connect again by itself, send us the session's timeline.",
};

/** `paired`: whether the credentials had an account when the connection ended; `until`: the end that WhatsApp named. */
export const reasonOf = (code: number, paired: boolean, until: Date | null = null): ClosedReason => {
  const known = ALIASES[code] ?? code;
  const reason = (paired ? undefined : UNPAIRED[known]) ?? TABLE[known] ?? UNKNOWN;
  return code === TEMPORARY_BAN && until !== null ? { ...reason, text: bannedUntil(until) } : reason;
};

const bannedUntil = (until: Date): string =>
  `WhatsApp has banned this number until ${until.toISOString().slice(0, 16).replace("T", " ")} (UTC).`;

/** WhatsApp's number of an end, dug out of the error Baileys gives (a Boom, perhaps wrapped). */
export function codeOf(error: unknown): number {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const status = statusOf(at);
    if (status !== null) return status;
  }
  return 500;
}

/** When WhatsApp says that a temporary ban ends; null where it does not say. It tells the seconds that are left. */
export function endOf(error: unknown, now: Date): Date | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const seconds = Number(expireIn(at));
    if (seconds > 0 && seconds <= LONGEST_BAN_SECONDS) return new Date(now.getTime() + seconds * 1000);
  }
  return null;
}

const LONGEST_BAN_SECONDS = 10 * 365 * 86_400;

function expireIn(error: Error): unknown {
  if (!("data" in error)) return null;
  const { data } = error;
  return typeof data === "object" && data !== null && "expire" in data ? data.expire : null;
}

export function statusOf(error: Error): number | null {
  if (!("output" in error)) return null;
  const { output } = error;
  if (typeof output !== "object" || output === null || !("statusCode" in output)) return null;
  return typeof output.statusCode === "number" ? output.statusCode : null;
}
