/** A directory of 2,500 clients into a CRM, over HTTP, page by page. */
import { afterEach, describe, expect, test } from "vitest";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { createDirectorySync } from "../../bridge/directory/directory-sync.ts";
import type { Contact } from "../../bridge/records.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { directoryRig, TOKEN, type DirectoryRig } from "../support/directory-rig.ts";
import { fixedClock, minutes } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { manualTime } from "../support/manual-time.ts";
import { aWisproRecord, wisproRecords, type WisproRecord } from "../support/wispro-server.ts";

let rig: DirectoryRig;
const withDirectory = async (records: WisproRecord[]): Promise<DirectoryRig> => {
  rig = await directoryRig({ records });
  return rig;
};
afterEach(() => rig.stop());

const personWithNumber = (digits: string): Contact => ({
  id: `${digits}@c.us`,
  phone: `+${digits}`,
  name: "Ana",
  notify: null,
  pushname: null,
  shortName: null,
  verifiedName: null,
  about: null,
  imgUrl: null,
  profilePicUrl: null,
  lid: null,
  isUser: true,
  isGroup: false,
  isWAContact: true,
  isMyContact: true,
  isBlocked: false,
  isEnterprise: false,
  updatedAt: 1_769_853_600,
});

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("a pass over 2,500 clients", () => {
  test("answers at once, reads 25 pages one after the other, and creates everyone", async () => {
    const { sync, crm, wispro } = await withDirectory(wisproRecords(2_500));
    const { jobId, alreadyRunning } = await sync.start();
    expect(alreadyRunning).toBe(false);
    expect(crm.all()).toHaveLength(0);
    expect(sync.status()).toMatchObject({ jobId, page: 0 });

    expect(await sync.wait(jobId)).toMatchObject({
      status: "completed",
      page: 25,
      totalPages: 25,
      totalRecords: 2_500,
      created: 2_500,
      updated: 0,
      unchanged: 0,
      skipped: 0,
      errors: 0,
      failed: [],
    });
    expect(wispro.pages()).toEqual(range(1, 25));
    expect(crm.all()).toHaveLength(2_500);
    expect(crm.withExternalId("1234")).toMatchObject({
      code: "C-1234",
      name: "Client 1234",
      phone: "+584141001234",
      zone: "North",
      nationalId: "10001234",
      password: null,
      status: "invited",
    });
  });

  test("writes a line at its start, every ten pages and at its end, and nothing about anybody", async () => {
    const { pass, log, sync } = await withDirectory(wisproRecords(2_500));
    await pass();
    expect(log.lines().map(({ event, facts }) => [event, facts["page"] ?? null])).toEqual([
      ["directory.started", null],
      ["directory.progress", 10],
      ["directory.progress", 20],
      ["directory.completed", 25],
    ]);
    expect(log.lines("directory.completed")[0]?.facts).toEqual({
      jobId: sync.status()?.jobId,
      page: 25,
      totalPages: 25,
      totalRecords: 2_500,
      created: 2_500,
      updated: 0,
      unchanged: 0,
      skipped: 0,
      errors: 0,
    });
    expect(log.text()).not.toMatch(/Client \d|@|0414|58414|V-1|Street/);
    expect(log.text()).not.toContain(TOKEN);
  });

  test("a second pass writes only what changed", async () => {
    const { pass, crm, wispro } = await withDirectory(wisproRecords(2_500));
    await pass();
    const moved = wisproRecords(2_500);
    moved[700] = aWisproRecord(701, { address: "Another street" });
    wispro.holds(moved);
    const { written } = crm.counts();
    expect(await pass()).toMatchObject({ created: 0, updated: 1, unchanged: 2_499, errors: 0 });
    expect(crm.counts().written).toBe(written + 1);
    expect(crm.withExternalId("701")).toMatchObject({ address: "Another street" });
  });

  test("a second start while one runs answers the same job and begins nothing", async () => {
    const { sync, wispro, crm } = await withDirectory(wisproRecords(500));
    const starts = await Promise.all([sync.start(), sync.start(), sync.start()]);
    expect(new Set(starts.map(({ jobId }) => jobId)).size).toBe(1);
    expect(starts.map(({ alreadyRunning }) => alreadyRunning)).toEqual([false, true, true]);
    expect(await sync.retry("all")).toMatchObject({ alreadyRunning: true, retrying: 0 });
    await sync.idle();
    expect(wispro.pages()).toEqual(range(1, 5));
    expect(crm.counts().asked).toBe(500);
    expect(sync.jobs()).toHaveLength(1);
  });
});

