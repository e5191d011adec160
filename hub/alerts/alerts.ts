/**
 * Calls people: an event at once, and an e-mail unless it is night; then one letter with all of it in the morning. The same
 * cause at the same place is not repeated within an hour.
 */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { EventStore, MarkStore } from "../core/store.ts";
import { alertEvent, type Alert } from "./alert.ts";
import { letterOf, type Raised } from "./letter.ts";
import type { Mailer } from "./mail.ts";
import { isQuiet, type QuietHours } from "./quiet-hours.ts";

const REPEAT_MS = 3_600_000;
const LOOK_MS = 60_000;
/** A mail server that is away for days must not fill the memory; the events are all in the log. */
const KEPT = 200;

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
  /** Null: nobody is written to. */
  mailer: Mailer | null;
  quiet: QuietHours | null;
  clock: Clock;
  nudge: Nudge;
  log: Log;
}

export function createAlerts({ events, marks, mailer, quiet, clock, nudge, log }: AlertsParts): Alerts {
  let waiting: Raised[] = [];
  let work: Promise<void> = Promise.resolve();

  const inOrder = (job: () => Promise<void>): Promise<void> =>
    (work = work.then(job).catch((err: unknown) => log.error({ err }, "alert.failed")));

  async function raise(alert: Alert, now: Date): Promise<void> {
    const { sessionId, cause, endpointId } = alert;
    const name = `alert:${sessionId}:${endpointId ?? ""}:${cause}`;
    const last = await marks.get(name);
    if (last !== null && now.getTime() - last.getTime() < REPEAT_MS) return;
    await marks.set(name, now);
    log.warn({ sessionId, cause, endpointId }, "alert.raised");
    await events.append(sessionId, [alertEvent(alert, now)], now);
    nudge.ring();
    if (mailer !== null) waiting = [...waiting, { alert, at: now }].slice(-KEPT);
  }

  async function deliver(): Promise<void> {
    if (mailer === null || waiting.length === 0 || isQuiet(quiet, clock.now())) return;
    const letters = waiting;
    waiting = [];
    try {
      await mailer.send(letterOf(letters));
    } catch (err) {
      waiting = [...letters, ...waiting].slice(-KEPT);
      // Its message may name what only the operator should know; the kind of failure is enough.
      const code = err instanceof Error && "code" in err ? String(err.code) : "unknown";
      log.error({ code, alerts: letters.length }, "alert.mail_not_sent");
    }
  }

  const look = setInterval(() => void inOrder(deliver), LOOK_MS);
  look.unref();

  return {
    raise: (alert) => {
      const now = clock.now();
      void inOrder(async () => {
        await raise(alert, now);
        await deliver();
      });
    },
    deliver: () => inOrder(deliver),
    stop: async () => {
      clearInterval(look);
      await work;
      mailer?.close();
    },
    idle: () => work,
  };
}
