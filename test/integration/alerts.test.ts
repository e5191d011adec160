/** Calling people: over a real mail server of this test, and in the log of events. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { alertOfMove, diskAlert, endpointAlert, type Alert } from "../../hub/alerts/alert.ts";
import { createAlerts, type Alerts } from "../../hub/alerts/alerts.ts";
import { createMailer } from "../../hub/alerts/mail.ts";
import { isQuiet, parseQuietHours } from "../../hub/alerts/quiet-hours.ts";
import { parseEventData } from "../../hub/contract/event-data.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import type { Session } from "../../hub/core/session.ts";
import type { Store } from "../../hub/core/store.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { aNewSession, aSession, T0 } from "../support/builders.ts";
import { fixedClock, hours, minutes, type FixedClock } from "../support/fixed-clock.ts";
import { logBook, type LogBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

interface Scene {
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
}

async function aScene({ quiet = null }: { quiet?: string | null } = {}): Promise<Scene> {
  const letters: string[] = [];
  const mail = { refuses: false };
  const disk = { refuses: false };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onMailFrom: (_address, _session, done) => done(mail.refuses ? new Error("not now") : null),
    onData: (stream, _session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        letters.push(Buffer.concat(chunks).toString());
        done();
      });
    },
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  // Of a server that listens on a port.
  const { port } = server.server.address() as AddressInfo;
  const clock = fixedClock();
  clock.set(new Date(2025, 10, 7, 12, 0));
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  await store.sessions.create(aNewSession({ sessionId: "s1" }));
  const log = logBook();
  const start = (): Alerts =>
    createAlerts({
      events: {
        append: (...given) =>
          disk.refuses ? Promise.reject(new Error("read-only")) : store.events.append(...given),
      },
      marks: store.marks,
      letters: store.letters,
      mailer: createMailer({
        url: `smtp://127.0.0.1:${port}`,
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
    await new Promise<void>((resolve) => server.close(() => resolve()));
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
    letters,
    mail,
    disk,
    events: async () => {
      const rows = await store.events.after({ after: 0, limit: 100, sessions: "*" });
      return rows.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    },
  };
}

const replaced: Alert = {
  sessionId: "s1",
  about: "Front desk",
  cause: "replaced",
  status: "error",
  state: "replaced",
  advice: "Stop the other program, then connect again.",
  adviceEs: "Detenga el otro programa y vuelva a conectar.",
};

describe("an alert", () => {
  test("is an event at once, and an e-mail in both languages", async () => {
    const { alerts, letters, events } = await aScene();
    alerts.raise(replaced);
    await alerts.idle();
    const [event] = await events();
    expect(event).toMatchObject({ event: "session.alert", sessionId: "s1" });
    expect(parseEventData("session.alert", event?.["data"])).toMatchObject({
      cause: "replaced",
      status: "error",
    });
    expect(letters).toHaveLength(1);
    expect(letters[0]).toContain("To: ops@example.com, boss@example.com");
    expect(letters[0]).toContain("Front desk: Another program took");
    expect(letters[0]).toContain("Stop the other program, then connect again.");
    expect(letters[0]).toContain("Otro programa tom");
  });

  test("is not repeated within an hour, nor after a restart, but others are told", async () => {
    const { alerts, letters, clock, events } = await aScene();
    alerts.raise(replaced);
    clock.advance(minutes(59));
    alerts.raise(replaced);
    alerts.raise(endpointAlert("ep_1", "endpoint_failing"));
    alerts.raise(endpointAlert("ep_2", "endpoint_failing"));
    alerts.raise(diskAlert());
    await alerts.idle();
    expect(letters).toHaveLength(4);
    clock.advance(minutes(2));
    alerts.raise(replaced);
    await alerts.idle();
    expect(letters).toHaveLength(5);
    expect((await events()).map(({ sessionId }) => sessionId)).toEqual(["s1", "_hub", "_hub", "_hub", "s1"]);
  });

  test("wakes nobody: what was held back is one letter in the morning", async () => {
    const { alerts, letters, clock, events } = await aScene({ quiet: "22:00-07:00" });
    clock.set(new Date(2025, 10, 7, 23, 30));
    alerts.raise(replaced);
    alerts.raise(diskAlert());
    await alerts.deliver();
    expect(letters).toEqual([]);
    expect(await events()).toHaveLength(2);
    clock.advance(hours(8));
    await alerts.deliver();
    expect(letters).toHaveLength(1);
    expect(letters[0]).toContain("Subject: Inbox Hub: 2 alerts");
    expect(letters[0]).toContain("Front desk");
    expect(letters[0]).toContain("disk");
  });

  test("held back for the night survives a restart of the hub, and is sent once", async () => {
    const scene = await aScene({ quiet: "22:00-07:00" });
    scene.clock.set(new Date(2025, 10, 7, 23, 30));
    scene.alerts.raise(replaced);
    await scene.alerts.idle();
    await scene.restart();
    scene.alerts.raise(diskAlert());
    scene.alerts.raise(replaced);
    await scene.restart();
    scene.clock.advance(hours(8));
    await scene.alerts.deliver();
    await scene.alerts.deliver();
    await scene.restart();
    await scene.alerts.deliver();
    expect(scene.letters).toHaveLength(1);
    expect(scene.letters[0]).toContain("Subject: Inbox Hub: 2 alerts");
    expect(scene.letters[0]).toContain("Front desk");
  });

  test("about a disk that takes nothing is mailed at once, also at night, and told when it can be written", async () => {
    const { alerts, letters, disk, clock, events } = await aScene({ quiet: "22:00-07:00" });
    clock.set(new Date(2025, 10, 7, 23, 30));
    disk.refuses = true;
    const working = aSession({ state: "connected" });
    const reason = { code: "store_failed", text: "", blame: "hub", advice: "", at: T0 } as const;
    const down = (sessionId: string) =>
      alertOfMove(working, aSession({ sessionId, state: "store_down", reason }), { failedInARow: 0 }, 3);
    for (const sessionId of ["s1", "s2"]) {
      const alert = down(sessionId);
      if (alert !== null) alerts.raise(alert);
    }
    await alerts.idle();
    expect(letters).toHaveLength(1);
    expect(letters[0]).toContain("The hub cannot write to its disk");
    await alerts.deliver();
    expect(await events()).toEqual([]);

    disk.refuses = false;
    clock.advance(hours(8));
    await alerts.deliver();
    expect((await events()).map(({ sessionId }) => sessionId)).toEqual(["_hub"]);
    expect(letters).toHaveLength(1);
  });

  test("waits for a mail server that is away, and no address gets into the log", async () => {
    const { alerts, letters, mail, log } = await aScene();
    mail.refuses = true;
    alerts.raise(replaced);
    await alerts.idle();
    expect(log.lines("alert.mail_not_sent")).toHaveLength(1);
    expect(log.text()).not.toContain("example.com");
    mail.refuses = false;
    await alerts.deliver();
    await until("the letter", () => letters.length === 1);
  });
});

describe("what an alert is worth", () => {
  const at = new Date(2025, 10, 7);
  const lost = (state: Session["state"], code: string): Session => ({
    ...aNewSession({ state }),
    id: 1,
    reason: { code, text: "", blame: "whatsapp", advice: "Wait a moment.", at },
  });
  const well: Session = { ...aNewSession({ state: "connected" }), id: 1 };
  const cause = (next: Session, failedInARow = 0): string | null =>
    alertOfMove(well, next, { failedInARow }, 5)?.cause ?? null;

  test("are ends that a person has to end, and tries that fail and fail", () => {
    expect(cause(lost("logged_out", "401"))).toBe("logged_out");
    expect(cause(lost("replaced", "440"))).toBe("replaced");
    expect(cause(lost("banned", "403"))).toBe("banned");
    expect(cause(lost("stopped", "login_damaged"))).toBe("login_unusable");
    expect(cause(lost("degraded", "not_cured"))).toBe("nothing_heard");
    expect(cause(lost("reconnecting", "428"), 5)).toBe("not_reconnecting");
  });

  test("are not orders, nor losses that heal", () => {
    expect(cause(lost("logged_out", "logout"))).toBeNull();
    expect(cause(lost("stopped", "stopped"))).toBeNull();
    expect(cause(lost("reconnecting", "428"), 4)).toBeNull();
    expect(cause(lost("degraded", "nothing_heard"))).toBeNull();
    expect(cause(well)).toBeNull();
  });
});

test("quiet hours may span midnight", () => {
  const night = parseQuietHours("22:00-07:00");
  const at = (hour: number, minute = 0): Date => new Date(2025, 10, 7, hour, minute);
  expect([21, 22, 3, 6].map((hour) => isQuiet(night, at(hour)))).toEqual([false, true, true, true]);
  expect(isQuiet(night, at(7))).toBe(false);
  expect(isQuiet(parseQuietHours("12:00-13:30"), at(13, 29))).toBe(true);
  expect(parseQuietHours("25:00-07:00")).toBeNull();
});
