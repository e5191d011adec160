/** A hub whose disk is not open yet: it says that it lives, and that nothing else can be had of it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { answerStarting } from "../../hub/http/starting.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { recordOf } from "../support/http-rig.ts";

let call: (path: string, method?: string) => Promise<Response>;
beforeEach(async () => {
  const parts = { clock: fixedClock(), version: "1.2.3", environment: "test" };
  const server = createServer(answerStarting(parts));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // it listens on a port, so this is no path
  call = (path, method = "GET") => fetch(`http://127.0.0.1:${port}${path}`, { method });
});

test("the answer is the envelope that callers parse, and says when to repeat", async () => {
  const response = await call("/api/sessions");
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  const body = recordOf(await response.json());
  expect(body).toMatchObject({ success: false, code: "OVERLOADED" });
  expect(body["error"]).toBe(body["message"]);
});

test.each(["/livez", "/livez/", "//livez?from=pm2"])("%s says that the process lives", async (path) => {
  const response = await call(path);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ success: true, message: "Inbox Hub is starting" });
});

test("health has every field it has later, with no session yet", async () => {
  const response = await call("/health");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    success: true,
    status: "ok",
    message: "Inbox Hub is starting",
    timestamp: fixedClock().now().toISOString(),
    version: "1.2.3",
    environment: "test",
    sessions: 0,
    connected: false,
    overloaded: false,
    putOff: [],
  });
});

test.each([
  ["GET", "/readyz"],
  ["GET", "/metrics"],
  ["POST", "/livez"],
  ["GET", "/health/x"],
])("%s %s is not ready", async (method, path) => {
  expect((await call(path, method)).status).toBe(503);
});

test("each answer has a request id of its own", async () => {
  const ids: unknown[] = [];
  for (const path of ["/livez", "/health", "/readyz", "/api/sessions"])
    ids.push((await call(path)).headers.get("x-request-id"));
  for (const id of ids) expect(id).toMatch(/^req_/);
  expect(new Set(ids).size).toBe(4);
});
