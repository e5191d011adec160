/** Calls to a Frappe site: its headers, ten seconds each, four at a time; reads are repeated, writes never. */
import http from "node:http";
import https from "node:https";
import got, { RequestError, TimeoutError, type Method } from "got";
import { AnswerTooLong, PAGE_LIMIT, withinLimit } from "../../answer-limit.ts";
import type { Clock } from "../../clock.ts";
import { CrmUnavailable } from "../../errors.ts";
import { AnswerLost, readAnswer, type SiteAnswer } from "./site-answer.ts";

const PARALLEL = 4;
const READ_PAUSES_MS = [150, 600];
/** The web servers before a site refuse request lines of a few thousand characters; a longer question goes out as a body. */
const LONGEST_PATH = 2000;
export const fitsRequestLine = (path: string): boolean => path.length <= LONGEST_PATH;

export type Query = Record<string, string | number>;

export interface SiteCalls {
  /** A question. May be asked again when no answer comes. */
  ask(path: string, query?: Query): Promise<unknown>;
  /** The same question to a method, in whichever of the two forms fits. */
  askMethod(method: string, args: Record<string, unknown>): Promise<unknown>;
  /** @throws AnswerLost when the site may have done it all the same */
  write(verb: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<unknown>;
  upload(path: string, form: FormData): Promise<unknown>;
  close(): void;
}

export interface SiteCallsOptions {
  url: string;
  apiKey: string;
  apiSecret: string;
  clock: Clock;
  timeoutMs: number;
}

export function createSiteCalls({ url, apiKey, apiSecret, clock, timeoutMs }: SiteCallsOptions): SiteCalls {
  const base = url.replace(/\/+$/, "");
  const agent = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
  const atMost = createGate(PARALLEL);
  const client = got.extend({
    headers: { authorization: `token ${apiKey}:${apiSecret}`, accept: "application/json" },
    agent,
    retry: { limit: 0 },
    throwHttpErrors: false,
    followRedirect: false,
    responseType: "text",
  });

  const once = async (
    verb: Method,
    path: string,
    content: { json?: unknown; form?: FormData },
    ms: number,
  ): Promise<SiteAnswer> => {
    try {
      const response = await withinLimit(
        (signal) =>
          client<string>(`${base}${path}`, {
            method: verb,
            timeout: { request: ms },
            signal,
            ...(content.json === undefined ? {} : { json: content.json }),
            ...(content.form === undefined ? {} : { body: content.form }),
          }),
        PAGE_LIMIT,
      );
      const { statusCode, headers, body } = response;
      return { status: statusCode, retryAfter: headers["retry-after"] ?? null, body };
    } catch (error) {
      if (error instanceof RequestError)
        throw new AnswerLost(`${named(verb, path)}: ${error.code}`, {
          timedOut: error instanceof TimeoutError,
          code: error.code,
          cause: error,
        });
      // As one that took too long: asked again at once, it would be as long.
      if (error instanceof AnswerTooLong)
        throw new AnswerLost(`${named(verb, path)}: ${error.message}`, {
          timedOut: true,
          code: error.code,
          cause: error,
        });
      throw error;
    }
  };

  const read = (verb: Method, path: string, content: { json?: unknown }): Promise<unknown> =>
    atMost(async () => {
      const endsAt = performance.now() + timeoutMs;
      for (let attempt = 0; ; attempt += 1) {
        try {
          const answer = await once(verb, path, content, Math.max(1, Math.ceil(endsAt - performance.now())));
          return readAnswer(named(verb, path), answer, clock.now());
        } catch (error) {
          const pauseMs = READ_PAUSES_MS[attempt];
          const hasTime = pauseMs !== undefined && performance.now() + pauseMs < endsAt;
          if (!hasTime || !isWorthRepeating(error)) throw error;
          await pause(pauseMs);
        }
      }
    });

  return {
    ask: (path, query = {}) => read("GET", withQuery(path, query), {}),
    askMethod: (method, args) => {
      const path = `/api/method/${method}`;
      const query = Object.fromEntries(
        Object.entries(args).map(([name, value]) => [
          name,
          typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value),
        ]),
      );
      const whole = withQuery(path, query);
      return fitsRequestLine(whole) ? read("GET", whole, {}) : read("POST", path, { json: args });
    },
    write: (verb, path, body) =>
      atMost(async () => {
        const answer = await once(verb, path, body === undefined ? {} : { json: body }, timeoutMs);
        return readAnswer(named(verb, path), answer, clock.now());
      }),
    upload: (path, form) =>
      atMost(async () =>
        readAnswer(`POST ${path}`, await once("POST", path, { form }, timeoutMs), clock.now()),
      ),
    close: () => {
      agent.http.destroy();
      agent.https.destroy();
    },
  };
}

/** A call in an error's words: a document's name may be a person's number. */
const named = (verb: string, path: string): string =>
  `${verb} ${path.split("?")[0]?.split("/").slice(0, 4).join("/") ?? ""}`;

/** A site that asks for patience is not asked again here: the hub knows better when. */
const isWorthRepeating = (error: unknown): boolean =>
  error instanceof CrmUnavailable &&
  error.retryAfterSeconds === null &&
  !(error instanceof AnswerLost && error.timedOut);

export function withQuery(path: string, query: Query): string {
  const parts = Object.entries(query).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets at most `places` pieces of work run at once; the others wait in the order they came. */
function createGate(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = places;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
