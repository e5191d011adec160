/** What a person may choose about an endpoint, and what it is when nothing was chosen. */
import { X_SET } from "../contract/events.ts";
import { closedBreaker, type Endpoint } from "../core/endpoint.ts";

/** What a person may choose. */
type EndpointSettings = Pick<
  Endpoint,
  | "url"
  | "description"
  | "sessions"
  | "events"
  | "ordering"
  | "ack"
  | "presets"
  | "headers"
  | "timeoutMs"
  | "concurrency"
  | "enabled"
  | "client"
  | "includeQr"
  | "signatureHeaderName"
  | "ca"
>;
/** Members that are undefined are left as they are. */
export type EndpointChange = { [K in keyof EndpointSettings]?: EndpointSettings[K] | undefined };

/** An endpoint about which nothing was said. */
export const NEW_ENDPOINT: Omit<Endpoint, "id" | "managedBy" | "secret" | "createdAt"> = {
  url: "",
  description: "",
  sessions: "*",
  events: ["*"],
  ordering: "chat",
  ack: "body",
  presets: [],
  headers: {},
  timeoutMs: 15_000,
  concurrency: 4,
  enabled: true,
  client: null,
  includeQr: false,
  signatureHeaderName: null,
  ca: null,
  state: "active",
  isGone: false,
  previousSecret: null,
  breaker: closedBreaker,
  failingSince: null,
  lastSuccessAt: null,
  lastError: null,
};

/** What endpoints that a session or the hub's configuration manages have in common. */
export const MANAGED_ENDPOINT: Pick<Endpoint, "events" | "ordering" | "ack" | "presets"> = {
  events: X_SET,
  ordering: "session",
  ack: "body",
  presets: [],
};

/**
 * The endpoint with the settings that were given; what is undefined stays. But for its own headers, which are often the
 * credential of whoever was called so far: they do not follow a URL to another place.
 */
export function changed(endpoint: Endpoint, change: EndpointChange): Endpoint {
  const after: Endpoint = { ...endpoint, ...given(pick(change)) };
  const isLeft = change.headers === undefined && Object.keys(endpoint.headers).length > 0;
  return isLeft && isElsewhere(endpoint.url, after.url) ? { ...after, headers: {} } : after;
}

/** Another scheme, host or port. */
const isElsewhere = (before: string, after: string): boolean =>
  URL.canParse(before) && URL.canParse(after) && new URL(before).origin !== new URL(after).origin;

/** Named one by one: a caller's object may carry more than settings. */
const pick = (change: EndpointChange): EndpointChange => ({
  url: change.url,
  description: change.description,
  sessions: change.sessions,
  events: change.events,
  ordering: change.ordering,
  ack: change.ack,
  presets: change.presets,
  headers: change.headers,
  timeoutMs: change.timeoutMs,
  concurrency: change.concurrency,
  enabled: change.enabled,
  client: change.client,
  includeQr: change.includeQr,
  signatureHeaderName: change.signatureHeaderName,
  ca: change.ca,
});

function given(change: EndpointChange): Partial<EndpointSettings> {
  const entries = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}
