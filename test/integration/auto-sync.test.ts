import { describe, expect, onTestFinished, test, vi } from "vitest";
import { schedule } from "../../bridge/cron.ts";
import { createAutoSync } from "../../bridge/sync/auto-sync.ts";
import { hubDown } from "../support/fake-hub.ts";
import { logBook } from "../support/log-book.ts";
import { fill, syncWorld } from "../support/sync-rig.ts";
import { until } from "../support/until.ts";

const log = logBook();

function aWorld(cron: string | null = "0 * * * *") {
  const world = syncWorld();
  for (const sessionId of ["s1", "s2", "s3"])
    fill(world.hub, { contacts: 2, chats: 1, messages: 1, sessionId });
  world.hub.turns("s3", "disconnected");
  const { queue } = world.begin();
  const { clock } = world.time;
  const delays: number[] = [];
  const delay = (ms: number, work: () => void) => {
    delays.push(ms);
    return world.time.schedule(ms, work);
  };
  return {
    ...world,
    queue,
    delays,
    auto: createAutoSync({ queue, hub: world.hub, cron, clock, log, delay }),
  };
}

describe("all sessions at once", () => {
  test("are the connected ones", async () => {
    const { auto, queue } = aWorld();
    await queue.start();
    expect(await auto.runNow({ waitMs: 60_000 })).toEqual({
      totalSessions: 2,
      synced: 2,
      failed: 0,
      errors: [],
    });
    expect(queue.jobs().map(({ sessionId, reasons }) => [sessionId, reasons])).toEqual([
      ["s1", ["hourly"]],
      ["s2", ["hourly"]],
    ]);
  });

  test("name those that failed", async () => {
    const { auto, queue, hub } = aWorld();
    hub.before = ({ args }) => {
      if (args[0] === "s2") hub.store.sessions.delete("s2");
    };
    await queue.start();
    const { synced, errors } = await auto.runNow({ waitMs: 60_000 });
    expect({ synced, errors }).toEqual({
      synced: 1,
      errors: [{ session: "s2", error: "The hub has none." }],
    });
  });

  test("are refused when the automatic sync is switched off", async () => {
    const { auto } = aWorld(null);
    auto.start();
    await expect(auto.runNow()).rejects.toMatchObject({ code: "SYNC_DISABLED" });
    auto.stop();
  });
});

test("at its time each session gets a moment of its own, within the time to the next run", async () => {
  const { auto, delays } = aWorld("* * * * * *");
  auto.start();
  await until("the sessions got their moments", () => delays.length >= 2);
  auto.stop();
  expect(new Set(delays).size).toBe(2);
  expect(Math.max(...delays)).toBeLessThan(800);
});

describe("at a time far from the next one", () => {
  /** The clock stands a moment before it; what the bridge plans then is told at once. */
  const nightly = () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(new Date(2026, 10, 26, 2, 59, 59));
    return aWorld("0 3 * * *");
  };

  test("sessions get their moments within the hour: a sync of each night is over in the morning", async () => {
    const { auto, delays } = nightly();
    auto.start();
    await vi.advanceTimersByTimeAsync(2_000);
    auto.stop();
    expect(delays).toHaveLength(2);
    expect(Math.max(...delays)).toBeLessThan(48 * 60_000);
  });

  test("they get none when it is stopped while the hub is asked who is connected", async () => {
    const { auto, delays, hub } = nightly();
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    hub.after = () => held;
    auto.start();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(hub.calls.map(({ method }) => method)).toEqual(["sessions"]);
    auto.stop();
    letGo();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(delays).toEqual([]);
  });
});

describe("a schedule", () => {
  test("refuses an expression that is none", () => {
    for (const expression of ["", "every hour", "61 * * * *", "* * *"])
      expect(() => schedule(expression, () => Promise.resolve(), { log }), expression).toThrow(
        "is no cron expression",
      );
  });

  test("goes on after a run that failed, and ends when it is stopped", async () => {
    let runs = 0;
    const task = schedule("* * * * * *", () => ((runs += 1), Promise.reject(hubDown())), { log });
    expect(task.untilNextMs()).toBeLessThanOrEqual(1000);
    await until("two runs", () => runs >= 2);
    task.stop();
    expect(log.lines("schedule.run_failed").length).toBeGreaterThanOrEqual(2);
  });
});
