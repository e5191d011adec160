/** Why a session is not connected, where the cause is ours or an order's. WhatsApp's own causes come with its codes. */
import type { SessionReason } from "../core/session.ts";
import type { LoginDamaged } from "../core/whatsapp.ts";
import type { CloseVerdict } from "./after-close.ts";

export type Cause = Omit<SessionReason, "at">;

export const REASONS = {
  stopped: {
    code: "stopped",
    text: "Disconnected by order.",
    blame: "user",
    advice: "Press Connect; no new QR code is needed.",
  },
  loggedOut: {
    code: "logout",
    text: "Logged out by order; the phone no longer lists this device.",
    blame: "user",
    advice: "Connect and scan a fresh QR code to link a number again.",
  },
  loggedOutUntold: {
    code: "logout",
    text: "Logged out by order; WhatsApp could not be told in time.",
    blame: "user",
    advice: "Remove the device on the phone under Linked devices; connect to link a number again.",
  },
  restarted: {
    code: "restarted",
    text: "A new connection was ordered.",
    blame: "user",
    advice: "Wait a moment.",
  },
  hubStarted: {
    code: "hub_started",
    text: "The hub was started again and is reconnecting.",
    blame: "hub",
    advice: "Wait a moment.",
  },
  codeLost: {
    code: "hub_started",
    text: "The hub was started again before the QR code was scanned.",
    blame: "hub",
    advice: "Ask for a new code when the phone is at hand.",
  },
  cleaned: {
    code: "cleaned",
    text: "Cleaned by order; the login is out of use.",
    blame: "user",
    advice: "Scan the new QR code, or undo the cleanup to go on with the login from before.",
  },
  rolledBack: {
    code: "rolled_back",
    text: "A backup was restored; this login has been used since the backup was made.",
    blame: "hub",
    advice: "Press Connect: the session goes on with new keys. A few messages may arrive a little later.",
  },
  loginPutBack: {
    code: "login_put_back",
    text: "The login was put back from a copy; nothing was used since the copy was made.",
    blame: "user",
    advice: "Press Connect; no new QR code is needed.",
  },
  loginGone: {
    code: "login_gone",
    text: "There is no login to connect with any more.",
    blame: "hub",
    advice: "Undo the last cleanup, or connect and scan a fresh QR code.",
  },
  storeFailed: {
    code: "store_failed",
    text: "The hub could not write to its disk. WhatsApp keeps the messages meanwhile.",
    blame: "hub",
    advice: "Free disk space or repair the disk; the session reconnects by itself.",
  },
} as const satisfies Record<string, Cause>;

/** The same, with who ordered it. */
export const ordered = (cause: Cause, by: string | undefined): Cause =>
  by === undefined ? cause : { ...cause, by };

export const numberInUse = (holder: { sessionName: string; sessionId: string }): Cause => ({
  code: "number_in_use",
  text: `The scanned number is already linked in session "${holder.sessionName}" (${holder.sessionId}).`,
  blame: "user",
  advice: "Use that session, or log it out before linking the number here.",
});

/** The stored login is no use; it was put into quarantine, this session's alone. */
export const loginDamaged = (damage: LoginDamaged["damage"]): Cause => ({
  code: "login_damaged",
  text: DAMAGES[damage],
  blame: "hub",
  advice: "Restore a backup, or connect and scan a fresh QR code. Messages and settings are kept.",
});

const DAMAGES: Record<LoginDamaged["damage"], string> = {
  unreadable: "The stored login cannot be read; it was put into quarantine.",
  missing: "The stored login is gone.",
  superseded: "The restored login was replaced since the backup was made; it was put into quarantine.",
};

/** One key of a login is no use; a line of the timeline, as the session goes on. */
export const keyUnreadable = (kind: string) => ({
  type: "key_unreadable",
  text: `A stored key (${kind}) cannot be read and is made anew; a message may arrive a little later.`,
  reason: null,
});

/** Losses that WhatsApp gave no code for. */
export const NO_ANSWER: Cause & CloseVerdict = {
  code: "no_answer",
  outcome: "retry",
  text: "WhatsApp did not answer in time.",
  blame: "network",
  advice: "Check the internet connection, proxy and firewall.",
};

export const NOT_STARTED: Cause & CloseVerdict = {
  code: "not_started",
  outcome: "retry",
  text: "The connection could not be started.",
  blame: "hub",
  advice: "Look into the hub's log for the cause.",
};

export const RESTART_ASKED: Cause & CloseVerdict = {
  code: "515",
  outcome: "retry",
  text: "WhatsApp asked for a new connection.",
  blame: "whatsapp",
  advice: "Wait a moment.",
};

export const RESTART_AGAIN: Cause & CloseVerdict = {
  ...RESTART_ASKED,
  text: "WhatsApp asks for a new connection again and again.",
};
