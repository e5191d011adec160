/** A bridge inside a CRM that has a server of its own: where the hub is told to find it. */
import { expect, test } from "vitest";
import { openBridgeRig } from "../support/bridge-rig.ts";
import { until } from "../support/until.ts";

const subscribed = (rig: Awaited<ReturnType<typeof openBridgeRig>>) =>
  rig.hub.calls.filter(({ method }) => method === "subscribe").map(({ args: [place] }) => place);

test("it has itself called at its public address, though it opens no port", async () => {
  const env = { BRIDGE_PUBLIC_URL: "https://crm.example/hub/" };
  const rig = await openBridgeRig({ env, overrides: { serve: false } });
  expect(rig.bridge.url).toBeNull();
  await until("the bridge to take its place at the hub", () => subscribed(rig).length > 0);
  expect(subscribed(rig)[0]).toMatchObject({ url: "https://crm.example/hub/webhook" });
});

test("without one it takes no place at the hub, and learns all from the feed", async () => {
  const rig = await openBridgeRig({ overrides: { serve: false } });
  await rig.bridge.idle();
  expect(subscribed(rig)).toEqual([]);
});
