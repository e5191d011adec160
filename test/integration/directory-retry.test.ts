/** What failed in a directory sync, tried again: one, a page, all. */
import { afterEach, describe, expect, test } from "vitest";
import { directoryRig, type DirectoryRig } from "../support/directory-rig.ts";
import { wisproFailure, wisproRecords } from "../support/wispro-server.ts";

let rig: DirectoryRig;
const withClients = async (count: number): Promise<DirectoryRig> => {
  rig = await directoryRig({ records: wisproRecords(count) });
  return rig;
};
afterEach(() => rig.stop());

describe("trying again", () => {
  const withFailures = async (): Promise<DirectoryRig> => {
    const made = await withClients(500);
    made.crm.beforeWrites((externalId) =>
      ["120", "130", "480"].includes(externalId) ? { outcome: "rejected", error: "no" } : null,
    );
    made.wispro.answers(({ page }) => (page === 3 ? wisproFailure(500) : null));
    expect(await made.pass()).toMatchObject({ status: "failed", created: 397, errors: 4 });
    return made;
  };

  test("one failure", async () => {
    const { sync, crm, wispro } = await withFailures();
    crm.beforeWrites();
    const { asked } = crm.counts();
    expect(await sync.retry({ id: "2:130" })).toMatchObject({ retrying: 1, alreadyRunning: false });
    await sync.idle();
    const job = sync.status();
    expect(job).toMatchObject({ created: 398, errors: 3, status: "failed" });
    expect(job?.failed.map(({ id }) => id)).toEqual(["2:120", "3", "5:480"]);
    expect(crm.counts().asked).toBe(asked + 1);
    expect(wispro.pages().at(-1)).toBe(2);
  });

  test("one page", async () => {
    const { sync, wispro } = await withFailures();
    wispro.answers();
    expect(await sync.retry({ page: 3 })).toMatchObject({ retrying: 1 });
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "completed", created: 497, errors: 3, error: null });
    expect(await sync.retry({ page: 2 })).toMatchObject({ retrying: 2 });
    await sync.idle();
    expect(sync.status()?.failed).toMatchObject([
      { id: "5:480", attempts: 1 },
      { id: "2:120", attempts: 2 },
      { id: "2:130", attempts: 2 },
    ]);
  });

  test("all of them", async () => {
    const { sync, crm, wispro } = await withFailures();
    crm.beforeWrites();
    wispro.answers();
    expect(await sync.retry("all")).toMatchObject({ retrying: 4 });
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "completed", created: 500, errors: 0, failed: [] });
    expect(crm.all()).toHaveLength(500);
  });

  test("the job's own id means all of it", async () => {
    const { sync } = await withFailures();
    expect(await sync.retry({ id: sync.status()?.jobId ?? "" })).toMatchObject({ retrying: 4 });
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "failed", errors: 4 });
  });

  test("a client that left its page is said to, and found by the next pass", async () => {
    const { sync, crm, wispro } = await withFailures();
    crm.beforeWrites();
    wispro.answers();
    wispro.holds(wisproRecords(500).filter(({ id }) => id !== 120));
    await sync.retry({ page: 2 });
    await sync.idle();
    expect(sync.status()?.failed).toContainEqual({
      id: "2:120",
      page: 2,
      externalId: "120",
      error: "not on this page any more; a new run finds it",
      attempts: 2,
    });
  });

  test("what does not exist cannot be tried again", async () => {
    const { sync } = await withClients(10);
    await expect(sync.retry("all")).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
    await sync.start();
    await sync.idle();
    await expect(sync.retry({ id: "9:9" })).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
    await expect(sync.wait("dir_unknown")).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
  });
});
