/** A directory sync that did not come to its end: killed, stopped, or out of time. It goes on where it was. */
import { afterEach, describe, expect, test } from "vitest";
import { newJob } from "../../bridge/directory/directory-job.ts";
import type { DirectorySource } from "../../bridge/directory/source.ts";
import { directoryRig, type DirectoryRig } from "../support/directory-rig.ts";
import { hours, minutes } from "../support/fixed-clock.ts";
import { manualTime } from "../support/manual-time.ts";
import { until } from "../support/until.ts";
import { wisproRecords } from "../support/wispro-server.ts";

let rig: DirectoryRig;
const withClients = async (count: number): Promise<DirectoryRig> => {
  rig = await directoryRig({ records: wisproRecords(count) });
  return rig;
};
afterEach(() => rig.stop());

describe("kills and stops", () => {
  /** A process that stands still at page `n` for ever, as far as anybody can see: killed. */
  const killedAt = (n: number, by: DirectoryRig): DirectorySource => ({
    ...by.source,
    page: (page, signal) =>
      page === n
        ? new Promise((_resolve, reject) => signal.addEventListener("abort", reject))
        : by.source.page(page, signal),
  });

  test("killed before every one of its 25 pages, the pass goes on there and comes to the same end", async () => {
    const { crm, wispro, state, process } = await withClients(2_500);
    for (let n = 1; n <= 25; n += 1) {
      const victim = process({ source: killedAt(n, rig) });
      await victim.startDaily();
      if (n === 1) await victim.start();
      await until(`page ${n - 1} to be kept`, () => state.read().directoryJobs[0]?.page === n - 1);
    }
    const survivor = process();
    await survivor.startDaily();
    await survivor.idle();
    expect(survivor.jobs()).toHaveLength(1);
    expect(survivor.status()).toMatchObject({ status: "completed", page: 25, created: 2_500, unchanged: 0 });
    expect(wispro.pages()).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    expect(crm.counts()).toEqual({ asked: 2_500, written: 2_500 });
  });

  test("killed in the middle of a page, it writes nobody twice", async () => {
    const { crm, process, sync } = await withClients(500);
    crm.beforeWrites((externalId) => {
      // The victim stops with its work half done; nothing of this page is kept in the state.
      if (externalId === "250") void sync.stop();
      return null;
    });
    const { jobId } = await sync.start();
    await sync.idle();
    expect(sync.status()).toMatchObject({ jobId, status: "running", page: 2, created: 200 });
    const next = process();
    await next.startDaily();
    expect(await next.start()).toEqual({ jobId, alreadyRunning: true });
    await next.idle();
    expect(next.status()).toMatchObject({ status: "completed", created: 450, unchanged: 50, errors: 0 });
    expect(crm.all()).toHaveLength(500);
  });

  test("a stop does not wait for an answer that does not come", async () => {
    const { sync, wispro } = await withClients(500);
    wispro.answers(() => ({ kind: "hang" }));
    await sync.start();
    await until("the request", () => wispro.requests().length === 1);
    await sync.stop();
    expect(sync.status()).toMatchObject({ status: "running", page: 0 });
    await expect(sync.start()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("fifteen minutes", () => {
  test("a run stops when its time is over, and the next one goes on at the page", async () => {
    const { pass, sync, clock, wispro, crm, log } = await withClients(2_500);
    wispro.answers(() => {
      clock.advance(minutes(1.5));
      return null;
    });
    const first = await pass();
    expect(first).toMatchObject({ status: "incomplete", page: 10, created: 1_000, error: null });
    expect(log.lines("directory.incomplete")).toHaveLength(1);
    expect(await sync.start()).toEqual({ jobId: first.jobId, alreadyRunning: false });
    expect(await sync.wait(first.jobId)).toMatchObject({ status: "incomplete", page: 20, created: 2_000 });
    expect(await pass()).toMatchObject({ jobId: first.jobId, status: "completed", created: 2_500 });
    expect(wispro.pages()).toHaveLength(25);
    expect(crm.counts().asked).toBe(2_500);
    expect((await pass()).jobId).not.toBe(first.jobId);
  });

  test("left to itself it goes on a minute later", async () => {
    const time = manualTime();
    rig = await directoryRig({ records: wisproRecords(2_500) });
    const { wispro } = rig;
    const sync = rig.process({ clock: time.clock, schedule: time.schedule, runMs: 10 });
    let nth = 0;
    wispro.answers(() => {
      nth += 1;
      if (nth === 12) void time.pass(11, () => Promise.resolve());
      return null;
    });
    await sync.startDaily();
    await sync.start();
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "incomplete", page: 12 });
    await time.pass(minutes(1), () => sync.idle());
    expect(sync.status()).toMatchObject({ status: "completed", created: 2_500 });
    expect(sync.jobs()).toHaveLength(1);
  });

  test("a rest that the directory asks for and that outlasts the run ends it there, without a failure", async () => {
    const { pass, wispro } = await withClients(500);
    wispro.answers(({ page }) =>
      page === 3 ? { kind: "answer", status: 429, headers: { "retry-after": "3600" }, body: "" } : null,
    );
    expect(await pass()).toMatchObject({ status: "incomplete", page: 2, errors: 0, failed: [] });
    wispro.answers();
    expect(await pass()).toMatchObject({ status: "completed", created: 500 });
  });
});

test("a job of another directory that never began is no pass, and the missed hour is made up for", async () => {
  rig = await directoryRig({ records: wisproRecords(3) });
  const { state, process, sync } = rig;
  await state.update((data) => {
    data.directoryJobs = [newJob("dir_left", "billing")];
  });
  await sync.startDaily();
  await sync.idle();
  expect(sync.jobs()).toMatchObject([
    { source: "wispro", status: "completed", created: 3 },
    { jobId: "dir_left", status: "failed", startedAt: null },
  ]);
  await sync.stop();
  const next = process();
  await next.startDaily();
  expect(next.jobs()).toHaveLength(2);
});

test("a pass whose hour came while the bridge was down is made up for at its start, once", async () => {
  const time = manualTime();
  rig = await directoryRig({ records: wisproRecords(3), schedule: time.schedule });
  const parts = { clock: time.clock };
  const before = rig.process(parts);
  await before.startDaily();
  expect(before.status()).toBeNull();
  await rig.pass(before);
  await before.stop();

  const soon = rig.process(parts);
  await time.pass(hours(1), () => Promise.resolve());
  await soon.startDaily();
  expect(soon.jobs()).toHaveLength(1);
  await soon.stop();

  await time.pass(hours(24), () => Promise.resolve());
  const late = rig.process(parts);
  await late.startDaily();
  await late.idle();
  expect(late.jobs()).toHaveLength(2);
  expect(late.status()).toMatchObject({ status: "completed", unchanged: 3 });
  await late.startDaily();
  expect(late.jobs()).toHaveLength(2);
});
