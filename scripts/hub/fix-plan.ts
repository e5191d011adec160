/** What helps a session in its state: decided here, done by `fix-session`. Milder means come first; what was tried is not tried again. */

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
  reason: { code: string; text: string; blame: string; advice: string } | null;
  /** How long it has been in this state. */
  forMs: number;
  /** Orders of the last half hour, as the timeline has them. */
  tried: string[];
}

/** Most of what passes by itself has passed by then, and an order would only start the wait anew. */
const PATIENCE_MS = 2 * 60_000;

interface Known {
  /** cure: by means that grow stronger. */
  act: FixAct | "cure";
  /** Where the hub gives no reason of its own. */
  why: string;
  /** Left out: the advice of the reason. */
  then?: string;
}

/** States whose remedy is always the same. */
const KNOWN: Record<string, Known> = {
  connected: {
    act: "fine",
    why: "It is connected and messages come in.",
    then: "Nothing to do.",
  },
  degraded: { act: "cure", why: "It is connected, but nothing seems to come in." },
  starting: { act: "cure", why: "It is connecting." },
  pairing: { act: "cure", why: "A phone scanned the code; the link is being finished." },
  reconnecting: { act: "cure", why: "The connection was lost and is being made again." },
  qr: {
    act: "person",
    why: "A QR code waits to be scanned.",
    then: "Scan it: WhatsApp on the phone → Linked devices → Link a device.",
  },
  pairing_code: {
    act: "person",
    why: "A pairing code waits to be typed in.",
    then: "Type it: WhatsApp on the phone → Linked devices → Link with phone number.",
  },
  stopped: {
    act: "connect",
    why: "It was stopped by order, or never connected.",
    then: "Connects it; no new scan is needed where it was linked before.",
  },
  qr_expired: {
    act: "connect",
    why: "Nobody scanned the code in time.",
    then: "Asks for a fresh QR code, which has to be scanned within minutes: have the phone at hand.",
  },
  logged_out: {
    act: "connect",
    why: "It was unlinked.",
    then: "Asks for a fresh QR code; history and settings are kept. Have the phone at hand.",
  },
  rolled_back: {
    act: "connect",
    why: "Its login comes from a backup and has been used since.",
    then: "Connects it; it goes on with new keys.",
  },
  replaced: {
    act: "connect",
    why: "Another program uses this login.",
    then: "Stop the other program first, or both throw each other out. Then this connects with the login it has.",
  },
  store_down: {
    act: "person",
    why: "The hub could not write to its disk.",
    then: "Free disk space or repair the disk (npm run hub -- doctor). It reconnects by itself.",
  },
};

/** Where a copy may help, nobody needs to scan. */
const DAMAGED_LOGIN: Known = {
  act: "connect",
  why: "Its login was damaged on the disk.",
  then:
    "A copy may bring its login back without a scan: stop the hub, then npm run hub -- restore-login NAME lists those there are. " +
    "Or this asks for a fresh QR code; history and settings are kept. Have the phone at hand.",
};

const knownOf = ({ state, reason }: Pick<FixSubject, "state" | "reason">): Known | undefined =>
  state === "logged_out" && reason?.code === "login_damaged" ? DAMAGED_LOGIN : KNOWN[state];

const WAIT = { act: "wait", then: "The hub is at it. Look again in two minutes." } as const;
const ASK_THE_TIMELINE = "Only a person can help here; the session's timeline says more.";

export function planFix({ state, reason, forMs, tried }: FixSubject): FixPlan {
  const {
    act,
    why: usual,
    then,
  }: Known = knownOf({ state, reason }) ?? {
    act: "person",
    why: `The session is ${state}.`,
  };
  const why = (state === "connected" ? null : reason)?.text ?? usual;
  if (act === "cure")
    return {
      why,
      ...(forMs < PATIENCE_MS ? WAIT : nextMeans(tried, isLoginInDoubt({ state, reason }), reason?.advice)),
    };
  return { act, why, then: then ?? (reason?.advice || ASK_THE_TIMELINE) };
}

/** A login with which WhatsApp lets the account in, or did before the network or our disk failed, is a good one. */
const isLoginInDoubt = ({ state, reason }: Pick<FixSubject, "state" | "reason">): boolean =>
  state !== "degraded" && reason?.blame !== "network" && reason?.blame !== "hub";

/** From the mildest on: a new connection, then everything but the login anew, then the login too where it may be the cause. */
function nextMeans(tried: string[], isInDoubt: boolean, advice = ASK_THE_TIMELINE): Omit<FixPlan, "why"> {
  const was = (order: string): boolean => tried.some((text) => text.startsWith(order));
  if (was("force-cleanup") && !isInDoubt)
    return {
      act: "person",
      then: `A restart and a cleanup were tried, and its login is good: a new QR code would not help. Look at the network, the disk and the phone (npm run hub -- doctor). ${advice}`,
    };
  if (was("force-cleanup"))
    return {
      act: "quarantine",
      then: "A cleanup was tried. Puts the login aside (it can be brought back for 7 days) and shows a new QR code: have the phone at hand.",
    };
  return was("restart")
    ? {
        act: "soft",
        then: "A restart was tried. Closes all the session holds in memory and connects again with the same login.",
      }
    : {
        act: "restart",
        then: "Makes a new connection with the same login. Takes seconds and loses nothing.",
      };
}
