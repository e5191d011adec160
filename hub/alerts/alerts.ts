/**
 * Calls people: an event at once, and an e-mail unless it is night; then one letter with all of it in the morning, also after a
 * restart in between. The same cause at the same place is not repeated within an hour.
 */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { EventStore, LetterStore, MarkStore } from "../core/store.ts";
import { alertEvent, type Alert } from "./alert.ts";
import { inOne, letterAbout } from "./letter.ts";
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

  const inOrder = (job: () => Promise<void>): Promise<void> =>
    (work = work.then(job).catch((err: unknown) => log.error({ err }, "alert.failed")));

  async function raise(alert: Alert, now: Date): Promise<void> {
    const { sessionId, cause, endpointId } = alert;
    const name = `alert:${sessionId}:${endpointId ?? ""}:${cause}`;
    const last = await marks.get(name);
    if (last !== null && now.getTime() - last.getTime() < REPEAT_MS) return;
    log.warn({ sessionId, cause, endpointId }, "alert.raised");
    await events.append(sessionId, [alertEvent(alert, now)], now);
    nudge.ring();
    if (mailer !== null) await letters.hold(letterAbout(alert, now), now);
    // Last: killed in between, the hub calls twice rather than not at all.
    await marks.set(name, now);
  }

  async function deliver(): Promise<void> {
    if (mailer === null || isQuiet(quiet, clock.now())) return;
    const [first, ...others] = await letters.held();
    if (first === undefined) return;
    try {
      await mailer.send(inOne([first, ...others]));
      await letters.sent(others.at(-1)?.n ?? first.n);
    } catch (err) {
      // Its message may name what only the operator should know; the kind of failure is enough.
      const code = err instanceof Error && "code" in err ? String(err.code) : "unknown";
      log.error({ code, alerts: others.length + 1 }, "alert.mail_not_sent");
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
