/** A directory sync in trouble: pages that fail, a CRM that goes away, a state that cannot be kept. */
import { afterEach, describe, expect, test } from "vitest";
import { CrmMisconfigured, CrmUnavailable } from "../../bridge/errors.ts";
import { directoryRig, type DirectoryRig } from "../support/directory-rig.ts";
import { aWisproRecord, wisproFailure, wisproRecords } from "../support/wispro-server.ts";

let rig: DirectoryRig;
const withClients = async (count: number): Promise<DirectoryRig> => {
  rig = await directoryRig({ records: wisproRecords(count) });
  return rig;
};
afterEach(() => rig.stop());

describe("pages that fail", () => {
  test("a page that fails twice arrives at the third try and nobody notices", async () => {
    const { pass, wispro } = await withClients(2_500);
    let failures = 0;
    wispro.answers(({ page }) => {
      if (page !== 7 || failures === 2) return null;
      failures += 1;
      return wisproFailure(500);
    });
    expect(await pass()).toMatchObject({ status: "completed", created: 2_500, errors: 0, failed: [] });
    expect(wispro.pages().filter((page) => page === 7)).toHaveLength(3);
  });

  test("a page that fails three times is recorded, and the next ones are read", async () => {
    const { pass, wispro, crm, log } = await withClients(2_500);
    wispro.answers(({ page }) => {
      if (page === 7) return wisproFailure(402, "unpaid");
      return page === 25 ? { kind: "cut-body", body: '{"status":200,"data":[' } : null;
    });
    expect(await pass()).toMatchObject({
      status: "failed",
      error: "2 of 25 pages could not be read",
      page: 25,
      created: 2_300,
      errors: 2,
      failed: [
        { id: "7", page: 7, externalId: null, error: "status 402 inside HTTP 200: unpaid", attempts: 3 },
        { id: "25", page: 25, externalId: null, attempts: 3 },
      ],
    });
    expect(crm.all()).toHaveLength(2_300);
    expect(log.lines("directory.page_failed").map(({ facts }) => facts["page"])).toEqual([7, 25]);
  });

  test("without a first page there are no totals: the pass fails, and a retry goes on to the end", async () => {
    const { pass, wispro, sync } = await withClients(300);
    wispro.answers(() => ({ kind: "answer", status: 503, body: "" }));
    expect(await pass()).toMatchObject({ status: "failed", error: "HTTP 503", totalPages: 0, errors: 1 });
    wispro.answers();
    const { jobId, retrying } = await sync.retry("all");
    expect(retrying).toBe(1);
    expect(await sync.wait(jobId)).toMatchObject({
      status: "completed",
      created: 300,
      errors: 0,
      failed: [],
    });
  });

  test("a token that is taken back stops the pass at once; with a new one a retry goes on", async () => {
    const { pass, wispro, sync, crm } = await withClients(2_500);
    wispro.answers(({ page }) => {
      if (page === 13) wispro.revokes();
      return page === 13 ? wisproFailure(401) : null;
    });
    const job = await pass();
    expect(job).toMatchObject({ status: "failed", page: 13, created: 1_200, failed: [{ id: "13" }] });
    expect(job.error).toContain("refuses the token");
    expect(wispro.pages()).toHaveLength(13);
    wispro.accepts("raw-token-of-the-directory");
    wispro.answers();
    await sync.retry("all");
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "completed", created: 2_500, errors: 0, failed: [] });
    expect(crm.all()).toHaveLength(2_500);
  });

  test("a directory of which 200 pages fail is broken, and is not asked on", async () => {
    const { pass, wispro, process } = await withClients(250);
    wispro.largestPage(1);
    wispro.answers(({ page }) => (page > 1 ? wisproFailure(500) : null));
    const job = await pass(process({ backoffMs: [] }));
    expect(job).toMatchObject({ status: "failed", page: 201, errors: 200 });
    expect(job.error).toMatch(/^200 pages could not be read/);
  });
});

describe("a CRM in trouble", () => {
  test("a CRM that is away for a moment costs nothing and doubles nothing", async () => {
    const { pass, crm } = await withClients(500);
    let failures = 0;
    crm.beforeWrites((externalId) => {
      if (externalId === "250" && failures < 2) {
        failures += 1;
        throw new CrmUnavailable("restarting");
      }
      return null;
    });
    expect(await pass()).toMatchObject({ status: "completed", created: 500, unchanged: 0, errors: 0 });
    expect(crm.counts().asked).toBe(502);
  });

  test.each([new CrmUnavailable("the site is down for Ana"), new CrmMisconfigured("no permission for Ana")])(
    "a CRM that stays away ends the pass with its reason; a retry goes on there: %s",
    async (trouble) => {
      const { pass, crm, sync, wispro, log } = await withClients(2_500);
      crm.beforeWrites((externalId) => {
        if (Number(externalId) > 1_250) throw trouble;
        return null;
      });
      expect(await pass()).toMatchObject({
        status: "failed",
        error: trouble.message,
        page: 13,
        created: 1_250,
        failed: [{ id: "13", page: 13, externalId: null, error: trouble.message, attempts: 3 }],
      });
      expect(log.lines("directory.failed")).toMatchObject([{ facts: { reason: trouble.name } }]);
      expect(log.text()).not.toContain("Ana");
      expect(wispro.pages()).toHaveLength(13);

      crm.beforeWrites();
      const { jobId, retrying } = await sync.retry("all");
      expect(retrying).toBe(1);
      const job = await sync.wait(jobId);
      expect(job).toMatchObject({ status: "completed", page: 25, errors: 0, failed: [], error: null });
      expect(job).toMatchObject({ created: 2_500, unchanged: 0 });
      expect(crm.all()).toHaveLength(2_500);
    },
  );
});