describe("who is meant", () => {
  test("what belongs to the CRM is never touched, whoever is matched", async () => {
    const { pass, crm } = await withDirectory([
      aWisproRecord(1, { status: "banned", role: "admin", password: "x", plan: "gold", custom_id: "NEW-1" }),
      aWisproRecord(2, { status: "banned", role: "admin", password: "x", plan: "gold" }),
    ]);
    const own = { password: "hash", role: "admin", status: "active", plan: "fibre 300" };
    crm.has({ ...own, externalId: "1", nationalId: "999", code: "OLD-1" });
    crm.has({ ...own, externalId: "", nationalId: "10000002", code: "OLD-2" });
    expect(await pass()).toMatchObject({ updated: 2, created: 0 });
    expect(crm.withExternalId("1")).toMatchObject({
      ...own,
      name: "Client 1",
      nationalId: "999",
      code: "OLD-1",
    });
    expect(crm.withExternalId("2")).toMatchObject({
      ...own,
      name: "Client 2",
      nationalId: "10000002",
      code: "OLD-2",
    });
  });

  test("no national id is skipped, a part of one is nobody's, and two candidates are an error without a write", async () => {
    const { pass, crm } = await withDirectory([
      aWisproRecord(1, { national_identification_number: null }),
      aWisproRecord(2, { national_identification_number: "N/A" }),
      aWisproRecord(3, { national_identification_number: "V-1.234.567" }),
      aWisproRecord(4, { national_identification_number: "E-55.555" }),
    ]);
    crm.has({ externalId: "a", nationalId: "12345678", name: "Longer id" });
    crm.has({ externalId: "b", nationalId: "55555", name: "First" });
    crm.has({ externalId: "c", nationalId: "55555", name: "Second" });
    expect(await pass()).toMatchObject({
      status: "completed",
      created: 1,
      updated: 0,
      skipped: 2,
      errors: 1,
      failed: [{ id: "1:4", page: 1, externalId: "4", error: "2 clients of the CRM could be this one" }],
    });
    expect(crm.all().map(({ name }) => name)).toEqual(["Longer id", "First", "Second", "Client 3"]);
  });

  test("what a person filled in stays where the directory says nothing", async () => {
    const { pass, crm } = await withDirectory([
      aWisproRecord(1, { email: null, address: "", zone_name: null }),
    ]);
    crm.has({
      externalId: "1",
      nationalId: "10000001",
      email: "own@example.com",
      address: "Own street",
      zone: "Own",
    });
    await pass();
    expect(crm.withExternalId("1")).toMatchObject({
      email: "own@example.com",
      address: "Own street",
      zone: "Own",
      phone: "+584141000001",
    });
  });

  test("a poisoned client fails alone, whatever way the CRM says it", async () => {
    const { pass, crm, log } = await withDirectory(
      wisproRecords(300).map((record, index) => (index === 250 ? { ...record, name: null } : record)),
    );
    crm.beforeWrites((externalId) => {
      if (externalId === "50") return { outcome: "rejected", error: "the e-mail of Client 50 is taken" };
      if (externalId === "150") throw new Error("Data too long for Client 150");
      return null;
    });
    expect(await pass()).toMatchObject({
      status: "completed",
      created: 297,
      errors: 3,
      failed: [
        { id: "1:50", page: 1, externalId: "50", error: "the e-mail of Client 50 is taken", attempts: 1 },
        { id: "2:150", page: 2, externalId: "150", error: "Data too long for Client 150", attempts: 1 },
        { id: "3:251", page: 3, externalId: "251", error: "name is missing", attempts: 1 },
      ],
    });
    expect(log.text()).not.toContain("Client ");
  });

  test("failed clients are listed up to a bound and counted beyond it", async () => {
    const { pass, crm } = await withDirectory(wisproRecords(300));
    crm.beforeWrites(() => ({ outcome: "rejected", error: "no".repeat(1000) }));
    const job = await pass();
    expect(job).toMatchObject({ status: "completed", created: 0, errors: 300 });
    expect(job.failed).toHaveLength(200);
    expect(JSON.stringify(job).length).toBeLessThan(100_000);
  });
});

