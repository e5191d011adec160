/** Answers without an end, or far too long, plain and packed: whoever gives them is told, and the bridge keeps its memory. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createGzip } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { openFrappeAdapter } from "../../bridge/adapters/frappe/frappe-adapter.ts";
import { openHttpAdapter } from "../../bridge/adapters/http/http-adapter.ts";
import { createSiteCalls } from "../../bridge/adapters/frappe/site-calls.ts";
import { createSiteTables } from "../../bridge/adapters/frappe/site-tables.ts";
import { systemClock } from "../../bridge/clock.ts";
import { createHubClient } from "../../bridge/hub-client-http.ts";
import { createLog } from "../../bridge/log.ts";
import { aContact } from "../conformance/crm/records.ts";
import { batch } from "../support/answering-crm.ts";
import { serveFile } from "../support/file-server.ts";

const log = createLog("silent");
const CHUNK = Buffer.alloc(1024 * 1024, "a");
/** Far beyond every limit, and little enough that a test without one ends. */
const CHUNKS = 300;

/** `sent`: the mebibytes that were taken from it, by all who asked. */
async function endless(isPacked: boolean) {
  const counts = { requests: 0, sent: 0 };
  const listener: RequestListener = (request, response) => {
    request.resume();
    counts.requests += 1;
    response.writeHead(200, {
      "content-type": "application/json",
      ...(isPacked ? { "content-encoding": "gzip" } : {}),
    });
    const out = isPacked ? createGzip({ level: 1 }) : response;
    if (out !== response) out.pipe(response);
    let left = CHUNKS;
    const pour = (): void => {
      while (left > 0 && !response.destroyed) {
        left -= 1;
        counts.sent += 1;
        if (!out.write(CHUNK)) return;
      }
      out.end();
    };
    out.on("drain", pour);
    pour();
  };
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // A listening TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, counts };
}

const told = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "answered",
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
  );

test("a page of a hundred of the longest texts is no such answer of a Frappe site", async () => {
  const rows = Array.from({ length: 100 }, (_, n) => ({ name: String(n), content: "ä".repeat(200 * 1024) }));
  const text = JSON.stringify({ data: rows });
  expect(Buffer.byteLength(text)).toBeGreaterThan(39 * 1024 * 1024);
  const { url, close } = await serveFile((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(text);
  });
  onTestFinished(close);
  const calls = createSiteCalls({ url, apiKey: "k", apiSecret: "s", clock: systemClock, timeoutMs: 10_000 });
  onTestFinished(() => calls.close());
  const tables = createSiteTables({ calls, log, clock: systemClock });
  const fields = ["name", "content"];
  const found = await tables.list("WhatsApp Message", {
    fields,
    filters: [],
    orderBy: "name asc",
    limit: 100,
  });
  expect(found).toHaveLength(100);
});

describe.each([false, true])("an answer without an end (packed: %s)", (isPacked) => {
  test("of any other CRM is cut off, and the CRM counts as away", async () => {
    const { url, counts } = await endless(isPacked);
    const adapter = openHttpAdapter({ url }, { clock: systemClock, log });
    onTestFinished(() => adapter.close());
    const is = /^CrmUnavailable: .*longer than 32 MiB/;
    expect(await told(adapter.totals("s1"))).toMatch(is);
    expect(await told(adapter.upsertContacts(batch([aContact()])))).toMatch(is);
    expect(counts.requests).toBe(2);
    if (!isPacked) expect(counts.sent).toBeLessThan(100);
  });

  test("of a Frappe site is cut off, and not asked for again at once", async () => {
    const { url, counts } = await endless(isPacked);
    const adapter = openFrappeAdapter({ url, apiKey: "k", apiSecret: "s" }, { clock: systemClock, log });
    onTestFinished(() => adapter.close());
    expect(await told(adapter.totals("s1"))).toMatch(/longer than 128 MiB/);
    expect(counts.requests).toBeLessThanOrEqual(4);
  });

  test("of the hub is cut off later, and is no answer of a hub", async () => {
    const { url, counts } = await endless(isPacked);
    const hub = createHubClient({ url, apiKey: "k", userAgent: "test", log });
    onTestFinished(() => hub.close());
    expect(await told(hub.sessions())).toMatch(/^HubUnavailable: .*not what its contract says/);
    expect(counts.requests).toBe(1);
    if (!isPacked) expect(counts.sent).toBeLessThan(200);
  });
});
