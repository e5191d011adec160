/** The states of a session, who enters and leaves them, and the one table that moves between them. */

/**
 * stopped          by order (`disconnect`), or never connected yet; not restored at start. Left by `start`.
 * starting         a first socket is being made; a crash restores it at start.
 * qr               a QR code is waiting to be scanned; left by a scan, an order, or when the codes are used up.
 * pairing_code     as `qr`, after somebody asked for a pairing code; the QR code stays valid beside it.
 * pairing          scanned; WhatsApp asked for a new connection (515) that finishes the link. Not a failure.
 * connected        the socket is open and WhatsApp accepted the login.
 * degraded         open, but without proof that anything comes in; being cured. Left when something is heard.
 * restricted       open, but WhatsApp forbids new chats for now. No matter of the connection: shown in place of connected.
 * reconnecting     lost for longer than the grace period, or waiting for the next try; credentials kept.
 * logged_out       unlinked on the phone or by order; credentials retired. Left by `start` with a fresh QR code.
 * qr_expired       nobody scanned in time. Left by `start`.
 * replaced         another program uses the same login. Left by `start` only, never by itself.
 * banned           WhatsApp refuses the account. Left by `start`.
 * outdated         WhatsApp wants a newer client. Left by `start`.
 * passkey_required WhatsApp asks for a passkey that only the phone has. Left by `start`.
 * number_in_use    the scanned number belongs to another session of this hub. Left by `start`.
 * rolled_back      the login is a copy that is older than what was used since (a backup was restored). Left by `start`, which
 *                  goes on with new keys.
 * store_down       our disk failed: the socket was cut unacknowledged; connects again when a write succeeds.
 */
export type SessionState =
  | "stopped"
  | "starting"
  | "qr"
  | "pairing_code"
  | "pairing"
  | "connected"
  | "degraded"
  | "restricted"
  | "reconnecting"
  | "logged_out"
  | "qr_expired"
  | "replaced"
  | "banned"
  | "outdated"
  | "passkey_required"
  | "number_in_use"
  | "rolled_back"
  | "store_down";

/** Outcomes of a closed connection, as `whatsapp/disconnect.ts` classes WhatsApp's numbers. */
export type ClosedOutcome =
  "retry" | "logged_out" | "qr_expired" | "replaced" | "banned" | "outdated" | "passkey_required";

export type SessionChange =
  | { type: "start" }
  | { type: "stop" }
  /** By order, from any state: the credentials are out of use. */
  | { type: "logout" }
  | { type: "qr" }
  | { type: "pairing_code" }
  | { type: "scanned" }
  | { type: "opened" }
  /** Open, and nothing seems to come in. */
  | { type: "deaf" }
  /** Something came in after all. */
  | { type: "heard" }
  | { type: "closed"; outcome: ClosedOutcome }
  | { type: "number_taken" }
  /** The stored login is an older copy. */
  | { type: "rolled_back" }
  | { type: "store_failed" };

const OPEN_STATES: SessionState[] = ["connected", "degraded", "restricted"];
export const isOpen = (state: SessionState): boolean => OPEN_STATES.includes(state);

/** States a hub brings back by itself when it starts. */
const RESTORED: SessionState[] = [...OPEN_STATES, "starting", "pairing", "reconnecting", "store_down"];
export const isRestoredAtStart = (state: SessionState): boolean => RESTORED.includes(state);

/** A socket exists or the next try is waited for: `connect` begins nothing new, but ends the wait. */
const ACTIVE: SessionState[] = [...RESTORED, "qr", "pairing_code"];
export const isActive = (state: SessionState): boolean => ACTIVE.includes(state);

/** The state after a change; the same state when the change means nothing there. */
export function nextSessionState(state: SessionState, change: SessionChange): SessionState {
  if (change.type === "start") return isActive(state) && state !== "store_down" ? state : "starting";
  if (change.type === "stop") return state === "logged_out" ? state : "stopped";
  if (change.type === "logout") return "logged_out";
  return isActive(state) ? nextActiveState(state, change) : state;
}

/** What WhatsApp does and what becomes of the store only matter to a session that is on its way or there. */
function nextActiveState(
  state: SessionState,
  change: Exclude<SessionChange, { type: "start" | "stop" | "logout" }>,
): SessionState {
  switch (change.type) {
    case "qr":
      return state === "pairing_code" ? state : "qr";
    case "pairing_code":
      return "pairing_code";
    case "scanned":
      return "pairing";
    case "opened":
    case "deaf":
    case "heard":
      return afterHearing(state, change.type);
    case "closed":
      return change.outcome === "retry" ? afterLoss(state) : change.outcome;
    case "number_taken":
      return "number_in_use";
    case "rolled_back":
      return "rolled_back";
    case "store_failed":
      return "store_down";
  }
}

/** A new connection proves nothing yet about what comes in: what was degraded stays so until something is heard. */
function afterHearing(state: SessionState, what: "opened" | "deaf" | "heard"): SessionState {
  if (what === "opened") return state === "degraded" ? state : "connected";
  const [from, to] =
    what === "deaf" ? (["connected", "degraded"] as const) : (["degraded", "connected"] as const);
  return state === from ? to : state;
}

/** A pairing that breaks stays a pairing; a store that is down keeps the session down; all else reconnects. */
function afterLoss(state: SessionState): SessionState {
  if (state === "pairing" || state === "starting" || state === "store_down") return state;
  return state === "qr" || state === "pairing_code" ? "starting" : "reconnecting";
}
