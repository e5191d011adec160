/**
 * Calls people: an event at once, and an e-mail unless it is night; then one letter with all of it in the morning, also after a
 * restart in between. While the disk takes nothing, nothing can be kept for the morning: the e-mail leaves at once, and the
 * event follows when it can be written.
 *
 * The calm rule. An alert is told once, when it begins; once more each day while it lasts; and once when it is over. It is over
 * when all was well for ten minutes: what comes back before has never ended, so that a thing that flickers is one alert. What
 * somebody ended by order (a session that was stopped or deleted) ends without a word. All of it holds over restarts.
 */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { EventStore, LetterStore, MarkStore } from "../core/store.ts";
import type { Alert } from "./alert.ts";
import { inOne, letterAbout, type Letter } from "./letter.ts";
import type { Mailer } from "./mail.ts";
import { createOpenAlertMarks, nameOf, type Place } from "./open-alerts.ts";
import { isQuiet, type QuietHours } from "./quiet-hours.ts";
import { alertEvent, type Telling } from "./telling.ts";

const REMIND_MS = 24 * 3_600_000;
const WELL_MS = 10 * 60_000;
const LOOK_MS = 60_000;

export interface Alerts {
  /** It is so, now; told unless it was so already. */
  raise(alert: Alert): void;
  /** It is not so any more. */
  over(place: Place): void;
  /** Looks after all that is open, and sends what waits, if it may be sent now. */
  deliver(): Promise<void>;
  stop(): Promise<void>;
  idle(): Promise<void>;
}

/** How an open alert stands now: in today's words, and whether it is still so where that can be seen. */
export interface Standing {
  alert: Alert;
  /** Null: whoever raised it says when it is over. */
  isSo: boolean | null;
}

export interface AlertsParts {
  events: Pick<EventStore, "append">;
  marks: Pick<MarkStore, "get" | "set" | "named">;
  letters: LetterStore;
  /** Null: nobody's trouble any more. */
  standing: (place: Place) => Promise<Standing | null>;
  /** Null: nobody is written to. */
  mailer: Mailer | null;
  quiet: QuietHours | null;
  clock: Clock;
  nudge: Nudge;
  log: Log;
}

interface Open {
  place: Place;
  since: Date;
  toldAt: Date;
  wellSince: Date | null;
}

export function createAlerts(parts: AlertsParts): Alerts {
  const { events, letters, standing, mailer, quiet, clock, nudge, log } = parts;
  const marks = createOpenAlertMarks(parts.marks);
  const open = new Map<string, Open>();
  /** What the store did not take, in its order, and whether people were written to all the same. */
  const untold: { telling: Telling; isMailed: boolean }[] = [];
  let isLoaded = false;
  let work: Promise<void> = Promise.resolve();

  const inOrder = (job: () => Promise<void>): Promise<void> =>
    (work = work
      .then(load)
      .then(job)
      .catch((err: unknown) => log.error({ err }, "alert.failed")));

  async function load(): Promise<void> {
    if (isLoaded) return;
    const kept = await marks.load().catch((err: unknown) => {
      log.error({ err }, "alert.not_read"); // tried again at the next turn; until then an alert may be told a second time
      return null;
    });
    if (kept === null) return;
    isLoaded = true;
    for (const { place, since, toldAt } of kept)
      if (!open.has(nameOf(place))) open.set(nameOf(place), { place, since, toldAt, wellSince: null });
  }

  async function raise(alert: Alert, now: Date): Promise<void> {
    const known = open.get(nameOf(alert));
    if (known !== undefined) {
      known.wellSince = null;
      return;
    }
    const { sessionId, cause, endpointId } = alert;
    const place: Place = { sessionId, cause, ...(endpointId === undefined ? {} : { endpointId }) };
    open.set(nameOf(place), { place, since: now, toldAt: now, wellSince: null });
    log.warn({ sessionId, cause, endpointId }, "alert.raised");
    await tell({ alert, phase: "began", since: now, at: now });
    await deliver();
  }

  async function tell(telling: Telling): Promise<void> {
    try {
      await keep({ telling, isMailed: false });
    } catch (err) {
      log.error({ err, cause: telling.alert.cause }, "alert.not_kept");
      untold.push({ telling, isMailed: await mail(letterAbout(telling)) });
    }
  }

  async function keep({ telling, isMailed }: { telling: Telling; isMailed: boolean }): Promise<void> {
    const { alert, phase, since, at } = telling;
    await events.append(alert.sessionId, [alertEvent(telling)], clock.now());
    nudge.ring();
    if (mailer !== null && !isMailed) await letters.hold(letterAbout(telling), at);
    // Last: killed in between, the hub calls twice rather than not at all.
    await (phase === "ended" ? marks.ended(alert) : marks.told(alert, { since, toldAt: at }));
  }

  async function keepWhatWasNot(): Promise<void> {
    for (let one = untold[0]; one !== undefined; one = untold[0]) {
      await keep(one);
      untold.shift();
    }
  }

  /** Whether it was sent. */
  async function mail(letter: Letter): Promise<boolean> {
    if (mailer === null) return false;
    try {
      await mailer.send(letter);
      return true;
    } catch (err) {
      // Its message may name what only the operator should know; the kind of failure is enough.
      const code = err instanceof Error && "code" in err ? String(err.code) : "unknown";
      log.error({ code }, "alert.mail_not_sent");
      return false;
    }
  }

  async function deliver(): Promise<void> {
    if (mailer === null || isQuiet(quiet, clock.now())) return;
    const [first, ...others] = await letters.held();
    if (first === undefined) return;
    if (await mail(inOne([first, ...others]))) await letters.sent(others.at(-1)?.n ?? first.n);
  }

  /** One that is open: forgotten, over, told once more, or left as it is. */
  async function lookAfter(name: string, one: Open, now: Date): Promise<void> {
    const { place, since } = one;
    const current = await standing(place);
    if (current === null) {
      open.delete(name);
      return marks.ended(place);
    }
    const { alert, isSo } = current;
    if (isSo !== null) one.wellSince = isSo ? null : (one.wellSince ?? now);
    if (one.wellSince !== null) {
      if (now.getTime() - one.wellSince.getTime() < WELL_MS) return;
      open.delete(name);
      log.info({ ...place, since }, "alert.over");
      return tell({ alert, phase: "ended", since, at: one.wellSince });
    }
    if (now.getTime() - one.toldAt.getTime() < REMIND_MS) return;
    one.toldAt = now;
    await tell({ alert, phase: "lasts", since, at: now });
  }

  async function look(): Promise<void> {
    await keepWhatWasNot();
    const now = clock.now();
    for (const [name, one] of [...open]) await lookAfter(name, one, now);
    await deliver();
  }

  const looking = setInterval(() => void inOrder(look), LOOK_MS);
  looking.unref();

  return {
    raise: (alert) => {
      const now = clock.now();
      void inOrder(() => raise(alert, now));
    },
    over: (place) => {
      const now = clock.now();
      void inOrder(() => {
        const known = open.get(nameOf(place));
        if (known !== undefined) known.wellSince ??= now;
        return Promise.resolve();
      });
    },
    deliver: () => inOrder(look),
    stop: async () => {
      clearInterval(looking);
      await work;
      mailer?.close();
    },
    idle: () => work,
  };
}
