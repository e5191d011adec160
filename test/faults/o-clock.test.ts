/** O4 of the fault table: the clock of the machine is moved, by an hour, by thirty days, for the summer, a little at a time. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isQuiet, parseQuietHours } from "../../hub/alerts/quiet-hours.ts";
import { createClockTrust } from "../../hub/core/clock-trust.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { startUpkeep } from "../../hub/store/upkeep.ts";
import { anEndpoint, aNewEvent, aNewSession } from "../support/builders.ts";
import { fixedClock, hours, minutes, seconds } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { openOutboxRig } from "../support/outbox-rig.ts";
import { openSessionRig } from "../support/session-rig.ts";

const days = (count: number): number => hours(24 * count);

describe("O4: the clock is moved while events wait to be tried again", () => {
  test("O4: an hour back: they wait no longer, are signed with the new time, and it is told once", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    crm.answers({ kind: "answer", status: 500 });
    await rig.says("34600111222", "one");
    await rig.says("34600111222", "two");
    await rig.after(0);
    expect(crm.counts().requests).toBe(1);
    crm.answers();
    await rig.after(-hours(1));
    await rig.after(seconds(4));
    expect(crm.counts().requests).toBe(1);
    await rig.after(seconds(2));
    expect(crm.counts()).toMatchObject({ unique: 2, duplicated: 0, outOfOrder: 0, badSignatures: 0 });
    expect(rig.logged("clock.set_back")).toHaveLength(1);
  });

  test.each([
    ["an hour", hours(1)],
    ["thirty days", days(30)],
  ])("O4: %s forward and back again: nothing is given up, lost, or told twice", async (_name, jump) => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    crm.answers({ kind: "answer", status: 500 });
    for (let n = 0; n < 3; n++) await rig.says(`3460011122${n}`, `before ${n}`);
    await rig.after(0);
    rig.clock.advance(jump);
    await rig.after(seconds(1));
    for (let n = 0; n < 3; n++) await rig.says(`3460011122${n}`, `ahead ${n}`);
    await rig.after(seconds(1));
    rig.clock.advance(-jump);
    crm.answers();
    for (let n = 0; n < 3; n++) await rig.says(`3460011122${n}`, `after ${n}`);
    for (let n = 0; n < 30; n++) await rig.after(seconds(10));
    expect(crm.counts()).toMatchObject({ unique: 9, duplicated: 0, outOfOrder: 0, badSignatures: 0 });
    expect((await rig.deliveries()).every(({ state }) => state === "delivered")).toBe(true);
  });

  test("O4: a little at a time, and for the summer: nobody notices", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    for (let n = 0; n < 20; n++) {
      await rig.says("34600111222", `${n}`);
      await rig.after(n % 2 === 0 ? -seconds(2) : seconds(3));
    }
    expect(crm.counts()).toMatchObject({ unique: 20, duplicated: 0, outOfOrder: 0, badSignatures: 0 });
    expect(rig.logged("clock.set_back")).toEqual([]);
  });
});

describe("O4: the clock is moved while the hub does not run", () => {
  test.each([
    ["an hour back", hours(1), minutes(2)],
    ["back from thirty days ahead", days(30), minutes(2)],
    ["not, but it was thirty days ahead when this was planned", 0, days(30)],
  ])("O4: %s: what waits is due when it was", async (_name, backMs, waitMs) => {
    const dataDir = await mkdtemp(join(tmpdir(), "hub-o4-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const clock = fixedClock();
    const log = logBook();
    const open = () => openStore({ dataDir, publicUrl: "http://hub.example", clock, log });
    const store = await open();
    await store.sessions.create(aNewSession());
    const endpoint = anEndpoint({ events: ["*"] });
    await store.endpoints.save(endpoint);
    await store.events.append("s1", [aNewEvent()], clock.now());
    const [due] = await store.outbox.leaseDue({ endpointId: endpoint.id, now: clock.now(), limit: 1 });
    if (due === undefined) throw new Error("nothing is due");
    const nextAttemptAt = new Date(clock.now().getTime() + waitMs);
    await store.outbox.settle(
      [
        {
          n: due.n,
          laneId: due.laneId,
          patch: {
            state: "retrying",
            attempts: 1,
            nextAttemptAt,
            lastStatus: 500,
            lastError: "HTTP 500",
            failure: "endpoint",
            doneAt: null,
          },
          attempt: { n: 1, at: clock.now(), ms: 5, status: 500, error: "HTTP 500", responseHead: null },
        },
      ],
      clock.now(),
    );
    await store.close();

    clock.advance(-backMs);
    const again = await open();
    const next = await again.outbox.nextDueAt(endpoint.id);
    expect((next?.getTime() ?? Infinity) - clock.now().getTime()).toBeLessThanOrEqual(minutes(2));
    expect(log.lines("clock.set_back").map(({ facts }) => facts)).toEqual(backMs === 0 ? [] : [{ backMs }]);
    await again.close();
    const later = await open();
    expect(await later.outbox.nextDueAt(endpoint.id)).toEqual(next);
    await later.close();
  });
});

test("O4: thirty days forward: it is told, and nothing is removed for being old until somebody could set it right", async () => {
  const clock = fixedClock();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  onTestFinished(() => store.close());
  await store.sessions.create(aNewSession());
  for (let n = 0; n < 5; n++) await store.events.append("s1", [aNewEvent()], clock.now());
  const log = logBook();
  let passed = 0;
  const pass = (ms: number): void => {
    clock.advance(ms);
    passed += ms;
  };
  const upkeep = startUpkeep({
    ...store,
    clock,
    isClockTrusted: createClockTrust({ clock, log, elapsed: () => passed }),
    ...{ removeFile: () => Promise.resolve(), retentionDays: null },
    log,
  });
  onTestFinished(() => upkeep.stop());
  const kept = async (): Promise<number> =>
    (await store.events.after({ after: 0, limit: 100, sessions: "*" })).length;

  clock.advance(days(31));
  await upkeep.run();
  expect(await kept()).toBe(5);
  expect(log.lines("clock.set_forward")).toHaveLength(1);
  pass(hours(1));
  await upkeep.run();
  expect(await kept()).toBe(5);
  // Set right: it is believed again at once, and nothing is old.
  clock.advance(-days(31));
  await upkeep.run();
  pass(days(32));
  await upkeep.run();
  expect(await kept()).toBe(0);
});

describe("O4: forty days forward, with a login in quarantine and a session that was just deleted", () => {
  async function withThingsToLose() {
    const rig = await openSessionRig();
    const gone = await rig.connected("gone", "34600999888");
    await rig.connected("away", "34600999777");
    await rig.sessions.restoreAll();
    await rig.store.auth.commit("away", { creds: Buffer.from("c"), fingerprint: "f", keys: [], intake: [] });
    await rig.store.auth.quarantine("away", "test", rig.time.clock.now());
    await rig.sessions.remove("gone", { logout: false });
    gone.whenOpened(() => gone.opens());
    const kept = async (): Promise<[boolean, number]> => [
      gone.retirements.length === 0,
      (await rig.store.auth.quarantined("away")).length,
    ];
    return { rig, gone, kept };
  }

  test("O4: both are kept until somebody could set it right, and go when nobody did", async () => {
    const { rig, kept } = await withThingsToLose();
    rig.time.setsClock(days(40));
    await rig.pass(hours(19));
    expect(await kept()).toEqual([true, 1]);
    await rig.pass(hours(18));
    expect(await kept()).toEqual([false, 0]);
  });

  test("O4: set right within the day, the session goes when its week is over", async () => {
    const { rig, kept } = await withThingsToLose();
    rig.time.setsClock(days(40));
    await rig.pass(hours(7));
    rig.time.setsClock(-days(40));
    await rig.pass(days(6));
    expect(await kept()).toEqual([true, 1]);
    await rig.pass(days(2));
    expect(await kept()).toEqual([false, 1]);
  });

  test("O4: the deleted session comes back without a scan meanwhile", async () => {
    const { rig, gone } = await withThingsToLose();
    rig.time.setsClock(days(40));
    const { session } = await rig.sessions.create({ sessionId: "gone" });
    expect(session).toMatchObject({ phoneNumber: "34600999888" });
    expect(gone.retirements).toEqual([]);
  });
});

test("O4: a night in which the clocks are changed is quiet from evening to morning, by the clock on the wall", () => {
  const before = process.env["TZ"];
  onTestFinished(() => {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  });
  process.env["TZ"] = "Europe/Madrid";
  const night = parseQuietHours("22:00-07:00");
  const quiet = (utc: string): boolean => isQuiet(night, new Date(utc));
  // To winter: 3:00 becomes 2:00 at 1:00 UTC.
  expect(
    ["2026-10-24T20:00Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T05:59Z"].map(quiet),
  ).toEqual([true, true, true, true]);
  expect(quiet("2026-10-25T06:00Z")).toBe(false);
  // To summer: 2:00 becomes 3:00 at 1:00 UTC.
  expect(["2026-03-28T21:00Z", "2026-03-29T00:59Z", "2026-03-29T04:59Z"].map(quiet)).toEqual([
    true,
    true,
    true,
  ]);
  expect(quiet("2026-03-29T05:00Z")).toBe(false);
});
