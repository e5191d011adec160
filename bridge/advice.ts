/** What a person does when the hub or the CRM cannot do its part: a short sentence beside the failure, in logs and commands. Pure. */
import { CrmMisconfigured, CrmUnavailable, type HubUnavailable } from "./errors.ts";

const WRONG_KEY =
  "Check BRIDGE_HUB_API_KEY: the hub does not take this key (`npm run hub -- keys` lists those it has).";
const NO_HUB_THERE = "Check BRIDGE_HUB_URL: what answers there is no hub, or something before it.";
const BY_CODE: Record<string, string> = {
  MISSING_API_KEY: WRONG_KEY,
  INVALID_API_KEY: WRONG_KEY,
  INVALID_TOKEN: WRONG_KEY,
  AUTHENTICATION_FAILED: WRONG_KEY,
  AUTHORIZATION_FAILED:
    "Give the bridge's API key the scopes read, send and webhooks, and all sessions that the CRM is to have.",
  NOT_FOUND:
    "Check that BRIDGE_HUB_URL is the hub's address without a path; a hub of long ago has to be updated.",
  RATE_LIMIT_EXCEEDED:
    "Wait a minute; if it comes back, give the bridge an API key of its own, with a higher ratePerMinute.",
};

/** Null where nothing but waiting helps. */
export function adviceOnHub({ status, code }: HubUnavailable): string | null {
  if (status === null) return "Check that the hub runs, and that BRIDGE_HUB_URL is its address.";
  // What has no code was not said by a hub.
  if (code !== null) return BY_CODE[code] ?? null;
  return status >= 500 ? "Check the hub, and what stands before it." : NO_HUB_THERE;
}

const URL_OF: Record<string, string> = { frappe: "FRAPPE_URL", http: "CRM_URL" };

/** `crm`: which adapter failed. Null where the failure itself says what to do. */
export function adviceOnCrm(crm: string, failure: Error): string | null {
  const cause =
    failure.cause instanceof CrmUnavailable || failure.cause instanceof CrmMisconfigured
      ? failure.cause
      : failure;
  const setting = URL_OF[crm];
  if (setting === undefined) return null;
  if (cause instanceof CrmUnavailable) return `Check that the CRM runs, and that ${setting} is its address.`;
  return crm === "frappe" && cause instanceof CrmMisconfigured ? adviceOnSite(cause.code) : null;
}

/** A setting of the site's, by what it said. */
function adviceOnSite(code: string | null): string | null {
  if (code === null) return null;
  if (/^(HTTP_401|AuthenticationError|InvalidAuthorizationToken|InvalidAuthorizationHeader)$/.test(code))
    return "Check FRAPPE_API_KEY and FRAPPE_API_SECRET.";
  if (/^(HTTP_403|PermissionError)$/.test(code))
    return "Give the user of FRAPPE_API_KEY a role that may read and write these documents.";
  return /^(HTTP_404|ImportError|DoesNotExistError)$/.test(code)
    ? "`npm run bridge:prepare` creates what the CRM lacks."
    : null;
}
