/** Who may call what, and how a refusal looks to Frappe's callers. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { minutes } from "../support/fixed-clock.ts";
import { ADMIN, APP, openBridgeRig, READER } from "../support/bridge-rig.ts";

const STATUS = `/api/method/${APP}.api.sync.get_sync_status`;

describe("keys", () => {
  test.each([
    ["as Frappe's token", { Authorization: `token ${ADMIN}` }],
    ["as Frappe's basic", { Authorization: `Basic ${Buffer.from(ADMIN).toString("base64")}` }],
    ["as X-API-Key", { "X-API-Key": ADMIN }],
    [
      "as X-API-Key beside a token of another system",
      { "X-API-Key": ADMIN, Authorization: "token other:one" },
    ],
  ])("%s are accepted", async (_how, headers) => {
    const rig = await openBridgeRig();
    const answer = await rig.call("GET", STATUS, { key: null, headers });
    expect([answer.status, answer.message]).toEqual([200, { success: true, sessions: [] }]);
  });

  test.each([
    ["none", {}],
    ["a wrong secret", { Authorization: "token crm:0123456789abcdee" }],
    ["a wrong name", { Authorization: "token nobody:0123456789abcdef" }],
    ["the secret of another key", { Authorization: "token monitor:0123456789abcdef" }],
    ["a bearer", { Authorization: `Bearer ${ADMIN}` }],
    ["nothing after the scheme", { Authorization: "token" }],
    ["a long text", { "X-API-Key": "x".repeat(5000) }],
  ])("%s is refused with 401 in Frappe's shape", async (_what, headers) => {
    const rig = await openBridgeRig();
    const answer = await rig.call("GET", STATUS, { key: null, headers });
    expect(answer.status).toBe(401);
    expect(answer.message).toMatchObject({ success: false, code: "UNAUTHENTICATED" });
    expect(answer.json).toMatchObject({
      exc_type: "AuthenticationError",
      exception: expect.stringMatching(/^frappe\.exceptions\.AuthenticationError: /) as string,
    });
    const [told] = JSON.parse(String(answer.json["_server_messages"])) as string[];
    expect(JSON.parse(told ?? "")).toMatchObject({ message: answer.message["error"] });
  });

  test("a key that may only read looks at everything and changes nothing", async () => {
    const rig = await openBridgeRig();
    const asked = { key: READER };
    expect((await rig.method("api.sync.get_sync_status", {}, asked)).status).toBe(200);
    expect((await rig.method("api.sync.list_failed", {}, asked)).status).toBe(200);
    expect((await rig.call("GET", "/api/connections", asked)).status).toBe(200);
    expect((await rig.call("GET", "/api/resource/WhatsApp%20Session", asked)).status).toBe(200);
    for (const name of [
      "api.sync.sync_session_complete",
      "api.sync.auto_sync_all_sessions",
      "api.sync.retry_failed",
      "api.sync.reconcile",
      "api.session.connect",
      "api.session.disconnect",
      "api.session.logout",
      "api.session.get_qr_code",
      "api.messages.send_message",
      "api.directory.sync_all",
    ]) {
      const answer = await rig.method(name, {}, asked);
      expect([name, answer.status, answer.json["exc_type"]]).toEqual([name, 403, "PermissionError"]);
    }
    expect((await rig.call("POST", "/api/users/sync-wispro-all", asked)).status).toBe(403);
  });

  test("what changes something is not done by GET", async () => {
    const rig = await openBridgeRig();
    const answer = await rig.call("GET", `/api/method/${APP}.api.sync.reconcile`);
    expect([answer.status, answer.json["exc_type"]]).toEqual([403, "PermissionError"]);
  });

  test("after ten wrong tries with a name its caller waits a minute; other names are not held up", async () => {
    const rig = await openBridgeRig();
    for (let n = 0; n < 10; n++)
      expect((await rig.call("GET", STATUS, { key: `crm:wrong-secret-no-${n}` })).status).toBe(401);
    const limited = await rig.call("GET", STATUS, { key: "crm:wrong-secret-again" });
    expect([limited.status, limited.headers.get("retry-after"), limited.json["exc_type"]]).toEqual([
      429,
      "60",
      "RateLimitExceededError",
    ]);
    expect((await rig.call("GET", STATUS, { key: ADMIN })).status).toBe(429);
    expect((await rig.call("GET", STATUS, { key: READER })).status).toBe(200);
    rig.clock.advance(minutes(1));
    expect((await rig.call("GET", STATUS, { key: ADMIN })).status).toBe(200);
  });

  test("without a configured key one is made at the first start, kept for its owner alone, and works", async () => {
    const rig = await openBridgeRig({ env: { BRIDGE_METHOD_KEYS: "" } });
    const key = rig.bridge.newMethodKey;
    expect(key).toMatch(/^admin:[A-Za-z0-9_-]{32}$/);
    expect((await stat(join(rig.dir, "method-key"))).mode & 0o777).toBe(0o600);
    expect((await rig.call("GET", STATUS, { key })).status).toBe(200);
    expect(rig.log.text()).not.toContain(key);
  });
});

describe("what tells of the inside", () => {
  test("is for this machine, and behind a proxy for those who have a key", async () => {
    const rig = await openBridgeRig();
    const viaProxy = { "X-Forwarded-For": "203.0.113.7" };
    for (const path of ["/metrics", "/readyz"]) {
      expect((await rig.call("GET", path, { key: null })).status).toBe(200);
      expect((await rig.call("GET", path, { key: null, headers: viaProxy })).status).toBe(401);
      expect((await rig.call("GET", path, { key: READER, headers: viaProxy })).status).toBe(200);
    }
    expect((await rig.call("GET", "/health", { key: null, headers: viaProxy })).status).toBe(200);
  });

  test("every answer can be quoted by its id, and nothing of it is sniffed, framed or cached", async () => {
    const rig = await openBridgeRig();
    const { headers } = await rig.call("GET", STATUS);
    expect(headers.get("x-request-id")).toMatch(/^req_/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-powered-by")).toBeNull();
  });
});
