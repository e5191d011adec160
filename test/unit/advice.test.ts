/** What helps depends on what failed: an operator sent to the wrong setting loses the morning. */
import { expect, test } from "vitest";
import { adviceOnCrm, adviceOnHub } from "../../bridge/advice.ts";
import { CrmMisconfigured, CrmUnavailable, HubUnavailable } from "../../bridge/errors.ts";

test.each([
  [null, null, /the hub runs.*BRIDGE_HUB_URL/],
  [401, "INVALID_API_KEY", /BRIDGE_HUB_API_KEY/],
  [403, "AUTHORIZATION_FAILED", /scopes/],
  [404, "NOT_FOUND", /BRIDGE_HUB_URL/],
  [404, null, /BRIDGE_HUB_URL/],
  [200, null, /BRIDGE_HUB_URL/],
  [429, "RATE_LIMIT_EXCEEDED", /ratePerMinute/],
  [502, null, /before it/],
])("a hub that answers %j %j", (status, code, advice) => {
  expect(adviceOnHub(new HubUnavailable("no", { status, code }))).toMatch(advice);
});

test("nothing is made up where only waiting helps", () => {
  expect(adviceOnHub(new HubUnavailable("no", { status: 503, code: "SHUTTING_DOWN" }))).toBeNull();
  expect(adviceOnCrm("sqlite", new CrmUnavailable("full"))).toBeNull();
  expect(adviceOnCrm("http", new CrmMisconfigured("it says so itself", { code: "HTTP_404" }))).toBeNull();
});

test.each<[string, Error, RegExp]>([
  ["frappe", new CrmUnavailable("away", { code: "ECONNREFUSED" }), /^Check that the CRM runs.*FRAPPE_URL/],
  ["http", new CrmUnavailable("away", { code: "ECONNREFUSED" }), /^Check that the CRM runs.*CRM_URL/],
  ["frappe", new CrmMisconfigured("no type", { code: "DoesNotExistError" }), /bridge:prepare/],
  ["frappe", new CrmMisconfigured("no key", { code: "AuthenticationError" }), /FRAPPE_API_KEY and/],
  ["frappe", new CrmMisconfigured("no right", { code: "PermissionError" }), /a role/],
  [
    "http",
    new CrmUnavailable("not ready", { code: "NotReady", cause: new CrmUnavailable("away") }),
    /CRM_URL/,
  ],
])("a CRM of kind %s: %s", (crm, cause, advice) => {
  expect(adviceOnCrm(crm, cause)).toMatch(advice);
});