test("in the embedded CRM a client has its contact, and keeps what a person set", async () => {
  const clock = fixedClock();
  const adapter = createMemoryAdapter({ clock });
  rig = await directoryRig({ records: wisproRecords(150), clients: adapter.clients });
  await adapter.upsertContacts({
    sessionId: "s1",
    position: 1,
    items: [personWithNumber("584141000120")],
  });
  expect(await rig.pass()).toMatchObject({ status: "completed", created: 150, errors: 0 });
  const client = async (externalId: string): Promise<Record<string, unknown> | undefined> =>
    (
      await adapter.documents?.list({
        doctype: "WhatsApp Client",
        fields: ["*"],
        filters: [["external_id", "=", externalId]],
        orderBy: [],
        start: 0,
        limit: 2,
      })
    )?.[0];
  const before = await client("120");
  expect(before).toMatchObject({ client_code: "C-120", national_id: "10000120", phone: "+584141000120" });
  expect(before?.["contact"]).toBeTruthy();

  adapter.edit("WhatsApp Client", String(before?.["name"]), { status: "active", role: "owner", plan: "300" });
  rig.wispro.holds(
    wisproRecords(150).map((record) => (record["id"] === 120 ? { ...record, name: "New name" } : record)),
  );
  expect(await rig.pass()).toMatchObject({ created: 0, updated: 1, unchanged: 149, errors: 0 });
  expect(await client("120")).toMatchObject({
    client_name: "New name",
    client_code: "C-120",
    national_id: "10000120",
    status: "active",
    role: "owner",
    plan: "300",
  });
});

describe("by itself", () => {
  test("a pass begins every day at its hour", async () => {
    const time = manualTime();
    rig = await directoryRig({ records: wisproRecords(3), schedule: time.schedule });
    const daily = rig.process({ clock: time.clock, hour: 3 });
    await daily.startDaily();
    expect(daily.status()).toBeNull();
    await time.pass(minutes(24 * 60), () => daily.idle());
    expect(daily.jobs()).toHaveLength(1);
    await time.pass(minutes(24 * 60), () => daily.idle());
    expect(daily.jobs()).toHaveLength(2);
    const startedAt = new Date(daily.status()?.startedAt ?? 0);
    expect([startedAt.getHours(), startedAt.getMinutes()]).toEqual([3, 0]);
    await daily.stop();
    expect(time.waiting()).toBe(0);
  });
});

test("a CRM without a place for clients says so", async () => {
  rig = await directoryRig({ records: [] });
  const sync = createDirectorySync({
    source: rig.source,
    clients: undefined,
    state: createMemoryState(),
    clock: fixedClock(),
    log: logBook(),
  });
  await sync.startDaily();
  await expect(sync.start()).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
  await expect(sync.retry("all")).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
});

test("two records with one national id: the first has the client, the other is told of every time", async () => {
  const same = { national_identification_number: "V-12345678" };
  const { sync, crm } = await withDirectory([
    aWisproRecord(1, { name: "Ana", ...same }),
    aWisproRecord(2, { name: "Ana again", ...same }),
  ]);
  for (const outcome of [{ created: 1 }, { unchanged: 1 }, { unchanged: 1 }]) {
    const job = await rig.pass(sync);
    expect(job).toMatchObject({ ...outcome, updated: 0, errors: 1 });
    expect(job.failed).toMatchObject([{ externalId: "2" }]);
    expect(crm.all()).toMatchObject([{ externalId: "1", name: "Ana" }]);
  }
});
