/** O4 of the fault table, for the bridge: its clock is set right after it was ahead. No wait becomes longer, nothing is passed over. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { schedule } from "../../bridge/cron.ts";
import { createDaily } from "../../bridge/directory/daily.ts";
import { createElapsed } from "../../bridge/elapsed.ts";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { createFeedLag } from "../../bridge/feed-lag.ts";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { ADMIN, APP, openBridgeRig, READER } from "../support/bridge-rig.ts";
import { createFakeHub, hubDown } from "../support/fake-hub.ts";
import { HOLE_MS, openFeed } from "../support/feed-rig.ts";
import { fixedClock, hours, minutes, seconds } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { manualTime } from "../support/manual-time.ts";
import { openOutgoingRig } from "../support/outgoing-rig.ts";
import { fill, syncWorld } from "../support/sync-rig.ts";
import { until } from "../support/until.ts";

const days = (count: number): number => hours(24 * count);

test("O4: what passed becomes no less when the clock is set back, and goes on from there", () => {
  const clock = fixedClock();
  const elapsed = createElapsed(clock);
  clock.advance(seconds(5));
  expect(elapsed()).toBe(5_000);
  clock.advance(-days(30));
  expect(elapsed()).toBe(5_000);
  clock.advance(seconds(1));
  expect(elapsed()).toBe(6_000);
});

describe("O4: a sync job waits for its next try, and the clock was thirty days ahead", () => {
  async function aWaitingJob() {
    const world = syncWorld();
    fill(world.hub, { contacts: 2, chats: 1, messages: 1 });
    world.time.setsClock(days(30));
    world.hub.before = ({ method }) => {
      if (method === "contacts") throw hubDown();
    };
    const { queue } = world.begin();
    await queue.start();
    await queue.request("s1", "connected");
    await queue.idle();
    expect(queue.jobs("s1")).toMatchObject([{ status: "waiting", attempts: 1 }]);
    world.hub.before = () => undefined;
    world.time.setsClock(-days(30));
    return { world, queue };
  }

  test("O4: it is tried after its ten seconds", async () => {
    const { world, queue } = await aWaitingJob();
    await world.time.pass(seconds(10), queue.idle);
    expect(queue.jobs("s1")).toMatchObject([{ status: "completed" }]);
  });

  test("O4: it is tried as soon as another request joins it, and no timer is longer than it can be", async () => {
    const { world, queue } = await aWaitingJob();
    await queue.request("s1", "hourly");
    await world.time.pass(0, queue.idle);
    expect(queue.jobs("s1")).toMatchObject([{ status: "completed", reasons: ["connected", "hourly"] }]);
  });

  test("O4: it is tried at once after a restart", async () => {
    const { world } = await aWaitingJob();
    world.time.forgetTimers();
    const { queue } = world.begin();
    await queue.start();
    await queue.idle();
    expect(queue.jobs("s1")).toMatchObject([{ status: "completed" }]);
  });
});

describe("O4: a session was synced while the clock was thirty days ahead", () => {
  const since = ({ args }: { args: unknown[] }): unknown =>
    (args[1] as { updatedAfter?: number }).updatedAfter; // what `contacts` takes

  test("O4: all of it is read again by the next sync, and what changed since by the ones after", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 2, chats: 1, messages: 1 });
    const { queue } = world.begin();
    await queue.start();
    const syncs = async (): Promise<unknown[]> => {
      world.hub.calls.length = 0;
      await queue.request("s1", "hourly");
      await queue.idle();
      return world.hub.calls.filter(({ method }) => method === "contacts").map(since);
    };
    const seconds = (): number => Math.floor(world.time.clock.now().getTime() / 1000);
    world.time.setsClock(days(30));
    await syncs();
    world.time.setsClock(-days(30));
    const setRight = seconds();
    expect(await syncs()).toEqual([undefined]);
    world.time.clock.advance(hours(1));
    expect(await syncs()).toEqual([setRight - 120]);
  });

  test("O4: the newest job is the one that ran last, whatever the clock said", async () => {
    const rig = await openBridgeRig({ given: ({ store }) => store.addSession({ sessionId: "s1" }) });
    await rig.bridge.idle();
    rig.clock.advance(days(30));
    await rig.method("api.sync.sync_session_complete", { session_name: "s1", wait: 5 });
    rig.clock.advance(-days(30));
    const last = await rig.method("api.sync.sync_session_complete", { session_name: "s1", wait: 5 });
    const { sessions } = (await rig.method("api.sync.get_sync_status")).message;
    expect(sessions).toMatchObject([{ job: { job_id: last.message["job_id"] } }]);
  });
});

test("O4: a sync under way takes no longer than it may, an hour back or not", async () => {
  const world = syncWorld();
  fill(world.hub, { contacts: 900, chats: 1, messages: 1 });
  let pages = 0;
  world.hub.before = ({ method }) => {
    if (method !== "contacts") return;
    pages += 1;
    world.time.setsClock(pages === 2 ? -hours(1) : 0);
    world.time.clock.advance(minutes(3));
  };
  const { queue } = world.begin();
  await queue.start();
  await queue.request("s1", "manual");
  await queue.idle();
  expect(queue.jobs("s1")).toMatchObject([{ status: "incomplete" }]);
});

test("O4: what waits for the hub is sent soon after it is back, an hour back or not", async () => {
  const rig = await openOutgoingRig();
  rig.isAway();
  await rig.send("x");
  rig.clock.advance(-hours(1));
  rig.isBack();
  await rig.settled();
  expect(rig.taken).toHaveLength(1);
});

describe("O4: an hour back, answers that are kept for a moment are still made anew", () => {
  test("O4: how far the hub is ahead", async () => {
    const clock = fixedClock();
    const hub = createFakeHub();
    const lag = createFeedLag({
      hub,
      state: createMemoryState(),
      applied: () => ({ top: 0, missing: 0 }),
      clock,
    });
    await lag();
    hub.before = () => {
      throw hubDown();
    };
    clock.advance(-hours(1));
    expect((await lag()).isReachable).toBe(true);
    clock.advance(seconds(2));
    expect((await lag()).isReachable).toBe(false);
  });

  test("O4: whether the CRM is well", async () => {
    let isDown = false;
    const adapter = createMemoryAdapter({ clock: fixedClock() });
    const check = (): Promise<void> =>
      isDown ? Promise.reject(new CrmUnavailable("down")) : adapter.check();
    const rig = await openBridgeRig({ overrides: { adapter: { ...adapter, check } } });
    expect((await rig.call("GET", "/readyz")).status).toBe(200);
    isDown = true;
    rig.clock.advance(-hours(1));
    expect((await rig.call("GET", "/readyz")).status).toBe(200);
    rig.clock.advance(seconds(6));
    expect((await rig.call("GET", "/readyz")).status).toBe(503);
  });
});

test("O4: who gave wrong keys waits for a minute, an hour back or not", async () => {
  const rig = await openBridgeRig();
  const status = async (key: string): Promise<number> =>
    (await rig.call("GET", `/api/method/${APP}.api.sync.get_sync_status`, { key })).status;
  for (let n = 0; n < 10; n++) await status(`crm:wrong-${n}`);
  expect([await status(ADMIN), await status(READER)]).toEqual([429, 200]);
  rig.clock.advance(-hours(1));
  expect(await status(ADMIN)).toBe(429);
  rig.clock.advance(minutes(1));
  expect(await status(ADMIN)).toBe(200);
});

test("O4: a hole among pushed events is read, an hour back or not", async () => {
  const clock = fixedClock();
  const { feed, pushed, applied } = await openFeed({ events: 60, mark: 50, clock });
  pushed(52);
  clock.advance(-hours(1));
  await until("the hole is read", () => {
    clock.advance(HOLE_MS);
    return applied.length > 0;
  });
  expect(applied).toEqual([51]);
  await feed.stop();
});

describe("O4: thirty days back, what has its hour", () => {
  test("O4: a directory is read every day, once", async () => {
    const time = manualTime();
    let runs = 0;
    const daily = createDaily({ hour: 3, work: () => (runs += 1), again: () => undefined, ...time });
    daily.start();
    time.setsClock(days(30));
    await time.pass(days(1), () => Promise.resolve());
    expect(runs).toBe(1);
    time.setsClock(-days(30));
    await time.pass(days(3), () => Promise.resolve());
    expect(runs).toBe(4);
    daily.stop();
  });

  test("O4: an hourly sync comes within the hour", async () => {
    vi.useFakeTimers({ now: new Date("2026-11-26T10:59:00Z") });
    onTestFinished(() => void vi.useRealTimers());
    const log = logBook();
    let runs = 0;
    const task = schedule("0 * * * *", () => Promise.resolve((runs += 1)), { log });
    onTestFinished(() => task.stop());
    await vi.advanceTimersByTimeAsync(minutes(2));
    expect(runs).toBe(1);
    vi.setSystemTime(new Date("2026-10-27T11:01:00Z"));
    await vi.advanceTimersByTimeAsync(hours(3));
    expect(runs).toBe(4);
    expect(log.lines("schedule.planned_anew")).toHaveLength(1);
  });
});
