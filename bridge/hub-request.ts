/** One request to the hub's REST, before anybody sends it. */

export interface HubRequest {
  /** For logs and errors. */
  name: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Percent-encoded. */
  path: string;
  query?: Record<string, string | number | undefined>;
  body?: object;
  idempotencyKey?: string;
  /** Of all tries together. */
  deadlineMs?: number;
}

/** Resolves with `data` of the answer. */
export type Ask = (request: HubRequest) => Promise<unknown>;

/** The longest page the hub gives. */
export const MOST_ROWS = 1000;

export const at = (...parts: string[]): string => `/api/${parts.map(encodeURIComponent).join("/")}`;
