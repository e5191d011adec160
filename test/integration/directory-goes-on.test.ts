/** A directory sync left to itself: what did not come to its end is gone on with the same day, and never with another directory. */
import { afterEach, describe, expect, test } from "vitest";
import type { DirectorySync } from "../../bridge/directory/directory-sync.ts";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { directoryRig, type DirectoryRig } from "../support/directory-rig.ts";
import { hours, minutes } from "../support/fixed-clock.ts";
import { manualTime } from "../support/manual-time.ts";
import { wisproFailure, wisproRecords } from "../support/wispro-server.ts";

let rig: DirectoryRig;
afterEach(() => rig.stop());

const pages = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

const withTime = async (count: number) => {
  const time = manualTime();
  rig = await directoryRig({ records: wisproRecords(count), schedule: time.schedule });
  /** Long before the next daily hour. */
  const sync = rig.process({ clock: time.clock, hour: (time.clock.now().getHours() + 20) % 24 });
  await sync.startDaily();
  const pass = (ms: number, by: DirectorySync = sync) => time.pass(ms, () => by.idle());
  return { ...rig, time, sync, pass };
};

describe("by itself", () => {
  test("a run whose time is over goes on also when the bridge is restarted before the minute has passed", async () => {
    const { time, sync, wispro, process } = await withTime(2_500);
    wispro.answers(({ page }) => {
      if (page === 10) time.clock.advance(minutes(16));
      return null;
    });
    await sync.start();
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "incomplete", page: 10 });
    await sync.stop();
    const next = process({ clock: time.clock, hour: (time.clock.now().getHours() + 20) % 24 });
    await next.startDaily();
    await time.pass(minutes(1), () => next.idle());
    expect(next.status()).toMatchObject({ status: "completed", created: 2_500 });
    expect(next.jobs()).toHaveLength(1);
  });

  test("a rest the directory asks for is kept, however long, and the pass goes on after it", async () => {
    const { sync, wispro, pass, time } = await withTime(500);
    const until = time.clock.now().getTime() + minutes(45);
    wispro.answers(({ page }) =>
      page === 3 && time.clock.now().getTime() < until
        ? { kind: "answer", status: 429, headers: { "retry-after": "1200" }, body: "" }
        : null,
    );
    await sync.start();
    await pass(minutes(61));
    expect(sync.status()).toMatchObject({ status: "completed", created: 500 });
    // One try each 20 minutes, none before.
    expect(wispro.pages()).toEqual([1, 2, 3, 3, 3, ...pages(3, 5)]);
  });

  test("a CRM that was away for a minute costs the day nothing", async () => {
    const { sync, crm, pass } = await withTime(2_500);
    crm.beforeWrites((externalId) => {
      if (Number(externalId) > 1_250) throw new CrmUnavailable("restarting");
      return null;
    });
    await sync.start();
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "failed", page: 13 });
    crm.beforeWrites();
    await pass(minutes(1));
    expect(sync.status()).toMatchObject({
      status: "completed",
      page: 25,
      errors: 0,
      failed: [],
      error: null,
    });
    expect(sync.jobs()).toHaveLength(1);
    expect(crm.all()).toHaveLength(2_500);
  });

  test("a first page that could not be read is tried again, later each time, and not for ever", async () => {
    const { sync, wispro, pass, log, process, time } = await withTime(300);
    wispro.answers(() => ({ kind: "answer", status: 503, body: "" }));
    await sync.start();
    await sync.idle();
    const runs = () => wispro.requests().length / 3;
    for (const [after, count] of [
      [1, 2],
      [2, 3],
      [5, 4],
      [15, 5],
      [60, 6],
      [180, 7],
      [600, 7],
    ] as const) {
      await pass(minutes(after));
      expect(runs()).toBe(count);
    }
    expect(log.lines("directory.not_tried_again")).toHaveLength(1);
    expect(sync.jobs()).toHaveLength(1);
    await sync.stop();

    wispro.answers();
    const restarted = process({ clock: time.clock, hour: (time.clock.now().getHours() + 2) % 24 });
    await restarted.startDaily();
    await pass(minutes(1), restarted);
    expect(restarted.status()).toMatchObject({ status: "completed", created: 300, errors: 0, failed: [] });
    expect(restarted.jobs()).toHaveLength(1);
  });

  test("nothing begins anew where a person brought the pass to its end before", async () => {
    const { sync, wispro, pass } = await withTime(300);
    wispro.answers(({ page }) => (page === 2 ? wisproFailure(500) : null));
    await sync.start();
    await sync.idle();
    wispro.answers();
    await sync.retry("all");
    await sync.idle();
    const asked = wispro.requests().length;
    await pass(hours(2));
    expect(wispro.requests()).toHaveLength(asked);
    expect(sync.jobs()).toHaveLength(1);
  });

  test("without an hour there is no daily pass, but what was begun is gone on with", async () => {
    const { time, sync, process, crm, wispro } = await withTime(300);
    await sync.stop();
    const manual = process({ clock: time.clock, hour: null });
    await manual.startDaily();
    await time.pass(hours(50), () => manual.idle());
    expect(manual.status()).toBeNull();
    expect(time.waiting()).toBe(0);
    crm.beforeWrites((externalId) => {
      if (Number(externalId) > 150) throw new CrmUnavailable("restarting");
      return null;
    });
    await manual.start();
    await manual.idle();
    crm.beforeWrites();
    await time.pass(hours(50), () => manual.idle());
    expect(manual.status()).toMatchObject({ status: "completed", failed: [] });
    const asked = wispro.requests().length;
    await manual.startDaily();
    await time.pass(hours(50), () => manual.idle());
    expect(wispro.requests()).toHaveLength(asked);
  });
});

