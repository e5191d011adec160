/** The accounts with their figures, as a person or a dashboard asks for them. */
import { expect, test } from "vitest";
import { openBridgeRig } from "../support/bridge-rig.ts";
import { listIn, recordOf } from "../support/http-rig.ts";

test("who is connected, who is not, since when, why and by whom", async () => {
  const rig = await openBridgeRig({
    given: (hub) => {
      hub.store.addSession({ sessionId: "s1", id: 1 });
      hub.store.addSession({ sessionId: "s2", id: 2 });
    },
  });
  await rig.bridge.idle();
  await rig.push(rig.hub.turns("s2", "error"));
  const { status, json } = await rig.call("GET", "/api/connections");
  expect(status).toBe(200);
  const data = recordOf(json["data"]);
  expect(data["figures"]).toMatchObject({
    total: 2,
    connected: 1,
    inError: 1,
    manuallyDisconnected: 0,
    connectedLast24h: 2,
    lastDisconnections: [{ sessionId: "s2" }],
  });
  expect(listIn(data, "connections")).toMatchObject([
    { sessionId: "s1", status: "connected" },
    { sessionId: "s2", status: "error", shouldAutoReconnect: false },
  ]);
});

test("the same figures are there for Prometheus, without a name in them", async () => {
  const rig = await openBridgeRig({ given: (hub) => void hub.store.addSession({ sessionId: "shop-one" }) });
  await rig.bridge.idle();
  const { text } = await rig.call("GET", "/metrics");
  expect(text).toContain('inbox_bridge_connections{status="connected"} 1');
  expect(text).toContain('inbox_bridge_sync_jobs{status="completed"} 1');
  expect(text).toContain("inbox_bridge_feed_lag 0");
  expect(text).toMatch(/inbox_bridge_corrections \d+/);
  expect(text).toContain("inbox_bridge_differences 0");
  expect(text).not.toContain("shop-one");
});
