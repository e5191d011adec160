/** Watches one open connection: gathers what `watch.ts` decides on, and does what it says. */
import type { MessageAt, WhatsAppLink } from "../core/whatsapp.ts";
import { causeOf, CUT_OFF } from "./cures.ts";
import type { Cause } from "./reasons.ts";
import type { RunnerParts } from "./runner-parts.ts";
import { createAlarm } from "./schedule.ts";
import { reasonAt, type SessionRecord } from "./session-record.ts";
import { usualGapMs } from "./usual-gap.ts";
import {
  decide,
  pinged,
  reopened,
  startWatch,
  WATCH_TIMING,
  type Act,
  type Seen,
  type Step,
  type Watch,
  type WatchTiming,
} from "./watch.ts";

export interface Watchdog {
  /** A connection opened; `goesOn` when it was made to cure the one before. */
  opened(goesOn: boolean): void;
  /** Looks no more until the next one opened. */
  rest(): void;
  /** Why the account counts as degraded; null when it does not. */
  cause(): Cause | null;
}

const LEARN_EVERY_MS = 3_600_000;
const LEARN_FROM_MS = 14 * 86_400_000;
const LEARN_LIMIT = 5_000;

export function createWatchdog({
  record,
  parts: { watchdog, schedule, clock, log },
  link,
  renew,
  later,
}: {
  record: SessionRecord;
  parts: Pick<RunnerParts, "watchdog" | "schedule" | "clock" | "log">;
  /** The connection while it is open. */
  link: () => WhatsAppLink | null;
  /** Ends the connection and makes a new one. */
  renew: (cause: Cause) => Promise<void>;
  /** Runs work in the session's order. */
  later: (work: () => Promise<void>) => void;
}): Watchdog {
  if (watchdog === null) return { opened: () => undefined, rest: () => undefined, cause: () => null };
  const { intake, inbox, restart, timing: given } = watchdog;
  const { sessionId } = record.session();
  const timing: WatchTiming = { ...WATCH_TIMING, ...given };
  const alarm = createAlarm(schedule);
  let watch: Watch = startWatch(now());
  let cause: Cause | null = null;
  let learnt = { at: Number.NEGATIVE_INFINITY, usualMs: 0 };
  /** A look belongs to the connection it began on. */
  let life = 0;

  function now(): number {
    return clock.now().getTime();
  }

  function next(): void {
    alarm.set(timing.lookMs, () => void look(life));
  }

  async function look(current: number): Promise<void> {
    const open = link();
    if (open === null) {
      next();
      return;
    }
    try {
      const seen = await gather(open);
      if (current !== life) return;
      const decision = decide(watch, seen, timing);
      ({ watch } = decision);
      for (const act of decision.acts) perform(act, open, current);
    } catch (err) {
      log.warn({ sessionId, err }, "watchdog.look_failed");
    }
    if (current === life) next();
  }

  async function gather(open: WhatsAppLink): Promise<Seen> {
    const unstored = await intake.oldestReadable(sessionId);
    const [usualMs, message, mayRestart] = await Promise.all([
      usual(),
      newestMessage(),
      restart?.isAllowed() ?? false,
    ]);
    const { lastFrameAt, lastInboundAt, holdingSince, isImporting, isHistoryMissing } = open.pulse.vitals();
    return {
      now: now(),
      lastFrameAt: lastFrameAt.getTime(),
      lastInboundAt: lastInboundAt?.getTime() ?? null,
      // The oldest that lies there is then no fault of our own way, and no restart would bring it.
      unstoredSince: isHistoryMissing ? null : (unstored?.getTime() ?? null),
      holdingSince: holdingSince?.getTime() ?? null,
      isImporting,
      usualMs,
      canAsk: message !== null,
      mayRestart,
    };
  }

  async function usual(): Promise<number> {
    if (now() - learnt.at < LEARN_EVERY_MS) return learnt.usualMs;
    const since = Math.floor((now() - LEARN_FROM_MS) / 1000);
    const times = await inbox.arrivals(sessionId, since, LEARN_LIMIT);
    learnt = { at: now(), usualMs: usualGapMs(times, clock.now()) };
    return learnt.usualMs;
  }

  let asked: MessageAt | null = null;
  /** Any message does that the phone has as well. */
  async function newestMessage(): Promise<MessageAt | null> {
    if (asked !== null) return asked;
    const page = await inbox.messages({ sessionId, order: "desc", fromMe: false, limit: 1, page: 1 });
    asked = page.items[0] ?? null;
    return asked;
  }

  function perform(act: Act, open: WhatsAppLink, current: number): void {
    const failed = (what: string) => (err: unknown) =>
      log.info({ sessionId, what, error: err instanceof Error ? err.name : "unknown" }, "watchdog.no_effect");
    switch (act.do) {
      case "cut":
        log.warn({ sessionId, afterMs: timing.frameMs }, "watchdog.connection_cut");
        open.pulse.cut(CUT_OFF);
        break;
      case "ping":
        void open.pulse.ping(timing.pingTimeoutMs).then((answered) => {
          if (current === life) watch = pinged(watch, answered);
        }, failed("ping"));
        break;
      case "ask":
        if (asked !== null) open.pulse.askPhone(asked).catch(failed("ask"));
        asked = null;
        break;
      case "stir":
        open.pulse.stir().catch(failed("stir"));
        break;
      case "recovered":
        log.info({ sessionId }, "watchdog.recovered");
        cause = null;
        later(() => record.move({ type: "heard" }, { reason: null }));
        break;
      case "cure":
        log.warn({ sessionId, trouble: act.trouble, step: act.step }, "watchdog.cure");
        cause = causeOf(act.trouble, act.step);
        takeStep(act.step, cause, current);
        if (act.step === "stir") open.pulse.stir().catch(failed("stir"));
    }
  }

  /** Told first, done then; not on a connection that went meanwhile. */
  function takeStep(step: Step, because: Cause, current: number): void {
    later(async () => {
      if (current !== life || link() === null) return;
      const reason = reasonAt(because, clock.now());
      await record.move({ type: "deaf" }, { reason }, { noted: true });
      if (step === "new_socket" || step === "second_socket") await renew(because);
      if (step === "restart") restart?.go(sessionId);
    });
  }

  return {
    opened: (goesOn) => {
      life++;
      watch = goesOn ? reopened(watch, now()) : startWatch(now());
      if (!goesOn) cause = null;
      next();
    },
    rest: () => {
      life++;
      alarm.cancel();
    },
    cause: () => cause,
  };
}
