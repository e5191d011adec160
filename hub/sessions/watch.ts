/**
 * Decision: whether an open connection still works, and what to do next when it does not. Pure: one look is given what was
 * seen, and answers what to do.
 *
 * Four probes: frames of any kind; a ping of the server; whether what came in is stored; and, when nothing came in for
 * much longer than usual, a question to the own phone, whose answer takes the way that messages take. Two failures in a row
 * make trouble, which is cured step by step until something is heard. A phone that is switched off answers as little as a deaf
 * connection: where the server answers, the phone is asked later, and its silence alone counts from the third time on.
 */

export interface WatchTiming {
  lookMs: number;
  /** A look that comes so much too late says that the process was away, not WhatsApp. */
  lateMs: number;
  /** No frame for so long: the connection is dead. */
  frameMs: number;
  pingMs: number;
  pingTimeoutMs: number;
  storedMs: number;
  stuckMs: number;
  /** Bounds of the silence that is usual. */
  quietMinMs: number;
  quietMaxMs: number;
  askMs: number;
  answerMs: number;
  /** How long each step of a cure is given. */
  stepMs: number;
}

export const WATCH_TIMING: WatchTiming = {
  lookMs: 5_000,
  lateMs: 2_000,
  frameMs: 45_000,
  pingMs: 60_000,
  pingTimeoutMs: 10_000,
  storedMs: 10_000,
  stuckMs: 60_000,
  quietMinMs: 600_000,
  quietMaxMs: 6 * 3_600_000,
  askMs: 60_000,
  answerMs: 30_000,
  stepMs: 60_000,
};

/** Whose silence it is: WhatsApp's server, our own way from the socket to the store, or all that should come in. */
export type Trouble = "server" | "pipeline" | "inbound";

/** In the order of a cure; each is given its time. */
export const STEPS = ["stir", "new_socket", "second_socket", "restart", "give_up"] as const;
export type Step = (typeof STEPS)[number];

/** Times are Unix milliseconds. */
export interface Seen {
  now: number;
  lastFrameAt: number;
  lastInboundAt: number | null;
  /** When the oldest thing came that could be stored and is not. */
  unstoredSince: number | null;
  holdingSince: number | null;
  isImporting: boolean;
  /** So long a silence is usual at this hour. */
  usualMs: number;
  /** There is a message to ask the phone for. */
  canAsk: boolean;
  /** The process may be started again. */
  mayRestart: boolean;
}

export interface Watch {
  /** Nothing before this moment counts as silence: the connection opened, or the process came back. */
  since: number;
  lookedAt: number;
  pingedAt: number | null;
  pingFailures: number;
  checkedAt: number;
  stuck: number;
  /** What lay unstored before was given up. */
  ignoreBefore: number;
  askedAt: number | null;
  isAsking: boolean;
  unanswered: number;
  trouble: { kind: Trouble; since: number; step: Step; stepAt: number } | null;
}

export type Act =
  { do: "cut" | "ping" | "ask" | "stir" | "recovered" } | { do: "cure"; trouble: Trouble; step: Step };

export interface Decision {
  watch: Watch;
  acts: Act[];
}

export const startWatch = (now: number): Watch => ({
  since: now,
  lookedAt: now,
  pingedAt: now,
  pingFailures: 0,
  checkedAt: now,
  stuck: 0,
  ignoreBefore: 0,
  askedAt: null,
  isAsking: false,
  unanswered: 0,
  trouble: null,
});

/** A new connection under a trouble that goes on: everything is asked again at once, and the step begins now. */
export const reopened = (watch: Watch, now: number): Watch => ({
  ...watch,
  since: now,
  lookedAt: now,
  pingedAt: null,
  checkedAt: now,
  askedAt: null,
  isAsking: false,
  trouble: watch.trouble && { ...watch.trouble, stepAt: now },
});

export const pinged = (watch: Watch, answered: boolean): Watch => ({
  ...watch,
  pingFailures: answered ? 0 : watch.pingFailures + 1,
});

const FAILURES = 2;
/** Of the phone alone, while the server answers. */
const PHONE_FAILURES = 3;
/** A silence so many times the usual one is strange although the server answers. */
const STRANGE_FACTOR = 3;
/** An import may lie so many times longer. */
const IMPORT_FACTOR = 15;
/** A phone that is off is asked less often once nothing more is to be done. */
const GIVEN_UP_FACTOR = 10;

export function decide(before: Watch, seen: Seen, timing: WatchTiming): Decision {
  const { now } = seen;
  const gap = now - before.lookedAt;
  if (gap < 0 || gap > timing.lookMs + timing.lateMs)
    return { watch: { ...before, since: now, lookedAt: now, isAsking: false }, acts: [] };

  if (now - Math.max(seen.lastFrameAt, before.since) >= timing.frameMs)
    return { watch: { ...before, lookedAt: now }, acts: [{ do: "cut" }] };

  const acts: Act[] = [];
  let watch: Watch = { ...before, lookedAt: now };
  if (watch.pingedAt === null || now - watch.pingedAt >= timing.pingMs) {
    watch = { ...watch, pingedAt: now };
    acts.push({ do: "ping" });
  }
  watch = checkStored(watch, seen, timing, acts);
  watch = askPhone(watch, seen, timing, acts);
  return cure(watch, seen, timing, acts);
}

