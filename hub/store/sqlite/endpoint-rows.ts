/** Rows of endpoints ↔ `Endpoint`. */
import type { Breaker, Endpoint, EndpointState } from "../../core/endpoint.ts";
import type { Db } from "./connection.ts";
import { date, fromJson, ms, toJson } from "./json.ts";

/** An endpoint with the row number that deliveries refer to. */
export interface StoredEndpoint {
  n: number;
  endpoint: Endpoint;
}

/** What only people and the dispatcher look at, kept as JSON. */
type Settings = Omit<
  Endpoint,
  | "id"
  | "url"
  | "secret"
  | "previousSecret"
  | "state"
  | "isGone"
  | "breaker"
  | "failingSince"
  | "lastSuccessAt"
  | "lastError"
  | "createdAt"
>;

interface EndpointRow {
  n: number;
  id: string;
  url: string;
  settings: string;
  secret: Buffer;
  previous_secret: Buffer | null;
  previous_until: number | null;
  state: EndpointState;
  breaker: string;
  failing_since: number | null;
  last_success_at: number | null;
  last_error: string | null;
  created_at: number;
  is_gone: number;
}

export function endpointReader(db: Db): () => StoredEndpoint[] {
  const all = db.prepare<[], EndpointRow>("SELECT * FROM endpoint WHERE removed_at IS NULL ORDER BY n");
  return () => all.all().map((row) => ({ n: row.n, endpoint: toEndpoint(row) }));
}

/** Settings that rows of an earlier version do not have. */
const NOT_KNOWN_EARLIER: Pick<Settings, "ca"> = { ca: null };

const toEndpoint = (row: EndpointRow): Endpoint => ({
  ...NOT_KNOWN_EARLIER,
  ...fromJson<Settings>(row.settings),
  id: row.id,
  url: row.url,
  state: row.state,
  isGone: row.is_gone === 1,
  secret: new Uint8Array(row.secret),
  previousSecret:
    row.previous_secret === null || row.previous_until === null
      ? null
      : { sealed: new Uint8Array(row.previous_secret), until: new Date(row.previous_until) },
  breaker: toBreaker(row.breaker),
  failingSince: date(row.failing_since),
  lastSuccessAt: date(row.last_success_at),
  lastError: row.last_error,
  createdAt: new Date(row.created_at),
});

function toBreaker(text: string): Breaker {
  const breaker = fromJson<Omit<Breaker, "until"> & { until: number | null }>(text);
  return { ...breaker, until: date(breaker.until) };
}

export const breakerJson = (breaker: Breaker): string => toJson({ ...breaker, until: ms(breaker.until) });

export function settingsJson(endpoint: Endpoint): string {
  const settings: Settings = {
    description: endpoint.description,
    sessions: endpoint.sessions,
    events: endpoint.events,
    ordering: endpoint.ordering,
    ack: endpoint.ack,
    presets: endpoint.presets,
    headers: endpoint.headers,
    timeoutMs: endpoint.timeoutMs,
    concurrency: endpoint.concurrency,
    enabled: endpoint.enabled,
    managedBy: endpoint.managedBy,
    client: endpoint.client,
    includeQr: endpoint.includeQr,
    signatureHeaderName: endpoint.signatureHeaderName,
    ca: endpoint.ca,
  };
  return toJson(settings);
}
