/**
 * One account's line to WhatsApp: at most one live link, and nobody hears a link that is no longer the current one.
 * Opening waits until the link before is gone (two at once throw each other out) and until a place is free.
 */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { SessionSignal, WhatsAppConnector, WhatsAppLink } from "../core/whatsapp.ts";
import { within, type Schedule } from "./schedule.ts";
import type { Slots, Urgency } from "./slots.ts";

/** What the line itself has to say beside what WhatsApp says. */
export type LineSignal =
  | SessionSignal
  /** Neither open nor showing a (valid) code in time. */
  | { type: "no_answer" }
  /** The connector could not even start. */
  | { type: "not_started"; cause: unknown };

export interface Line {
  /** Ends the link there is, then makes a new one. Signals arrive later, through `onSignal`. */
  open(urgency: Urgency): void;
  /** Ends the link and resolves when nothing of it can write any more, in bounded time. */
  close(): Promise<void>;
  /** The current link, from the moment it exists. */
  link(): WhatsAppLink | null;
  /** No link, and none on its way. */
  isIdle(): boolean;
  /** Resolves when no link is on its way in or out. */
  settled(): Promise<void>;
}

/** A start that shows neither an open connection nor a code by then has failed. */
const START_DEADLINE_MS = 25_000;
/** A link that does not end by then is left to end by itself: its generation is fenced already. */
const CLOSE_LIMIT_MS = 5_000;

/** One life of one link. */
interface Life {
  /** Null until its turn came. */
  opening: Promise<WhatsAppLink | null> | null;
  link: WhatsAppLink | null;
  /** Gives its place among the connecting ones back. */
  giveUpPlace: () => void;
  cancelDeadline: () => void;
}

export function createLine({
  sessionId,
  connector,
  slots,
  schedule,
  onSignal,
  clock,
  log,
}: {
  sessionId: string;
  connector: WhatsAppConnector;
  slots: Slots;
  schedule: Schedule;
  /** `isCurrent` tells, at the time the signal is handled, whether it still comes from the current link. */
  onSignal: (signal: LineSignal, isCurrent: () => boolean) => void;
  clock: Clock;
  log: Log;
}): Line {
  let current: Life | null = null;
  /** Every link before the current one is gone. */
  let gone: Promise<void> = Promise.resolve();
  /** The newest start has had its turn. */
  let started: Promise<void> = Promise.resolve();

  function report(life: Life, signal: LineSignal): void {
    if (current !== life) return;
    watchDeadline(life, signal);
    onSignal(signal, () => current === life);
  }

  function watchDeadline(life: Life, signal: LineSignal): void {
    if (signal.type === "pairing_code" || signal.type === "key_unreadable") return;
    life.cancelDeadline();
    life.giveUpPlace();
    // A code is replaced by the next one or by a close. When neither comes, the connection is dead.
    if (signal.type === "qr")
      armDeadline(life, signal.expiresAt.getTime() - clock.now().getTime() + START_DEADLINE_MS);
  }

  function armDeadline(life: Life, ms: number): void {
    life.cancelDeadline = schedule(ms, () => report(life, { type: "no_answer" }));
  }

  async function start(life: Life): Promise<WhatsAppLink | null> {
    armDeadline(life, START_DEADLINE_MS);
    try {
      const link = await connector.open(sessionId, (signal) => report(life, signal));
      life.link = link;
      return link;
    } catch (cause) {
      report(life, { type: "not_started", cause });
      return null;
    }
  }

  function open(urgency: Urgency): void {
    endCurrent();
    let giveUpPlace = () => {};
    const placeGivenUp = new Promise<void>((resolve) => (giveUpPlace = resolve));
    const life: Life = { opening: null, link: null, giveUpPlace, cancelDeadline: () => {} };
    current = life;
    const connecting = async () => {
      // Ordered to stop, or to start anew, while it waited.
      if (current !== life) return;
      life.opening = start(life);
      await life.opening;
      await placeGivenUp;
    };
    // The link before must be gone before a place is taken, or five places could wait for a sixth.
    started = gone.then(() => void slots.take(connecting, urgency));
  }

  function endCurrent(): void {
    const life = current;
    if (life === null) return;
    current = null;
    life.cancelDeadline();
    life.giveUpPlace();
    gone = Promise.all([gone, goneWith(life)]).then(() => undefined);
  }

  /** Never fails: a link that cannot be closed must not keep the account from connecting again. */
  async function goneWith(life: Life): Promise<void> {
    const closing = (async () => {
      const link = await life.opening;
      await link?.close();
      return "closed" as const;
    })();
    try {
      const result = await within(CLOSE_LIMIT_MS, closing, "late" as const, schedule);
      if (result === "late") log.error({ sessionId, limitMs: CLOSE_LIMIT_MS }, "session.link_close_late");
    } catch (err) {
      log.error({ sessionId, err }, "session.link_close_failed");
    }
  }

  return {
    open,
    close: () => {
      endCurrent();
      return gone;
    },
    link: () => current?.link ?? null,
    isIdle: () => current === null,
    settled: async () => {
      await started;
      await gone;
      await current?.opening;
    },
  };
}