describe("clients with which the CRM fails", () => {
  /** The CRM answers 500 for these, as one whose trigger stumbles over a value. */
  const failsFor =
    (bad: string[]) =>
    (externalId: string): null => {
      if (bad.includes(externalId)) throw new CrmUnavailable("HTTP 500");
      return null;
    };
  const numbered = (from: number, to: number): string[] =>
    Array.from({ length: to - from + 1 }, (_, n) => String(from + n));

  test("one alone is an error of its own, the pass goes on, and a retry brings it", async () => {
    const { pass, crm, sync, log } = await withClients(500);
    crm.beforeWrites(failsFor(["250"]));
    expect(await pass()).toMatchObject({
      ...{ status: "completed", page: 5, created: 499, errors: 1, error: null },
      failed: [{ id: "3:250", page: 3, externalId: "250", error: "HTTP 500" }],
    });
    expect(crm.all()).toHaveLength(499);
    expect(log.lines("directory.page_failed")).toEqual([]);

    await sync.retry("all");
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "completed", errors: 1, failed: [{ id: "3:250" }] });
    crm.beforeWrites();
    await sync.retry({ id: "3:250" });
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "completed", created: 500, errors: 0, failed: [] });
  });

  test("many, here and there and several after each other, end no pass and no retry", async () => {
    const { pass, crm, sync } = await withClients(500);
    const bad = [...numbered(130, 162), "7", "60", "101", "260", "300", "499"];
    crm.beforeWrites(failsFor(bad));
    const errors = bad.length;
    expect(await pass()).toMatchObject({ status: "completed", page: 5, created: 500 - errors, errors });
    await sync.retry("all");
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "completed", created: 500 - errors, errors });
    crm.beforeWrites();
    await sync.retry("all");
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "completed", created: 500, errors: 0, failed: [] });
  });

  test("a CRM that is away is known by them also on pages of one client", async () => {
    const { pass, crm, wispro } = await withClients(50);
    wispro.largestPage(1);
    crm.beforeWrites((externalId) => {
      if (Number(externalId) > 20) throw new CrmUnavailable("HTTP 503");
      return null;
    });
    expect(await pass()).toMatchObject({ status: "failed", page: 25, created: 20, error: "HTTP 503" });
    expect(Math.max(...wispro.pages())).toBe(25);
  });

  test("a retry of them ends soon where the CRM does not even answer what it knows", async () => {
    const { pass, crm, process } = await withClients(500);
    crm.beforeWrites(failsFor(numbered(130, 162)));
    await pass();
    let asked = 0;
    const away = () => {
      asked += 1;
      return Promise.reject(new CrmUnavailable("no answer"));
    };
    const sync = process({ clients: { ...crm, find: away } });
    await sync.retry("all");
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "failed", errors: 33, error: "no answer" });
    expect(asked).toBe(8);
  });
});

test("a state that cannot be kept fails the pass and says so, and the next start works", async () => {
  rig = await directoryRig({ records: [aWisproRecord(1)] });
  let isFull = false;
  const sync = rig.process({
    state: {
      ...rig.state,
      update: async (change) => {
        if (isFull) throw new Error("ENOSPC: no space left on device");
        await rig.state.update(change);
      },
    },
  });
  rig.wispro.answers(() => {
    isFull = true;
    return null;
  });
  await sync.start();
  await sync.idle();
  expect(rig.log.lines("directory.broke")).toHaveLength(1);
  expect(rig.log.lines("directory.state_lost")).toHaveLength(1);
  isFull = false;
  rig.wispro.answers();
  expect(await rig.pass(sync)).toMatchObject({ status: "completed", unchanged: 1, errors: 0 });
});

test("a state that cannot be kept from the start begins nothing", async () => {
  rig = await directoryRig({ records: [aWisproRecord(1)] });
  const sync = rig.process({
    state: { ...rig.state, update: () => Promise.reject(new Error("ENOSPC: no space left on device")) },
  });
  await expect(sync.start()).rejects.toThrow("ENOSPC");
  await sync.idle();
  expect(rig.wispro.requests()).toEqual([]);
  expect(sync.status()).toBeNull();
});