describe("another directory", () => {
  test("does not go on in the middle of the old one's pass", async () => {
    const { time, sync, wispro, process, crm, source } = await withTime(2_500);
    wispro.answers(({ page }) => {
      if (page === 10) time.clock.advance(minutes(16));
      return null;
    });
    const { jobId } = await sync.start();
    await sync.idle();
    await sync.stop();
    wispro.answers();

    const other = process({ clock: time.clock, source: { ...source, name: "billing" } });
    await other.startDaily();
    expect(other.status()).toMatchObject({
      jobId,
      source: "wispro",
      status: "failed",
      error: "it was left unfinished when another directory was configured",
    });
    await expect(other.retry("all")).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    await expect(other.retry({ id: jobId })).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    await other.start();
    await other.idle();
    expect(other.status()).toMatchObject({
      source: "billing",
      status: "completed",
      page: 25,
      created: 1_500,
    });
    expect(wispro.pages()).toEqual([...pages(1, 10), ...pages(1, 25)]);
    expect(crm.all()).toHaveLength(2_500);
  });
});

describe("pages of another size", () => {
  test("a page that could not be read is among those read anew", async () => {
    rig = await directoryRig({ records: wisproRecords(1_000) });
    const { wispro, crm, pass } = rig;
    wispro.largestPage(100);
    let isBroken = true;
    wispro.answers(({ page }) => {
      if (page === 5) wispro.largestPage(50);
      if (page === 5) isBroken = false;
      return isBroken && page === 3 ? wisproFailure(500) : null;
    });
    const job = await pass();
    expect(job).toMatchObject({ status: "completed", errors: 0, failed: [], created: 1_000, unchanged: 100 });
    expect(crm.all()).toHaveLength(1_000);
  });

  test("a retry of it finds the same clients, and not those that have its number now", async () => {
    rig = await directoryRig({ records: wisproRecords(1_000) });
    const { wispro, crm, pass, sync } = rig;
    wispro.largestPage(100);
    wispro.answers(({ page }) => (page === 3 || page === 8 ? wisproFailure(500) : null));
    expect(await pass()).toMatchObject({ status: "failed", created: 800, errors: 2 });
    wispro.answers();
    wispro.largestPage(50);
    await sync.retry("all");
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "completed", created: 1_000, errors: 0, failed: [] });
    expect(crm.all()).toHaveLength(1_000);
  });
});

test("who was written before a run ended on a page is counted once, as what they were", async () => {
  const { sync, crm, pass } = await withTime(500);
  crm.beforeWrites((externalId) => {
    if (Number(externalId) > 250) throw new CrmUnavailable("restarting");
    return null;
  });
  await sync.start();
  await sync.idle();
  expect(sync.status()).toMatchObject({ status: "failed", created: 250, unchanged: 0 });
  crm.beforeWrites();
  await pass(minutes(1));
  expect(sync.status()).toMatchObject({ status: "completed", created: 500, unchanged: 0, errors: 0 });
});
