/** The bridge in front of a Frappe site: what its methods and its readiness make of the site. */
import { expect, onTestFinished, test } from "vitest";
import { APP, openBridgeRig, withPeople, type BridgeRig } from "../support/bridge-rig.ts";
import { startFrappeSite, type FrappeSite, type FrappeSiteOptions } from "../support/frappe-site.ts";

async function openSite(options: FrappeSiteOptions = {}): Promise<BridgeRig & { site: FrappeSite }> {
  const site = await startFrappeSite(options);
  onTestFinished(() => site.stop());
  const rig = await openBridgeRig({
    env: {
      BRIDGE_CRM: "frappe",
      FRAPPE_URL: site.url,
      FRAPPE_API_KEY: site.apiKey,
      FRAPPE_API_SECRET: site.apiSecret,
    },
    given: withPeople,
  });
  return { ...rig, site };
}

test("a session is also named by the site's document of it", async () => {
  const { call, method, bridge, site } = await openSite({ app: true });
  await bridge.idle();
  const [document] = site.rows("WhatsApp Session");
  expect(document?.name).toMatch(/^[0-9a-f]{10}$/);
  const path = `/api/method/${APP}.api.sync.sync_session_complete`;
  const { status, message } = await call("POST", path, { body: { session_name: document?.name } });
  expect([status, message["session"]]).toEqual([200, "s1"]);
  await bridge.idle();
  expect((await method("api.sync.get_sync_status", { session_name: document?.name })).status).toBe(200);
  const nobody = await call("POST", path, { body: { session_name: "0123456789" } });
  expect(nobody.json).toMatchObject({ exc_type: "DoesNotExistError" });
});

test("asking whether the bridge is ready writes nothing to the site", async () => {
  const { call, clock, bridge, site } = await openSite({ app: true });
  await bridge.idle();
  clock.advance(60_000);
  site.requests();
  expect((await call("GET", "/readyz")).status).toBe(200);
  const asked = site.requests();
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter(({ method }) => method !== "GET")).toEqual([]);
});

test("a key that may read but not create is no ready site", async () => {
  const { call, bridge } = await openSite({ app: true, readOnlyKey: true });
  await bridge.idle();
  const { status, text } = await call("GET", "/readyz");
  expect([status, text]).toEqual([503, expect.stringContaining("may not create") as unknown]);
});