function checkStored(watch: Watch, seen: Seen, timing: WatchTiming, acts: Act[]): Watch {
  const { now, unstoredSince, holdingSince } = seen;
  if (now - watch.checkedAt < timing.storedMs) return watch;
  const patience = timing.stuckMs * (seen.isImporting ? IMPORT_FACTOR : 1);
  const isUnstored =
    unstoredSince !== null && unstoredSince > watch.ignoreBefore && now - unstoredSince >= patience;
  const isHeld = holdingSince !== null && now - Math.max(holdingSince, watch.since) >= timing.stuckMs;
  const stuck = isUnstored || isHeld ? watch.stuck + 1 : 0;
  // Most of the time a first push is all it takes, and nobody need hear of it.
  if (stuck === 1) acts.push({ do: "stir" });
  return { ...watch, checkedAt: now, stuck };
}

/** Whatever came in since the question is its answer. */
function hearPhone(watch: Watch, { now, lastInboundAt }: Seen, timing: WatchTiming): Watch {
  const { askedAt, isAsking, unanswered } = watch;
  if (askedAt === null) return watch;
  if (lastInboundAt !== null && lastInboundAt >= askedAt) return { ...watch, isAsking: false, unanswered: 0 };
  const isOver = isAsking && now - askedAt >= timing.answerMs;
  return isOver ? { ...watch, isAsking: false, unanswered: unanswered + 1 } : watch;
}

function askPhone(before: Watch, seen: Seen, timing: WatchTiming, acts: Act[]): Watch {
  const { now, lastInboundAt } = seen;
  const watch = hearPhone(before, seen, timing);
  const { askedAt } = watch;
  const pause = timing.askMs * (watch.trouble?.step === "give_up" ? GIVEN_UP_FACTOR : 1);
  const isTime = !watch.isAsking && (askedAt === null || now - askedAt >= pause);
  const silence = now - Math.max(lastInboundAt ?? 0, watch.since);
  const usual = Math.min(Math.max(seen.usualMs, timing.quietMinMs), timing.quietMaxMs);
  const limit = usual * (watch.pingFailures > 0 ? 1 : STRANGE_FACTOR);
  if (!isTime || !seen.canAsk || (silence < limit && watch.trouble?.kind !== "inbound")) return watch;
  acts.push({ do: "ask" });
  return { ...watch, askedAt: now, isAsking: true };
}

function cure(before: Watch, seen: Seen, timing: WatchTiming, acts: Act[]): Decision {
  const { now } = seen;
  const { trouble, pingFailures, stuck, unanswered } = before;
  if (trouble === null) {
    const needed = pingFailures + stuck > 0 ? FAILURES : PHONE_FAILURES;
    if (pingFailures + stuck + unanswered < needed) return { watch: before, acts };
    const kind = pingFailures > 0 ? "server" : stuck > 0 ? "pipeline" : "inbound";
    acts.push({ do: "cure", trouble: kind, step: STEPS[0] });
    return { watch: { ...before, trouble: { kind, since: now, step: STEPS[0], stepAt: now } }, acts };
  }
  const isHeard = trouble.kind !== "inbound" || (seen.lastInboundAt ?? 0) > trouble.since;
  if (isHeard && pingFailures === 0 && stuck === 0) {
    const { ignoreBefore } = before;
    return { watch: { ...startWatch(now), ignoreBefore }, acts: [...acts, { do: "recovered" }] };
  }
  return nextStep(before, trouble, seen, timing, acts);
}

function nextStep(
  before: Watch,
  trouble: NonNullable<Watch["trouble"]>,
  { now, mayRestart }: Seen,
  timing: WatchTiming,
  acts: Act[],
): Decision {
  const { kind } = trouble;
  if (now - trouble.stepAt < timing.stepMs) return { watch: before, acts };
  const step = stepAfter(trouble.step, kind, mayRestart);
  if (step === null) return { watch: before, acts };
  acts.push({ do: "cure", trouble: kind, step });
  const ignoreBefore = step === "give_up" ? now : before.ignoreBefore;
  return { watch: { ...before, ignoreBefore, trouble: { ...trouble, step, stepAt: now } }, acts };
}

/**
 * A new process helps against what is wrong in this one. Where the server answers and all is stored, the phone may just be
 * off, and all other accounts would pay for it.
 */
function stepAfter(step: Step, kind: Trouble, mayRestart: boolean): Step | null {
  const next = STEPS[STEPS.indexOf(step) + 1] ?? null;
  return next === "restart" && (kind === "inbound" || !mayRestart) ? "give_up" : next;
}
