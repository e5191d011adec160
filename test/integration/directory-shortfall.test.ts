/** A directory that gives fewer clients than it says it has: never "completed" with a part of them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { jsonSourceSchema } from "../../bridge/directory/json-source-config.ts";
import { createJsonSource } from "../../bridge/directory/json-source.ts";
import { directoryRig, type DirectoryRig } from "../support/directory-rig.ts";
import { wisproRecords } from "../support/wispro-server.ts";

let rig: DirectoryRig;
afterEach(() => rig.stop());

const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, n) => first + n);

/** A directory of `total` people in pages of `size`, whatever is asked for. */
async function jsonDirectory({
  total,
  size,
  meta = () => ({ total }),
  config = {},
  hidden = [],
}: {
  total: number;
  size: number | (() => number);
  meta?: () => object;
  config?: object;
  /** Taken out of their pages after those were made. */
  hidden?: number[];
}) {
  const asked: number[] = [];
  const server = createServer((request, response) => {
    const page = Number(new URL(request.url ?? "", "http://127.0.0.1").searchParams.get("page"));
    const length = typeof size === "number" ? size : size();
    asked.push(page);
    const all = Array.from({ length: total }, (_, n) => ({
      id: n,
      name: `N ${n}`,
      document: `V-${1000 + n}`,
    }));
    const data = all.slice((page - 1) * length, page * length).filter(({ id }) => !hidden.includes(id));
    response.end(JSON.stringify({ data, meta: meta() }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  // A server that listens on a port has an address of this shape.
  const { port } = server.address() as AddressInfo;
  const source = createJsonSource(
    jsonSourceSchema.parse({
      url: `http://127.0.0.1:${port}/?page={page}`,
      list: "data",
      totalRecords: "meta.total",
      fields: { externalId: "id", name: "name", nationalId: "document" },
      ...config,
    }),
  );
  return { source, asked };
}

describe("a directory of JSON that does not tell the size of its pages", () => {
  test.each([
    ["its own idea of a page", 1_000, 15],
    ["a bound below what was asked for", 1_000, 50],
    ["larger pages than asked for", 1_000, 300],
  ])("%s leaves nobody out", async (_name, total, size) => {
    const { source, asked } = await jsonDirectory({ total, size });
    rig = await directoryRig({ records: [] });
    const job = await rig.pass(rig.process({ source }));
    expect(job).toMatchObject({ status: "completed", created: total, errors: 0, perPage: size });
    expect(rig.crm.all()).toHaveLength(total);
    expect(asked).toEqual(Array.from({ length: Math.ceil(total / size) }, (_, n) => n + 1));
  });

  test.each([
    ["on its first page", [4, 5, 6], [1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 97],
    [
      "on its first pages, less each time",
      [...from(0, 20), ...from(100, 10)],
      [1, 2, 1, 2, 3, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      170,
    ],
    ["on a later page", [404], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0],
  ])("some kept back %s leave nobody else out, and no page is asked for that is none", async (...row) => {
    const [, hidden, pages, again] = row;
    const { source, asked } = await jsonDirectory({ total: 1_000, size: 100, hidden });
    rig = await directoryRig({ records: [] });
    const sync = rig.process({ source });
    const created = 1_000 - hidden.length;
    expect(await rig.pass(sync)).toMatchObject({ status: "completed", created, unchanged: again, errors: 0 });
    expect(asked).toEqual(pages);
    expect(await rig.pass(sync)).toMatchObject({ status: "completed", created: 0, errors: 0 });
    expect(asked).toEqual([...pages, ...pages]);
  });

  test("one whose pages became shorter since the last pass leaves nobody out", async () => {
    const total = 1_000;
    let size = 100;
    const { source } = await jsonDirectory({ total, hidden: [4], size: () => size });
    rig = await directoryRig({ records: [] });
    const sync = rig.process({ source });
    await rig.pass(sync);
    size = 30;
    expect(await rig.pass(sync)).toMatchObject({ status: "completed", page: 34, perPage: 30 });
  });

  test("another process goes on with the same size of pages, learnt from the first", async () => {
    const { source } = await jsonDirectory({ total: 100, size: 15 });
    const never = new AbortController().signal;
    rig = await directoryRig({ records: [] });
    expect(await source.page(7, never)).toMatchObject({
      totalPages: 7,
      perPage: 15,
      clients: { length: 10 },
    });
  });
});

test("where the size it tells is not that of its pages, the pass says how many came", async () => {
  const { source } = await jsonDirectory({
    total: 1_000,
    size: 50,
    meta: () => ({ total: 1_000, size: 100 }),
    config: { pageSize: "meta.size" },
  });
  rig = await directoryRig({ records: [] });
  expect(await rig.pass(rig.process({ source }))).toMatchObject({
    status: "failed",
    created: 500,
    error: "500 of 1000 clients came: the pages hold fewer than the directory says",
  });
});

test.each([null, "", true])("a count of %j is none", async (total) => {
  const { source } = await jsonDirectory({ total: 10, size: 10, meta: () => ({ total }) });
  rig = await directoryRig({ records: [] });
  expect(await rig.pass(rig.process({ source }))).toMatchObject({
    status: "failed",
    error: "meta.total is not a count",
  });
});

describe("Wispro", () => {
  const pageOf = (page: number, change: object, data: unknown[]) => ({
    kind: "answer" as const,
    body: {
      status: 200,
      meta: {
        pagination: { total_records: 500, total_pages: 5, per_page: 100, current_page: page, ...change },
      },
      data,
    },
  });

  test.each([3, 5])("page %i without anybody on it is one that failed, and is tried again", async (n) => {
    rig = await directoryRig({ records: wisproRecords(500) });
    const { wispro, pass, sync, crm } = rig;
    wispro.answers(({ page }) => (page === n ? pageOf(n, {}, []) : null));
    expect(await pass()).toMatchObject({
      status: "failed",
      created: 400,
      failed: [
        { id: String(n), error: `page ${n} of 5 is empty, with 100 clients to a page and 500 in all` },
      ],
    });
    wispro.answers();
    await sync.retry("all");
    await sync.idle();
    expect(sync.status()).toMatchObject({ status: "completed", created: 500, failed: [] });
    expect(crm.all()).toHaveLength(500);
  });

  test.each([null, "", 0])("pages that are said to be %j end no pass as complete", async (pages) => {
    rig = await directoryRig({ records: wisproRecords(500) });
    const { wispro, pass } = rig;
    wispro.answers(({ page }) => pageOf(page, { total_pages: pages }, wisproRecords(100)));
    expect(await pass()).toMatchObject({ status: "failed" });
  });

  test("clients that leave while it is read make short pages, and no failure", async () => {
    rig = await directoryRig({ records: wisproRecords(500) });
    const { wispro, pass } = rig;
    wispro.answers(({ page }) => {
      if (page === 3) wispro.holds(wisproRecords(500).slice(30));
      return null;
    });
    expect(await pass()).toMatchObject({ status: "completed", totalRecords: 470, errors: 0 });
  });
});

test("numbers too large to be exact are nobody's ids", async () => {
  const big = ["9007199254740992", "9007199254740993"];
  const body = (field: string): string =>
    `{"meta":{"total":3},"data":[${big
      .map((n, at) => `{"id":${at},"name":"N ${at}","document":"V-${at + 1}","custom":"C","${field}":${n}}`)
      .join(",")},{"id":7,"name":"Eva","document":"V-7777"}]}`;
  for (const field of ["id", "document", "custom"]) {
    const server = createServer((_request, response) => response.end(body(field)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const source = createJsonSource(
      jsonSourceSchema.parse({
        url: `http://127.0.0.1:${port}/{page}`,
        list: "data",
        totalRecords: "meta.total",
        fields: { externalId: "id", name: "name", nationalId: "document", code: "custom" },
      }),
    );
    rig = await directoryRig({ records: [] });
    const job = await rig.pass(rig.process({ source }));
    expect(job).toMatchObject({ status: "completed", created: 1, updated: 0, errors: 2 });
    expect(job.failed.map(({ error }) => error)).toEqual(
      big.map(() => expect.stringMatching(/is a number too large to be exact/) as string),
    );
    expect(rig.crm.all()).toMatchObject([{ externalId: "7", name: "Eva" }]);
    await rig.stop();
  }
});
