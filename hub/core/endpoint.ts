/** A CRM's URL and what it wants to hear. Secrets stay sealed; `outbox/endpoints.ts` opens them to sign. */
import type { EventName } from "../contract/events.ts";
import type { Preset } from "../contract/signature.ts";

export type EndpointState = "active" | "paused" | "failing";

export interface Endpoint {
  /** `ep_…` */
  id: string;
  url: string;
  description: string;
  sessions: "*" | string[];
  events: ("*" | EventName)[];
  ordering: "chat" | "session";
  ack: "body" | "status";
  presets: Preset[];
  headers: Record<string, string>;
  timeoutMs: number;
  concurrency: number;
  enabled: boolean;
  managedBy: null | "session" | "default";
  /** Messages sent by this API client come back to it as statuses only, never as `message.received`. */
  client: string | null;
  includeQr: boolean;
  signatureHeaderName: string | null;
  /** Authorities it is trusted by beside the system's: PEM. */
  ca: string | null;
  state: EndpointState;
  /** Paused by its own word (410), and by no person: that word is about the URL it has. */
  isGone: boolean;
  /** Sealed secret, and the one before it while it is still valid. */
  secret: Uint8Array;
  previousSecret: { sealed: Uint8Array; until: Date } | null;
  breaker: Breaker;
  /** Start of an unbroken run of failures. */
  failingSince: Date | null;
  lastSuccessAt: Date | null;
  lastError: string | null;
  createdAt: Date;
}

export interface Breaker {
  /** closed: deliver; open: wait until `until`; probing: one real event is out to see. */
  state: "closed" | "open" | "probing";
  until: Date | null;
  /** How often it opened in a row: the index of the next pause. */
  openings: number;
  /** Consecutive endpoint failures, and successes since it opened. */
  failures: number;
  successes: number;
}

export const closedBreaker: Breaker = {
  state: "closed",
  until: null,
  openings: 0,
  failures: 0,
  successes: 0,
};

/** As if it had never failed; one that a person paused stays so. */
export const begunAfresh = (endpoint: Endpoint): Endpoint => ({
  ...endpoint,
  breaker: closedBreaker,
  failingSince: null,
  state: endpoint.state === "failing" ? "active" : endpoint.state,
});

/** What its former URL said of itself does not hold for the one it has now. */
export const movedOn = (endpoint: Endpoint): Endpoint =>
  endpoint.isGone ? { ...endpoint, state: "active", isGone: false } : endpoint;

/** What decides whether an event is owed to an endpoint. */
export interface Audience {
  event: EventName;
  sessionId: string;
  /** Set on an own message: the endpoint of the client that sent it is left out. */
  exceptClient: string | null;
  /** The endpoint an event is about, when only the others should hear of it. */
  exceptEndpoint?: string | undefined;
}

export function wants(
  endpoint: Endpoint,
  { event, sessionId, exceptClient, exceptEndpoint }: Audience,
): boolean {
  if (!endpoint.enabled || endpoint.id === exceptEndpoint) return false;
  if (endpoint.sessions !== "*" && !endpoint.sessions.includes(sessionId)) return false;
  if (exceptClient !== null && endpoint.client === exceptClient) return false;
  if (event === "session.qr") return endpoint.includeQr && endpoint.events.includes("session.qr");
  if (event === "endpoint.test") return false; // sent directly, on demand
  return endpoint.events.includes("*") || endpoint.events.includes(event);
}
