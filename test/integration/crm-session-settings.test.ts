/** What a session is set to at the hub reaches a CRM with its record. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { eventBody } from "../../hub/contract/index.ts";
import { openBridgeRig } from "../support/bridge-rig.ts";
import { aSession } from "../support/builders.ts";
import { freePort } from "../support/product-process.ts";
import { startPuppetHub } from "../support/puppet-hub.ts";
import { signedHeaders, toldOfMove } from "../support/receiver-rig.ts";
import { serveSixRouteCrm } from "../support/six-route-crm.ts";
import { until } from "../support/until.ts";

test("a session is written with its settings as the hub tells them, also where an event does not", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-"));
  const hub = await startPuppetHub({ dataDir, port: await freePort() });
  const crm = await serveSixRouteCrm(404);
  onTestFinished(async () => {
    await crm.server.close();
    await hub.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  await hub.link("s1");
  await hub.client.put("/api/sessions/s1/settings", { ignoreGroups: true, historyDays: 30 });
  const rig = await openBridgeRig({
    env: {
      BRIDGE_HUB_URL: hub.url,
      BRIDGE_HUB_API_KEY: hub.apiKey,
      BRIDGE_CRM: "http",
      CRM_URL: crm.server.url,
    },
    overrides: { clock: { now: () => new Date() } },
  });
  const written = () => crm.sessions.get("s1");
  const { settings } = await hub.client.get<{ settings: object }>("/api/sessions/s1");
  expect(settings).toMatchObject({ ignoreGroups: true, historyDays: 30, bot: { enabled: false } });
  await until("it is in the CRM", () => written()?.["status"] === "connected");
  expect(written()?.["settings"]).toEqual(settings);
  await until("the bridge has its place", () => rig.log.lines("subscription.ready").length > 0);
  await hub.client.post("/api/sessions/s1/disconnect");
  await until("its end is in the CRM", () => written()?.["state"] === "stopped");
  expect(written()?.["settings"]).toEqual(settings);
  const newer = await hub.client.put("/api/sessions/s1/settings", { historyDays: 60 });
  await hub.client.post("/api/sessions/s1/connect");
  await until("the sync after it brings the newer ones", () =>
    isDeepStrictEqual(written()?.["settings"], newer),
  );
  await rig.bridge.idle();
  const [previous, next] = [aSession({ state: "connected" }), aSession({ state: "degraded" })];
  const event = toldOfMove({ previous, next, toldConnected: true, quiet: false }, 1_000_000);
  const body = eventBody(event);
  const headers = signedHeaders(body, { id: event.id, now: new Date() });
  expect((await rig.call("POST", "/webhook", { key: null, body, headers })).status).toBe(200);
  expect(written()).toMatchObject({ state: "degraded", settings: newer });
});
