/** Calls to a CRM over its JSON REST: headers, signatures, ten seconds each, and once more when a connection broke. */
import { randomUUID } from "node:crypto";
import http from "node:http";
import https from "node:https";
import got, { RequestError, TimeoutError } from "got";
import { presetHeaders, signBody } from "../../../hub/contract/index.ts";
import { AnswerTooLong, withinLimit } from "../../answer-limit.ts";
import type { Clock } from "../../clock.ts";
import { CrmUnavailable } from "../../errors.ts";
import { readCrmAnswer } from "./crm-answer.ts";

export interface CrmCalls {
  get(path: string, query: Record<string, string>): Promise<unknown>;
  /** Safe to send twice: the CRM upserts by key, and both carry one `Idempotency-Key`. */
  send(verb: "POST" | "PUT" | "PATCH", path: string, body: object): Promise<unknown>;
  close(): void;
}

export interface CrmCallsOptions {
  url: string;
  auth: string | undefined;
  secret: string | undefined;
  clock: Clock;
  timeoutMs: number;
}

export function createCrmCalls({ url, auth, secret, clock, timeoutMs }: CrmCallsOptions): CrmCalls {
  const base = url.replace(/\/+$/, "");
  const agent = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
  const client = got.extend({
    headers: {
      accept: "application/json",
      // Frameworks answer a redirect to their login page to what looks like a browser.
      "x-requested-with": "XMLHttpRequest",
      ...(auth === undefined ? {} : { authorization: auth }),
    },
    agent,
    retry: { limit: 0 },
    timeout: { request: timeoutMs },
    throwHttpErrors: false,
    followRedirect: false,
    responseType: "text",
  });

  const signatures = (body: string): Record<string, string> =>
    secret === undefined
      ? {}
      : {
          "X-Webhook-Signature": signBody(secret, body),
          ...presetHeaders("hub256", { secret, body, requestId: "", signatureHeaderName: null }),
        };

  const exchange = async (
    verb: "GET" | "POST" | "PUT" | "PATCH",
    path: string,
    body: string | null,
  ): Promise<unknown> => {
    const what = `${verb} ${path.split("?")[0]}`;
    const headers = {
      ...signatures(body ?? ""),
      ...(body === null
        ? {}
        : { "content-type": "application/json; charset=utf-8", "Idempotency-Key": randomUUID() }),
    };
    const once = () =>
      withinLimit((signal) =>
        client<string>(`${base}${path}`, {
          method: verb,
          headers,
          signal,
          ...(body === null ? {} : { body }),
        }),
      );
    try {
      const {
        statusCode,
        headers: answered,
        body: text,
      } = await once().catch((error: unknown) => {
        if (error instanceof RequestError && isBroken(error)) return once();
        throw error;
      });
      const retryAfter = answered["retry-after"] ?? null;
      return readCrmAnswer(what, { status: statusCode, retryAfter, body: text }, clock.now());
    } catch (error) {
      if (error instanceof RequestError)
        throw new CrmUnavailable(`${what}: ${error.code}`, { code: error.code, cause: error });
      if (error instanceof AnswerTooLong)
        throw new CrmUnavailable(`${what}: ${error.message}`, { code: error.code });
      throw error;
    }
  };

  return {
    get: (path, query) => exchange("GET", `${path}?${new URLSearchParams(query).toString()}`, null),
    send: (verb, path, body) => exchange(verb, path, JSON.stringify(body, storable)),
    close: () => {
      agent.http.destroy();
      agent.https.destroy();
    },
  };
}

const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** Databases take no NUL and parsers no half of an emoji: one such text would have its whole batch refused. */
const storable = (_key: string, value: unknown): unknown =>
  typeof value === "string" && UNSTORABLE.test(value)
    ? value.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "\uFFFD")
    : value;

/** Lost under way, and not because it took too long. */
const isBroken = (error: RequestError): boolean =>
  !(error instanceof TimeoutError) && ["ECONNRESET", "EPIPE"].includes(error.code);
