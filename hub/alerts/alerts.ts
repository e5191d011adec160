/**
 * Calls people: an event at once, and an e-mail unless it is night; then one letter with all of it in the morning, also after a
 * restart in between. The same cause at the same place is not repeated within an hour. While the disk takes nothing, nothing can
 * be kept for the morning: the e-mail leaves at once, and the event follows when it can be written.
 */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { EventStore, LetterStore, MarkStore } from "../core/store.ts";
import { alertEvent, type Alert } from "./alert.ts";
import { inOne, letterAbout, type Letter } from "./letter.ts";
import type { Mailer } from "./mail.ts";
import { isQuiet, type QuietHours } from "./quiet-hours.ts";

const REPEAT_MS = 3_600_000;
const LOOK_MS = 60_000;

export interface Alerts {
  raise(alert: Alert): void;
  /** Sends what waits, if it may be sent now. */
  deliver(): Promise<void>;
  stop(): Promise<void>;
  idle(): Promise<void>;
}

export interface AlertsParts {
  events: Pick<EventStore, "append">;
  marks: Pick<MarkStore, "get" | "set">;
  letters: LetterStore;
  /** Null: nobody is written to. */
  mailer: Mailer | null;
  quiet: QuietHours | null;
  clock: Clock;
  nudge: Nudge;
  log: Log;
}

export function createAlerts({
  events,
  marks,
  letters,
  mailer,
  quiet,
  clock,
  nudge,
  log,
}: AlertsParts): Alerts {
  let work: Promise<void> = Promise.resolve();
  /** What the store did not take, by name, and whether people were written to all the same. */
  const unkept = new Map<string, { alert: Alert; at: Date; isMailed: boolean }>();

  const inOrder = (job: () => Promise<void>): Promise<void> =>
    (work = work.then(job).catch((err: unknown) => log.error({ err }, "alert.failed")));

  async function raise(alert: Alert, now: Date): Promise<void> {
    const { sessionId, cause, endpointId } = alert;
    const name = `alert:${sessionId}:${endpointId ?? ""}:${cause}`;
    if (unkept.has(name)) return;
    const last = await marks.get(name);
    if (last !== null && now.getTime() - last.getTime() < REPEAT_MS) return;
    log.warn({ sessionId, cause, endpointId }, "alert.raised");
    try {
      await keep(name, { alert, at: now, isMailed: false });
    } catch (err) {
      log.error({ err, cause }, "alert.not_kept");
      unkept.set(name, { alert, at: now, isMailed: await mail(letterAbout(alert, now)) });
    }
  }

  async function keep(
    name: string,
    { alert, at, isMailed }: { alert: Alert; at: Date; isMailed: boolean },
  ): Promise<void> {
    await events.append(alert.sessionId, [alertEvent(alert, at)], clock.now());
    nudge.ring();
    if (mailer !== null && !isMailed) await letters.hold(letterAbout(alert, at), at);
    // Last: killed in between, the hub calls twice rather than not at all.
    await marks.set(name, at);
  }

  async function keepWhatWasNot(): Promise<void> {
    for (const [name, one] of unkept) {
      await keep(name, one);
      unkept.delete(name);
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

  async function catchUp(): Promise<void> {
    await keepWhatWasNot();
    await deliver();
  }

  const look = setInterval(() => void inOrder(catchUp), LOOK_MS);
  look.unref();

  return {
    raise: (alert) => {
      const now = clock.now();
      void inOrder(async () => {
        await raise(alert, now);
        await deliver();
      });
    },
    deliver: () => inOrder(catchUp),
    stop: async () => {
      clearInterval(look);
      await work;
      mailer?.close();
    },
    idle: () => work,
  };
}
