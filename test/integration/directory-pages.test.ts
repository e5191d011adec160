/** How a directory's pages are gone through, whatever their size, and how little of them is held. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, test } from "vitest";
import type { DirectorySource } from "../../bridge/directory/source.ts";
import { directoryRig, type DirectoryRig } from "../support/directory-rig.ts";
import { wisproRecords } from "../support/wispro-server.ts";

setFlagsFromString("--expose-gc");
// The flag gives the function to contexts made after it was set.
const collectGarbage = runInNewContext("gc") as () => void;

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

let rig: DirectoryRig;
const withClients = async (count: number): Promise<DirectoryRig> => {
  rig = await directoryRig({ records: wisproRecords(count) });
  return rig;
};
afterEach(() => rig.stop());

describe("pages", () => {
  test("an empty directory is a pass that did nothing", async () => {
    const { pass, wispro } = await withClients(0);
    expect(await pass()).toMatchObject({ status: "completed", totalRecords: 0, created: 0, errors: 0 });
    expect(wispro.pages()).toEqual([1]);
  });

  test("smaller pages than asked for leave nobody out", async () => {
    const { pass, wispro, crm } = await withClients(250);
    wispro.largestPage(30);
    expect(await pass()).toMatchObject({ totalPages: 9, created: 250 });
    expect(crm.all()).toHaveLength(250);
  });

  test.each([
    ["smaller", 100, 40],
    ["larger", 40, 100],
  ])("pages that become %s on the way leave nobody out", async (_name, before, after) => {
    const { pass, wispro, crm } = await withClients(500);
    wispro.largestPage(before);
    wispro.answers(({ page }) => {
      if (page === 3) wispro.largestPage(after);
      return null;
    });
    const job = await pass();
    expect(job).toMatchObject({ status: "completed", errors: 0, totalPages: Math.ceil(500 / after) });
    expect(crm.all()).toHaveLength(500);
    expect(job.created).toBe(500);
  });

  test("a directory that says another page size each time is not asked for ever", async () => {
    const { pass, wispro } = await withClients(500);
    let nth = 0;
    wispro.answers(() => {
      nth += 1;
      wispro.largestPage(nth % 2 === 0 ? 50 : 100);
      return null;
    });
    expect(await pass()).toMatchObject({
      status: "failed",
      error: "the directory says another page size each time",
    });
    expect(wispro.requests()).toHaveLength(3);
  });
});

test("memory is flat: of 400 pages only the last few are held at any time", async () => {
  rig = await directoryRig({ records: [] });
  const held = new Set<WeakRef<object>>();
  let mostHeld = 0;
  const source: DirectorySource = {
    name: "made up",
    codePrefix: "X",
    page: (n) => {
      if (n % 20 === 0) {
        collectGarbage();
        for (const reference of held) if (reference.deref() === undefined) held.delete(reference);
        mostHeld = Math.max(mostHeld, held.size);
      }
      const clients = range(1, 100).map((index) => {
        const id = String((n - 1) * 100 + index);
        return {
          externalId: id,
          name: `Client ${id}`,
          email: null,
          phone: null,
          address: "x".repeat(1_000),
          zone: null,
          nationalId: `V-${id}`,
          code: null,
          details: null,
        };
      });
      held.add(new WeakRef(clients));
      return new Promise((resolve) =>
        setImmediate(() =>
          resolve({ clients, unreadable: [], totalPages: 400, totalRecords: 40_000, perPage: 100 }),
        ),
      );
    },
  };
  const sync = rig.process({
    source,
    clients: {
      find: () => Promise.resolve([]),
      create: () => Promise.resolve({ outcome: "created" }),
      update: () => Promise.resolve({ outcome: "unchanged" }),
    },
  });
  expect(await rig.pass(sync)).toMatchObject({ status: "completed", created: 40_000 });
  expect(mostHeld).toBeLessThan(5);
});
