/** Webhooks through every path of the bridge, and what the CRM has afterwards. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { aMessage } from "../support/builders.ts";
import { APP, openBridgeRig, READER } from "../support/bridge-rig.ts";
import { recordOf } from "../support/http-rig.ts";
import { SECRET, signedHeaders, toldOf } from "../support/receiver-rig.ts";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { eventBody, signBody } from "../../hub/contract/index.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { until } from "../support/until.ts";

const FRAPPE_PATH = `/api/method/${APP}.api.webhook.handle_webhook`;

describe("a webhook", () => {
  test("at /webhook is answered bare, at the method's name in Frappe's message", async () => {
    const rig = await openBridgeRig();
    const bare = await rig.push(toldOf({ kind: "stored", message: aMessage() }, 5));
    expect([bare.status, bare.json["success"], recordOf(bare.json["processed"])["action"]]).toEqual([
      200,
      true,
      "created",
    ]);
    for (const [path, seq] of [
      [FRAPPE_PATH, 6],
      [`${FRAPPE_PATH}_event`, 7],
    ] as const) {
      const wrapped = await rig.push(toldOf({ kind: "stored", message: aMessage() }, seq), path);
      expect([
        wrapped.status,
        wrapped.message["success"],
        recordOf(wrapped.message["processed"])["action"],
      ]).toEqual([200, true, "created"]);
    }
    const list = await rig.call("GET", "/api/resource/WhatsApp%20Message");
    expect(list.json["data"]).toHaveLength(3);
  });

  test("with a doubled slash in its address, as joined strings make it, arrives all the same", async () => {
    const rig = await openBridgeRig();
    expect((await rig.push(toldOf({ kind: "stored", message: aMessage() }, 5), "//webhook/")).status).toBe(
      200,
    );
  });

  test("with a bad signature is refused at each path in its shape, and writes nothing", async () => {
    const rig = await openBridgeRig();
    const event = toldOf({ kind: "stored", message: aMessage() }, 5);
    const body = eventBody(event);
    const headers = {
      ...signedHeaders(body, {
        id: event.id,
        now: rig.clock.now(),
        secrets: ["whsec_AAAAAAAAAAAAAAAAAAAAAAAA"],
      }),
      "Content-Type": "application/json",
    };
    const bare = await rig.call("POST", "/webhook", { key: null, body, headers });
    const wrapped = await rig.call("POST", FRAPPE_PATH, { key: null, body, headers });
    expect([bare.status, bare.json]).toEqual([401, { success: false, error: "Invalid signature" }]);
    expect([wrapped.status, wrapped.message]).toEqual([401, { success: false, error: "Invalid signature" }]);
    expect((await rig.call("GET", "/api/resource/WhatsApp%20Message")).json["data"]).toEqual([]);
  });

  test("needs no key, and a key does not stand for its signature", async () => {
    const rig = await openBridgeRig();
    const body = eventBody(toldOf({ kind: "stored", message: aMessage() }, 5));
    expect((await rig.call("POST", FRAPPE_PATH, { body })).status).toBe(401);
  });

  test("larger than a mebibyte is refused", async () => {
    const rig = await openBridgeRig();
    const answer = await rig.call("POST", "/webhook", { key: null, body: "x".repeat(1024 * 1024 + 1) });
    expect([answer.status, answer.json["success"]]).toEqual([413, false]);
  });

  test("while the CRM is not ready is told to come back, and taken when it is", async () => {
    let isUp = false;
    const clock = fixedClock();
    const memory = createMemoryAdapter({ clock });
    const rig = await openBridgeRig({
      overrides: {
        adapter: {
          ...memory,
          check: () => (isUp ? Promise.resolve() : Promise.reject(new CrmUnavailable("connection refused"))),
        },
      },
    });
    const event = toldOf({ kind: "stored", message: aMessage() }, 5);
    const early = await rig.push(event);
    expect([early.status, early.headers.get("retry-after"), early.json["error"]]).toEqual([
      503,
      "10",
      "The CRM is not ready: connection refused",
    ]);
    expect(rig.log.lines("crm.not_reached")[0]?.facts).toMatchObject({ problem: "connection refused" });
    const list = await rig.call("GET", "/api/resource/WhatsApp%20Message");
    expect([list.status, list.json["exc_type"]]).toEqual([503, "ServiceUnavailableError"]);
    expect((await rig.call("GET", "/readyz")).status).toBe(503);

    isUp = true;
    await until("the CRM was prepared", () => rig.log.lines("crm.ready").length > 0);
    expect((await rig.push(event)).status).toBe(200);
  });

  test("is counted by what was done with it", async () => {
    const rig = await openBridgeRig();
    const event = toldOf({ kind: "stored", message: aMessage() }, 5);
    await rig.push(event);
    await rig.push(event);
    await rig.call("POST", "/webhook", { key: null, body: "{}" });
    const { text } = await rig.call("GET", "/metrics");
    expect(text).toContain('inbox_bridge_webhooks_total{action="created",status="200"} 1');
    expect(text).toContain('inbox_bridge_webhooks_total{action="duplicate",status="200"} 1');
    expect(text).toContain('inbox_bridge_webhooks_total{action="refused",status="401"} 1');
  });
});

describe("the tests of an installation", () => {
  const path = `/api/method/${APP}.api.webhook_test`;

  test("take the older header where webhooks with it alone are taken, and only there", async () => {
    const body = eventBody(toldOf({ kind: "stored", message: aMessage() }, 5));
    const asked = { key: READER, body, headers: { "X-Webhook-Signature": signBody(SECRET, body) } };
    for (const [setting, status] of [
      ["1", 200],
      ["0", 401],
    ] as const) {
      const rig = await openBridgeRig({ env: { BRIDGE_ACCEPT_LEGACY_SIGNATURE: setting } });
      expect((await rig.call("POST", `${path}.test_webhook_with_signature`, asked)).status).toBe(status);
      expect((await rig.call("POST", FRAPPE_PATH, asked)).status).toBe(status);
    }
  });

  test("say that the bridge is reached, and whether a signature is right, without applying anything", async () => {
    const rig = await openBridgeRig();
    const reached = await rig.call("GET", `${path}.test_webhook_connectivity`, { key: READER });
    expect(reached.message).toMatchObject({ success: true });

    const event = toldOf({ kind: "stored", message: aMessage() }, 5);
    const now = rig.clock.now();
    const good = await rig.call("POST", `${path}.test_webhook_with_signature`, {
      body: eventBody(event),
      headers: signedHeaders(eventBody(event), { id: event.id, now }),
    });
    expect([good.status, good.message["success"]]).toEqual([200, true]);
    rig.clock.advance(6 * 60_000);
    const body = eventBody(event);
    const old = signedHeaders(body, { id: event.id, now: new Date(rig.clock.now().getTime() - 6 * 60_000) });
    const late = await rig.call("POST", `${path}.test_webhook_with_signature`, {
      body,
      headers: old,
    });
    expect([late.status, late.message["error"]]).toEqual([
      401,
      "Invalid signature: the timestamp is more than 5 minutes away; set the clocks.",
    ]);
    expect((await rig.call("GET", "/api/resource/WhatsApp%20Message")).json["data"]).toEqual([]);
  });

  test("are for those who have a key of the bridge, also where the signature is right", async () => {
    const rig = await openBridgeRig();
    const event = toldOf({ kind: "stored", message: aMessage() }, 5);
    const signed = await rig.push(event, `${path}.test_webhook_with_signature`);
    const reached = await rig.call("GET", `${path}.test_webhook_connectivity`, { key: null });
    expect([signed.status, reached.status]).toEqual([401, 401]);
    expect(signed.text).not.toContain("ignature");
  });
});

test("a webhook signed with another secret has the bridge look after its endpoint, one with none or too late does not", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const rig = await openBridgeRig();
  await rig.bridge.idle();
  await until("it has its place", () => rig.log.lines("subscription.ready").length > 0);
  const looks = (): number => rig.hub.calls.filter(({ method }) => method === "subscribe").length;
  const body = eventBody(toldOf({ kind: "stored", message: aMessage() }, 5));
  const post = async (headers: Record<string, string>) =>
    (await rig.call("POST", "/webhook", { key: null, body, headers })).status;
  const foreign = (now: Date) => signedHeaders(body, { id: "evt_1", now, secrets: ["o".repeat(32)] });
  vi.advanceTimersByTime(61_000);
  expect(await post({ "x-webhook-signature": "sha256=00" })).toBe(401);
  expect(await post(foreign(new Date(rig.clock.now().getTime() - 600_000)))).toBe(401);
  expect(looks()).toBe(1);
  expect(await post(foreign(rig.clock.now()))).toBe(401);
  await until("a person is told", () => rig.log.lines("subscription.advice").length > 0);
  expect(looks()).toBe(2);
  expect(await post(foreign(rig.clock.now()))).toBe(401);
  expect(looks()).toBe(2);
});
