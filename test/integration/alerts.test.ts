/** Calling people: over a real mail server of this test, and in the log of events. */
import { describe, expect, test } from "vitest";
import { alertOfMove, endpointAlert, hubAlert, type Alert } from "../../hub/alerts/alert.ts";
import { parseEventData } from "../../hub/contract/event-data.ts";
import type { AttemptResult } from "../../hub/core/delivery.ts";
import { settleAttempt } from "../../hub/core/delivery-state.ts";
import type { Session } from "../../hub/core/session.ts";
import { openAlertsRig, type AlertsRig } from "../support/alerts-rig.ts";
import { anEndpoint, aSession, T0 } from "../support/builders.ts";
import { hours, minutes } from "../support/fixed-clock.ts";
import { until } from "../support/until.ts";

const isReplaced: Partial<Session> = {
  state: "replaced",
  reason: {
    code: "440",
    text: "Another program uses this login.",
    blame: "other_instance",
    advice: "Stop the other program, then connect again.",
    at: T0,
  },
};
const isWell: Partial<Session> = { state: "connected", reason: null, lostAt: null };

const aScene = (options: { quiet?: string } = {}): Promise<AlertsRig> =>
  openAlertsRig({ session: isReplaced, ...options });

const replaced: Alert = {
  sessionId: "s1",
  about: "Front desk",
  cause: "replaced",
  status: "error",
  state: "replaced",
  advice: "Stop the other program, then connect again.",
  adviceEs: "Detenga el otro programa y vuelva a conectar.",
};

const refusal: AttemptResult = {
  ...{ outcome: "failed", failure: "event", status: 422, error: "HTTP 422" },
  ...{ retryAfterSeconds: null, pause: false, slow: false },
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

  test("is not repeated while it lasts, but others are told", async () => {
    const { alerts, letters, clock, events } = await aScene();
    alerts.raise(replaced);
    clock.advance(hours(2));
    alerts.raise(replaced);
    alerts.raise(endpointAlert("ep_1", "endpoint_failing"));
    alerts.raise(endpointAlert("ep_2", "endpoint_failing"));
    alerts.raise(hubAlert("disk_low"));
    alerts.raise(replaced);
    await alerts.idle();
    expect(letters).toHaveLength(4);
    expect((await events()).map(({ sessionId }) => sessionId)).toEqual(["s1", "_hub", "_hub", "_hub"]);
  });

  test("is told once when it begins, once a day while it lasts, and once when it is over", async () => {
    const { alerts, letters, clock, told, becomes } = await aScene();
    alerts.raise(replaced);
    for (let hour = 1; hour < 24; hour++) {
      clock.advance(hours(1));
      alerts.raise(replaced);
      await alerts.deliver();
    }
    expect(await told()).toEqual(["replaced began"]);
    clock.advance(hours(1));
    await alerts.deliver();
    await alerts.deliver();
    expect(letters[1]).toContain("Front desk: Still so after 24 h: Another program took");
    await becomes(isWell);
    await alerts.deliver();
    clock.advance(minutes(9));
    await alerts.deliver();
    expect(letters).toHaveLength(2);
    clock.advance(minutes(1));
    await alerts.deliver();
    clock.advance(hours(48));
    await alerts.deliver();
    expect(await told()).toEqual(["replaced began", "replaced lasts", "replaced ended"]);
    expect(letters).toHaveLength(3);
    expect(letters[2]).toContain("Over now: Another program took");
    expect(letters[2]).toContain("it lasted 24 h");
    expect(letters[2]).toContain("dur=C3=B3 24 h");

    await becomes(isReplaced);
    alerts.raise(replaced);
    await alerts.idle();
    expect((await told()).at(-1)).toBe("replaced began");
  });

  test("that flickers is one alert", async () => {
    const { alerts, clock, told, becomes } = await aScene();
    alerts.raise(replaced);
    alerts.raise(hubAlert("disk_low"));
    for (let n = 0; n < 20; n++) {
      await becomes(isWell);
      alerts.over({ sessionId: "_hub", cause: "disk_low" });
      await alerts.deliver();
      clock.advance(minutes(9));
      await alerts.deliver();
      await becomes(isReplaced);
      alerts.raise(replaced);
      alerts.raise(hubAlert("disk_low"));
      await alerts.deliver();
    }
    expect(await told()).toEqual(["replaced began", "disk_low began"]);
  });

  test("lasts over restarts: it is reminded of in its time, and its end is told", async () => {
    const scene = await aScene();
    scene.alerts.raise(replaced);
    await scene.restart();
    scene.alerts.raise(replaced);
    scene.clock.advance(hours(24));
    await scene.alerts.deliver();
    await scene.restart();
    await scene.alerts.deliver();
    expect(await scene.told()).toEqual(["replaced began", "replaced lasts"]);
    await scene.becomes(isWell);
    await scene.restart();
    await scene.alerts.deliver();
    scene.clock.advance(minutes(10));
    await scene.alerts.deliver();
    await scene.restart();
    await scene.alerts.deliver();
    expect(await scene.told()).toEqual(["replaced began", "replaced lasts", "replaced ended"]);
  });

  test("ends without a word where somebody gave an order, or where the endpoint is gone", async () => {
    const { alerts, clock, told, becomes } = await aScene();
    alerts.raise(replaced);
    alerts.raise(endpointAlert("ep_gone", "endpoint_paused"));
    await alerts.idle();
    const before = await told();
    const reason = { code: "stopped", text: "", blame: "user", advice: "", at: T0 } as const;
    await becomes({ state: "stopped", reason });
    await alerts.deliver();
    clock.advance(hours(25));
    await alerts.deliver();
    expect(await told()).toEqual(before);
  });

  test("about parked events lasts until they are sent again or dismissed", async () => {
    const { alerts, clock, told, store } = await aScene();
    const endpoint = anEndpoint({ events: ["bot.status"] });
    await store.endpoints.save(endpoint);
    const news = {
      event: "bot.status",
      chatId: null,
      data: {},
      exceptClient: null,
      notBefore: null,
    } as const;
    await store.events.append("s1", [news], clock.now());
    const now = clock.now();
    const [due] = await store.outbox.leaseDue({ endpointId: endpoint.id, now, limit: 1 });
    if (due === undefined) throw new Error("nothing is owed");
    const { patch } = settleAttempt({
      ...{ attempts: 5, result: refusal, isFirstRefusal: false, probing: false, stepsAside: false },
      ...{ opens: false, softFailures: 0, now, random: 0.5 },
    });
    await store.outbox.settle([{ n: due.n, laneId: due.laneId, patch, attempt: null }], now);
    const alertsTold = async () => (await told()).filter((one) => one.startsWith("events_parked"));

    alerts.raise(endpointAlert(endpoint.id, "events_parked"));
    clock.advance(hours(1));
    await alerts.deliver();
    clock.advance(hours(1));
    await alerts.deliver();
    expect(await alertsTold()).toEqual(["events_parked began"]);
    await store.outbox.dismiss({ endpointId: endpoint.id, state: "dead" }, clock.now());
    await alerts.deliver();
    clock.advance(minutes(11));
    await alerts.deliver();
    expect(await alertsTold()).toEqual(["events_parked began", "events_parked ended"]);
  });

  test("wakes nobody: what was held back is one letter in the morning", async () => {
    const { alerts, letters, clock, events } = await aScene({ quiet: "22:00-07:00" });
    clock.set(new Date(2025, 10, 7, 23, 30));
    alerts.raise(replaced);
    alerts.raise(hubAlert("disk_low"));
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
    scene.alerts.raise(hubAlert("disk_low"));
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
