/** Alerts over a real mail server of this machine, a store, and a clock that a test moves. */
import { onTestFinished } from "vitest";
import { createAlerts, type Alerts } from "../../hub/alerts/alerts.ts";
import { createMailer } from "../../hub/alerts/mail.ts";
import { parseQuietHours } from "../../hub/alerts/quiet-hours.ts";
import { createStanding } from "../../hub/alerts/standing.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import type { Session } from "../../hub/core/session.ts";
import type { Store } from "../../hub/core/store.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { aNewSession } from "./builders.ts";
import { fixedClock, type FixedClock } from "./fixed-clock.ts";
import { logBook, type LogBook } from "./log-book.ts";
import { startMailServer } from "./mail-server.ts";

export interface AlertsRig {
  alerts: Alerts;
  /** Another process on the same store. */
  restart(): Promise<void>;
  store: Store;
  clock: FixedClock;
  log: LogBook;
  letters: string[];
  /** While true the mail server takes nothing. */
  mail: { refuses: boolean };
  /** While true the store takes nothing. */
  disk: { refuses: boolean };
  events(): Promise<Record<string, unknown>[]>;
  /** What was told of alerts so far, as `cause phase`. */
  told(): Promise<string[]>;
  /** How the session stands from now on. */
  becomes(change: Partial<Session>): Promise<void>;
}

/** With one session, `s1`, that stands as `session` says. */
export async function openAlertsRig({
  session,
  quiet = null,
}: {
  session: Partial<Session>;
  quiet?: string | null;
}): Promise<AlertsRig> {
  const mail = await startMailServer();
  const disk = { refuses: false };
  const clock = fixedClock();
  clock.set(new Date(2025, 10, 7, 12, 0));
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  await store.sessions.create(aNewSession({ sessionId: "s1", ...session }));
  const log = logBook();
  const start = (): Alerts =>
    createAlerts({
      events: {
        append: (...given) =>
          disk.refuses ? Promise.reject(new Error("read-only")) : store.events.append(...given),
      },
      marks: store.marks,
      letters: store.letters,
      standing: createStanding({
        ...{ sessions: store.sessions, endpoints: store.endpoints, outbox: store.outbox },
        ...{ isOverloaded: () => false, isStormy: () => false },
      }),
      mailer: createMailer({
        url: mail.url,
        from: "hub@example.com",
        to: ["ops@example.com", "boss@example.com"],
      }),
      quiet: quiet === null ? null : parseQuietHours(quiet),
      clock,
      nudge: createNudge(),
      log,
    });
  let alerts = start();
  onTestFinished(async () => {
    await alerts.stop();
    await store.close();
  });
  return {
    get alerts() {
      return alerts;
    },
    restart: async () => {
      await alerts.stop();
      alerts = start();
    },
    store,
    clock,
    log,
    letters: mail.letters,
    mail,
    disk,
    events: async () => {
      const rows = await store.events.after({ after: 0, limit: 100, sessions: "*" });
      return rows.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    },
    told: async () => {
      const rows = await store.events.after({ after: 0, limit: 100, sessions: "*" });
      return rows.map(({ body }) => {
        const { data } = JSON.parse(body) as { data: { cause: string; phase: string } };
        return `${data.cause} ${data.phase}`;
      });
    },
    becomes: async (change) => {
      const current = await store.sessions.get("s1");
      if (current !== null) await store.sessions.save({ ...current, ...change }, []);
    },
  };
}
