/**
 * The hub over HTTP: how a request is sent, waited for and repeated. Everything the bridge asks of the hub may be asked
 * twice (reads, orders without effect the second time, sends under one Idempotency-Key), so every request is repeated.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { AnswerTooLong } from "./answer-limit.ts";
import { HubUnavailable } from "./errors.ts";
import type { HubClient } from "./hub-client.ts";
import { dataOf, failureOf, notUnderstood } from "./hub-answers.ts";
import { createHubExchange, NoAnswer } from "./hub-exchange.ts";
import type { HubRequest } from "./hub-request.ts";
import { hubRoutes } from "./hub-routes.ts";
import type { Log } from "./log.ts";

/** Long enough to outlast a full minute of the hub's rate limit. */
const DEADLINE_MS = 90_000;
/** Pauses before a request that found no answer is repeated; then the hub counts as away. */
const UNANSWERED_WAITS_MS = [200, 1_000, 3_000];
/** After a 429 or 503 that does not say how long. */
const DEFAULT_WAIT_MS = 2_000;
const ANSWER_MS = 15_000;

export function createHubClient({
  url,
  apiKey,
  userAgent,
  log,
  deadlineMs = DEADLINE_MS,
}: {
  url: string;
  apiKey: string;
  userAgent: string;
  log: Log;
  deadlineMs?: number;
}): HubClient {
  const exchange = createHubExchange(url);
  const own = { "x-api-key": apiKey, "user-agent": userAgent, accept: "application/json" };
  const closing = new AbortController();
  // One listener per request that waits.
  setMaxListeners(0, closing.signal);

  const once = async (request: HubRequest, leftMs: number): Promise<Outcome> => {
    const { method, path, query = {}, body, idempotencyKey } = request;
    // A request with a deadline of its own is a slow one.
    const timeoutMs = request.deadlineMs === undefined ? ANSWER_MS : Math.max(1, leftMs);
    try {
      const answer = await exchange.send({
        method,
        path: path + queryText(query),
        headers: {
          ...own,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
        },
        body: body && JSON.stringify(body),
        timeoutMs,
      });
      if (answer.status >= 200 && answer.status < 300)
        return { kind: "done", data: dataOf(request.name, answer.body) };
      const error = failureOf(request.name, answer);
      return { kind: mayPass(error) ? "later" : "refused", error };
    } catch (error) {
      if (error instanceof AnswerTooLong) return { kind: "refused", error: notUnderstood(request.name) };
      if (!(error instanceof NoAnswer)) throw error;
      return {
        kind: "unanswered",
        error: new HubUnavailable(`The hub did not answer ${request.name} (${error.message}).`),
      };
    }
  };

  const ask = async (request: HubRequest): Promise<unknown> => {
    const deadline = performance.now() + Math.min(request.deadlineMs ?? deadlineMs, deadlineMs);
    for (let unanswered = 0; ;) {
      if (closing.signal.aborted) throw new HubUnavailable("The bridge is shutting down.");
      const outcome = await once(request, deadline - performance.now());
      if (outcome.kind === "done") return outcome.data;
      const { error } = outcome;
      const waitMs = waitAfter(outcome, unanswered);
      if (waitMs === null || performance.now() + waitMs > deadline) throw error;
      if (outcome.kind === "unanswered") unanswered += 1;
      log.debug({ request: request.name, status: error.status, code: error.code, waitMs }, "hub.repeating");
      await pause(waitMs, undefined, { signal: closing.signal }).catch(() => {
        throw error;
      });
    }
  };

  return {
    ...hubRoutes(ask, log),
    close: () => {
      closing.abort();
      exchange.close();
      return Promise.resolve();
    },
  };
}

type Outcome =
  | { kind: "done"; data: unknown }
  /** refused: repeating would change nothing; later: the hub said so; unanswered: it did not say anything. */
  | { kind: "refused" | "later" | "unanswered"; error: HubUnavailable };

const PASSING = [429, 502, 503, 504];
/** Another request under the same Idempotency-Key is still at work: its answer will be ours. */
const mayPass = ({ status, code }: HubUnavailable): boolean =>
  (status !== null && PASSING.includes(status)) || code === "IDEMPOTENCY_IN_PROGRESS";

function waitAfter({ kind, error }: Outcome & { error: HubUnavailable }, unanswered: number): number | null {
  if (kind === "unanswered") return UNANSWERED_WAITS_MS[unanswered] ?? null;
  if (kind !== "later") return null;
  return error.retryAfterSeconds === null ? DEFAULT_WAIT_MS : Math.max(1, error.retryAfterSeconds) * 1000;
}

function queryText(query: Record<string, string | number | undefined>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? "" : `?${given.toString()}`;
}
