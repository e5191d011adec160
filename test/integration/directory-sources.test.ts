/** Reading one page of a directory: what is taken for a page, and what never is. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jsonSourceSchema } from "../../bridge/directory/json-source-config.ts";
import { createJsonSource } from "../../bridge/directory/json-source.ts";
import { openDirectorySource } from "../../bridge/directory/open-source.ts";
import {
  DirectoryPageFailed,
  DirectoryRefused,
  type DirectorySource,
} from "../../bridge/directory/source.ts";
import { createWisproSource } from "../../bridge/directory/wispro.ts";
import type { CrmAnswer } from "../support/crm-faults.ts";
import {
  aWisproRecord,
  startWisproServer,
  wisproFailure,
  wisproRecords,
  type WisproServer,
} from "../support/wispro-server.ts";

const TOKEN = "raw-token-of-the-directory";
const never = new AbortController().signal;
let wispro: WisproServer;

beforeEach(async () => {
  wispro = await startWisproServer({ token: TOKEN, records: wisproRecords(250) });
});
afterEach(() => wispro.stop());

const reader = (timeoutMs = 5_000): DirectorySource =>
  createWisproSource({ url: `${wispro.url}/`, token: TOKEN, timeoutMs });

const failureOf = async (page: Promise<unknown>): Promise<unknown> =>
  page.then(
    () => "a page",
    (error: unknown) => error,
  );

describe("Wispro", () => {
  test("a page has its clients and the totals, and was asked for with the raw token", async () => {
    const page = await reader().page(3, never);
    expect(page).toMatchObject({ totalPages: 3, totalRecords: 250, perPage: 100, unreadable: [] });
    expect(page.clients).toHaveLength(50);
    expect(page.clients[0]).toEqual({
      externalId: "201",
      name: "Client 201",
      email: "client201@example.com",
      phone: "0414-1000201",
      address: "Street 201",
      zone: "South",
      nationalId: "V-10000201",
      code: "C-201",
      details: "fibre",
    });
    expect(wispro.requests()).toEqual([
      { page: 3, perPage: "100", authorization: TOKEN, accept: "application/json" },
    ]);
  });

  test("the page size is the one the answer reports", async () => {
    wispro.largestPage(40);
    expect(await reader().page(1, never)).toMatchObject({ totalPages: 7, perPage: 40 });
  });

  test("a token that was taken back is no empty directory", async () => {
    wispro.revokes();
    expect(await failureOf(reader().page(1, never))).toBeInstanceOf(DirectoryRefused);
  });

  test("HTTP 401 means the same", async () => {
    wispro.answers(() => ({ kind: "answer", status: 401, body: "" }));
    expect(await failureOf(reader().page(1, never))).toBeInstanceOf(DirectoryRefused);
  });

  const bad: [name: string, answer: CrmAnswer, reason: RegExp][] = [
    ["status 400 inside HTTP 200", wisproFailure(400), /status 400 inside/],
    ["status 402 inside HTTP 200", wisproFailure(402), /status 402 inside/],
    ["status 404 inside HTTP 200", wisproFailure(404), /status 404 inside/],
    ["status 412 inside HTTP 200", wisproFailure(412), /status 412 inside/],
    ["status 500 inside HTTP 200", wisproFailure(500), /status 500 inside/],
    ["HTTP 503", { kind: "answer", status: 503, body: "" }, /HTTP 503/],
    ["a redirect", { kind: "redirect", to: "http://127.0.0.1:9/" }, /HTTP 302/],
    ["no JSON", { kind: "answer", body: "<html>" }, /not JSON/],
    ["JSON without a status", { kind: "answer", body: { data: [] } }, /no status/],
    ["data that is no list", { kind: "answer", body: pageBody(1, {}) }, /no page of clients .*data/],
    ["no totals", { kind: "answer", body: { status: 200, meta: {}, data: [] } }, /meta.pagination/],
    ["another page than asked for", { kind: "answer", body: pageBody(2, []) }, /page 2 came for page 1/],
    ["a connection that is reset", { kind: "reset" }, /no answer \(ECONNRESET\)/],
    ["an answer that breaks off", { kind: "cut-body", body: '{"status":200,' }, /no answer/],
    ["an answer that drips", { kind: "drip-body", everyMs: 20 }, /no whole answer within 0.4 s/],
    ["silence", { kind: "hang" }, /no whole answer within 0.4 s/],
    ["something that is not HTTP", { kind: "garbage" }, /no answer/],
  ];
  test.each(bad)("%s is a page that failed", async (_name, answer, reason) => {
    wispro.answers(() => answer);
    const failure = await failureOf(reader(400).page(1, never));
    expect(failure).toBeInstanceOf(DirectoryPageFailed);
    expect(failure).toHaveProperty("reason", expect.stringMatching(reason));
  });

  test("an answer without an end is cut off", async () => {
    wispro.answers(() => ({ kind: "endless-body" }));
    const failure = await failureOf(reader(20_000).page(1, never));
    expect(failure).toHaveProperty("reason", expect.stringMatching(/longer than 32 MiB|no whole answer/));
  });

  test("Retry-After is passed on, and the directory's words but never the token", async () => {
    wispro.answers(() => ({ kind: "answer", status: 429, headers: { "retry-after": "7" }, body: "" }));
    expect(await failureOf(reader().page(1, never))).toHaveProperty("retryAfterSeconds", 7);
    wispro.answers(() => wisproFailure(402, `plan of ${TOKEN} ended`));
    const failure = await failureOf(reader().page(1, never));
    expect(failure).toHaveProperty("message", "status 402 inside HTTP 200: plan of … ended");
    expect(failure).toHaveProperty("reason", "status 402 inside HTTP 200");
  });

  test("a record that is no client stays out alone, named without its values", async () => {
    wispro.holds([
      aWisproRecord(1, { details: { plan: "fibre" } }),
      aWisproRecord(2, { name: { first: "Ana" } }),
      aWisproRecord(3, { id: null }),
      "nonsense",
      aWisproRecord(5, { name: "  ", id: "x5" }),
      aWisproRecord(6, { custom_id: 12, national_identification_number: 12345678, email: "" }),
    ]);
    const { clients, unreadable } = await reader().page(1, never);
    expect(clients.map(({ externalId }) => externalId)).toEqual(["1", "6"]);
    expect(clients[1]).toMatchObject({ code: "12", nationalId: "12345678", email: null });
    expect(unreadable).toEqual([
      { externalId: "2", error: "name is not a text" },
      { externalId: "#3", error: "externalId is missing" },
      { externalId: "#4", error: "externalId is missing, name is missing" },
      { externalId: "x5", error: "name is missing" },
    ]);
  });

  test("reading stops when it is told to", async () => {
    wispro.answers(() => ({ kind: "hang" }));
    const stop = new AbortController();
    const page = failureOf(reader().page(1, stop.signal));
    stop.abort();
    expect(await page).toHaveProperty("name", "AbortError");
  });
});

function pageBody(page: number, data: unknown): object {
  const pagination = { total_records: 1, total_pages: 3, per_page: 100, current_page: page };
  return { status: 200, meta: { object: "list", pagination }, data };
}

describe("a JSON source by configuration", () => {
  const config = {
    name: "billing",
    url: "",
    headers: { Authorization: TOKEN, "X-Area": "7" },
    perPage: 50,
    list: "data",
    totalRecords: "meta.pagination.total_records",
    success: { path: "status", equals: 200 },
    fields: {
      externalId: "id",
      name: "person.names.0",
      phone: "phone_mobile",
      nationalId: "national_identification_number",
    },
  };
  const template = (): string => `${wispro.url}/api/v1/clients?page={page}&per_page={per_page}`;

  const jsonSource = (change: object): DirectorySource =>
    createJsonSource(jsonSourceSchema.parse({ ...config, ...change, url: template() }));

  test("finds its list, its totals and its fields where it was told", async () => {
    wispro.holds(
      wisproRecords(120).map((record) => ({ ...record, person: { names: [record["name"], "other"] } })),
    );
    const page = await jsonSource({}).page(3, never);
    expect(page).toMatchObject({ totalPages: 3, totalRecords: 120, perPage: 50, unreadable: [] });
    expect(page.clients).toHaveLength(20);
    expect(page.clients[0]).toEqual({
      externalId: "101",
      name: "Client 101",
      email: null,
      phone: "0414-1000101",
      address: null,
      zone: null,
      nationalId: "V-10000101",
      code: null,
      details: null,
    });
    // Page 3 is shorter than asked for; page 1 shows that it is the last one, and no smaller size.
    expect(wispro.requests()).toMatchObject([
      { page: 3, perPage: "50", authorization: TOKEN },
      { page: 1, perPage: "50", authorization: TOKEN },
    ]);
  });

  test("pages and their size are taken from the answer where it tells them", async () => {
    wispro.largestPage(30);
    const told = { totalPages: "meta.pagination.total_pages", pageSize: "meta.pagination.per_page" };
    const source = jsonSource(told);
    expect(await source.page(1, never)).toMatchObject({ totalPages: 9, perPage: 30 });
  });

  test.each([
    ["a list that is none", { list: "meta" }, /meta is not a list/],
    ["a total that is none", { totalRecords: "meta.object" }, /meta.object is not a count/],
    ["a total that is nowhere", { totalRecords: "a.b" }, /a.b is not a count/],
    ["members of the language's own", { list: "constructor" }, /constructor is not a list/],
    ["an answer without success", { success: { path: "status", equals: "ok" } }, /status is not ok/],
  ])("%s is a page that failed", async (_name, change, reason) => {
    const source = jsonSource(change);
    expect(await failureOf(source.page(1, never))).toHaveProperty("reason", expect.stringMatching(reason));
  });
});

test("the configuration chooses one directory, or none", () => {
  const wispro = { url: "http://127.0.0.1:9", token: TOKEN };
  expect(openDirectorySource({ wispro: null, json: null })).toBeNull();
  expect(openDirectorySource({ wispro, json: null })?.name).toBe("wispro");
});
