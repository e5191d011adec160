/** What helps a session in this state: decided here, done by `fix-session`. Milder means come first; what was tried is not tried again. */

/** fine, wait and person: there is nothing to order. */
export type FixAct = "fine" | "wait" | "person" | "connect" | "restart" | "soft" | "quarantine";

export interface FixPlan {
  act: FixAct;
  /** What is the matter. */
  why: string;
  /** What will be done, or what a person has to do. */
  then: string;
}

export interface FixSubject {
  state: string;
  reason: { code: string; text: string; advice: string } | null;
  /** How long it has been in this state. */
  forMs: number;
  /** Orders of the last half hour, as the timeline has them. */
  tried: string[];
}

const PATIENCE_MS = 2 * 60_000;

export function planFix({ state, reason, forMs, tried }: FixSubject): FixPlan {
  const why = reason?.text ?? WORDS[state] ?? `The session is ${state}.`;
  const advice = reason?.advice ?? "";
  switch (state) {
    case "connected":
      return { act: "fine", why: "It is connected and messages come in.", then: "Nothing to do." };
    case "restricted":
      return { act: "person", why, then: advice || "Answers still go out. Wait until WhatsApp lifts it, and send less to people who never wrote." };
    case "degraded":
    case "starting":
    case "pairing":
    case "reconnecting":
      // Most of these pass by themselves, and an order only starts the wait anew.
      return forMs < PATIENCE_MS
        ? { act: "wait", why, then: "The hub is at it. Look again in two minutes." }
        : nextMeans(why, tried);
    case "qr":
    case "pairing_code":
      return { act: "person", why, then: "Scan the code: WhatsApp on the phone → Linked devices → Link a device." };
    case "stopped":
    case "qr_expired":
    case "logged_out":
    case "rolled_back":
      return { act: "connect", why, then: CONNECTING[state] };
    case "replaced":
      return { act: "connect", why, then: "Stop the other program first, or both throw each other out. Then this connects again with the login it has." };
    case "store_down":
      return { act: "person", why, then: "Free disk space or repair the disk (npm run hub -- doctor says which). It reconnects by itself." };
    default:
      return { act: "person", why, then: advice || "Only a person can help here; see the session's timeline." };
  }
}

const WORDS: Record<string, string> = {
  degraded: "It is connected, but nothing seems to come in.",
  restricted: "WhatsApp forbids it to write to new people for now.",
  starting: "It is connecting.",
  pairing: "A phone scanned the code; the link is being finished.",
  reconnecting: "The connection was lost and is being made again.",
  qr: "A QR code waits to be scanned.",
  pairing_code: "A pairing code waits to be typed into the phone.",
  stopped: "It was stopped by order.",
};

const CONNECTING = {
  stopped: "Connects it again; no new scan is needed.",
  qr_expired: "Asks for a fresh QR code, which has to be scanned within a few minutes: have the phone at hand.",
  logged_out: "Asks for a fresh QR code; history and settings are kept. Have the phone at hand.",
  rolled_back: "Connects it; it goes on with new keys.",
};

/** From the mildest on: a new connection, then everything but the login anew, then the login too. */
function nextMeans(why: string, tried: string[]): FixPlan {
  if (!tried.some((order) => order.startsWith("restart") || order.startsWith("force-cleanup")))
    return { act: "restart", why, then: "Makes a new connection with the same login. Takes seconds and loses nothing." };
  if (!tried.some((order) => order.startsWith("force-cleanup")))
    return { act: "soft", why, then: "A restart was tried. Closes everything the session holds in memory and connects again with the same login." };
  return {
    act: "quarantine",
    why,
    then: "Restart and soft cleanup were tried. Puts the login aside (it can be brought back for 7 days) and shows a new QR code: have the phone at hand.",
  };
}
