/** The bridge's endpoint at the real hub, after what people and restored hubs do to it. */
import { expect, onTestFinished, test } from "vitest";
import { createHubClient } from "../../bridge/hub-client-http.ts";
import { createSubscription } from "../../bridge/subscription.ts";
import { listIn, openHttpRig } from "../support/http-rig.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

const URL_OF_BRIDGE = "http://127.0.0.1:9/webhook";
const SECRET = "s".repeat(32);

async function subscribed() {
  const rig = await openHttpRig();
  const log = logBook();
  const hub = createHubClient({ url: rig.url, apiKey: rig.key, userAgent: "InboxBridge/test", log });
  const subscription = createSubscription({ hub, url: URL_OF_BRIDGE, secret: SECRET, log });
  onTestFinished(() => {
    subscription.stop();
    return hub.close();
  });
  const endpoint = async () => listIn((await rig.get("/api/endpoints")).data, "endpoints")[0];
  const path = async () => `/api/endpoints/${String((await endpoint())?.["id"])}`;
  const outcomes = () => log.lines("subscription.ready").map(({ facts }) => facts["outcome"]);
  subscription.start();
  await until("the bridge has its place", () => outcomes().length === 1);
  return { rig, hub, subscription, endpoint, path, outcomes };
}

const WHOLE = { url: URL_OF_BRIDGE, enabled: true, events: ["*"] };

test("it is made anew where it was deleted, and set right where it was disabled or given other events", async () => {
  const { rig, subscription, endpoint, path, outcomes } = await subscribed();
  const harm = [
    async () => rig.call("DELETE", await path()),
    async () => rig.put(await path(), { enabled: false }),
    async () => rig.put(await path(), { events: ["message.received"] }),
  ];
  for (const [n, work] of harm.entries()) {
    expect((await work()).status).toBe(200);
    subscription.renew();
    await until("it is made good", () => outcomes().length === n + 2);
    expect(await endpoint()).toMatchObject(WHOLE);
  }
  expect(outcomes()).toEqual(["created", "created", "updated", "updated"]);
});

test("it is left alone where a person paused it", async () => {
  const { rig, hub, endpoint, path } = await subscribed();
  await rig.post(`${await path()}/pause`);
  expect(await hub.subscribe({ url: URL_OF_BRIDGE, secret: SECRET })).toBe("unchanged");
  expect(await endpoint()).toMatchObject({ ...WHOLE, state: "paused" });
});
