/**
 * One POST to one endpoint: the frozen bytes, one deadline over the whole exchange, nothing followed, nothing unpacked,
 * no address the guard refuses, and of the answer only its beginning.
 */
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import got, { Options, RequestError, TimeoutError, type Request } from "got";
import type { Answer } from "../core/acknowledgement.ts";
import { HubError } from "../core/errors.ts";
import type { AddressGuard } from "../core/webhook-address.ts";

export const ANSWER_LIMIT = 64 * 1024;
const CONNECT_MS = 3000;
/** An endpoint whose status alone counts: its body is read this long, for the log. */
const STATUS_BODY_MS = 2000;
const HEADER_BLOCK_LIMIT = 16 * 1024;

export interface SenderTarget {
  url: string;
  ack: "body" | "status";
  timeoutMs: number;
  concurrency: number;
}

export interface Sender {
  /** Never rejects: what went wrong is part of the answer. */
  post(body: Buffer, headers: Record<string, string>): Promise<Exchange>;
  /** Closes the connections kept for later. */
  close(): void;
}

export interface Exchange {
  answer: Answer;
  ms: number;
  /** How long the name, the connection and the encryption took, where the connection was new. */
  phases: { dns: number | undefined; tcp: number | undefined; tls: number | undefined };
  /** The receiver's own time, for warnings about a clock that is off. */
  date: string | null;
  /** The far end's certificate was the problem, or the connection broke before anything was sent. */
  failedAt: "dns" | "connect" | "tls" | "http" | null;
}

export function createSender(target: SenderTarget, guard: AddressGuard): Sender {
  const agents = {
    http: new http.Agent({ keepAlive: true, maxSockets: target.concurrency, scheduling: "lifo" }),
    https: new https.Agent({ keepAlive: true, maxSockets: target.concurrency, scheduling: "lifo" }),
  };
  const refusal = refusedUrl(target.url, guard);
  // Normalising options costs more than the rest of a request: it is done once, and each request changes two members.
  const options = new Options(target.url, {
    method: "POST",
    isStream: true,
    agent: agents,
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    timeout: { connect: CONNECT_MS, request: target.timeoutMs },
    dnsLookup: guard.lookupFor(target.url),
    https: { minVersion: "TLSv1.2", rejectUnauthorized: true },
    maxHeaderSize: HEADER_BLOCK_LIMIT,
  });

  const host = new URL(target.url).host;
  const client = withPreparedOptions(options);

  const once = (body: Buffer, headers: Record<string, string>, timeoutMs: number): Promise<Raw> => {
    options.context = { headers: ["Host", host, ...Object.entries(headers).flat()] } satisfies RequestContext;
    options.body = body;
    options.timeout = { connect: CONNECT_MS, request: timeoutMs };
    const request = client(undefined, undefined, options);
    // `isStream` is set above; the type of this call covers both kinds.
    if (!("pipe" in request)) throw new Error("got answered with a promise");
    return readAnswer(request, target.ack === "status" ? STATUS_BODY_MS : null);
  };

  return {
    post: async (body, headers) => {
      const startedAt = performance.now();
      if (refusal !== null) return exchange({ answer: refused(), failedAt: "connect" }, startedAt);
      let raw = await once(body, headers, target.timeoutMs);
      const leftMs = target.timeoutMs - (performance.now() - startedAt);
      // The far end closed a connection we had kept, just as we used it: nothing of this request was answered.
      if (raw.stale === true && leftMs > 0) raw = await once(body, headers, Math.ceil(leftMs));
      return exchange(raw, startedAt);
    },
    close: () => {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** What differs from one request to the next and is not the body. */
interface RequestContext extends Record<string, unknown> {
  headers: string[];
}

type NativeOptions = ReturnType<Options["createNativeRequestOptions"]>;

/**
 * The library makes node's options anew for each request, forty members of which most are undefined, and node copies
 * them three times: more than half of what a request costs. They only differ in the headers, so they are made once.
 */
function withPreparedOptions(options: Options): typeof got {
  const defined = Object.entries(options.createNativeRequestOptions()).filter(
    ([, value]) => value !== undefined,
  );
  // The type lists every member as present; to node, one that is left out is the same as one that is undefined.
  const native = Object.fromEntries(defined) as NativeOptions;
  const prepare = (own: Options): void => {
    own.createNativeRequestOptions = () => {
      // Given as a list, they are written as they are, in the documented spelling; the types know records only.
      Object.assign(native, own.context);
      return native;
    };
  };
  return got.extend({
    handlers: [
      (own, next) => {
        prepare(own);
        return next(own);
      },
    ],
  });
}

/** What one request came to, before it is timed. */
interface Raw {
  answer: Answer;
  failedAt: Exchange["failedAt"];
  stale?: boolean;
  date?: string | null;
  phases?: Exchange["phases"];
}

const exchange = (raw: Raw, startedAt: number): Exchange => ({
  answer: raw.answer,
  ms: Math.round(performance.now() - startedAt),
  phases: raw.phases ?? { dns: undefined, tcp: undefined, tls: undefined },
  date: raw.date ?? null,
  failedAt: raw.failedAt,
});

const refused = (): Answer => ({ kind: "unanswered", code: "ADDRESS_REFUSED", timedOut: false });

/** Literal addresses are looked at here: no resolver is ever asked about them. */
function refusedUrl(url: string, guard: AddressGuard): HubError | null {
  try {
    guard.check(url);
    return null;
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
}

/** Collects an answer up to its limits. Settles once; whatever the stream says later is of no interest. */
function readAnswer(request: Request, bodyMs: number | null): Promise<Raw> {
  return new Promise((resolve) => {
    let head: { status: number; retryAfter: string | null; date: string | null } | null = null;
    const chunks: Buffer[] = [];
    let length = 0;
    let timer: NodeJS.Timeout | null = null;
    let done = false;

    const finish = (raw: Raw): void => {
      if (done) return;
      done = true;
      if (timer !== null) clearTimeout(timer);
      const phases = request.timings?.phases;
      resolve({ ...raw, phases: { dns: phases?.dns, tcp: phases?.tcp, tls: phases?.tls } });
    };
    const answered = (bodyState: "whole" | "cut" | "unread"): void => {
      if (head === null) return;
      const { status, retryAfter, date } = head;
      const body = chunks.length === 0 ? "" : Buffer.concat(chunks).toString("utf8");
      finish({ answer: { kind: "answered", status, retryAfter, body, bodyState }, failedAt: null, date });
    };
    const stopReading = (): void => {
      answered("unread");
      request.destroy();
    };

    request.on(
      "response",
      ({ statusCode, headers }: { statusCode: number; headers: http.IncomingHttpHeaders }) => {
        head = { status: statusCode, retryAfter: headers["retry-after"] ?? null, date: headers.date ?? null };
        if (bodyMs !== null) timer = setTimeout(stopReading, bodyMs);
      },
    );
    request.on("data", (chunk: Buffer) => {
      if (length + chunk.length > ANSWER_LIMIT) {
        chunks.push(chunk.subarray(0, ANSWER_LIMIT - length));
        stopReading();
        return;
      }
      chunks.push(chunk);
      length += chunk.length;
    });
    request.on("end", () => answered("whole"));
    request.on("error", (error: Error) => {
      if (head === null) finish(unanswered(error, request));
      else answered("cut");
    });
  });
}

const CONNECTION_LOST = ["ECONNRESET", "EPIPE"];

function unanswered(error: Error, request: Request): Raw {
  const timedOut = error instanceof TimeoutError;
  const cause = error instanceof RequestError ? error.cause : undefined;
  const isRefusal = cause instanceof HubError || error instanceof HubError;
  const code = isRefusal ? "ADDRESS_REFUSED" : error instanceof RequestError ? error.code : error.name;
  return {
    answer: { kind: "unanswered", code, timedOut },
    failedAt: isRefusal ? "connect" : hopOf(code, request),
    stale: request.reusedSocket === true && CONNECTION_LOST.includes(code),
  };
}

const DNS_CODES = ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "ENODATA", "ESERVFAIL"];
const TLS_CODES = /CERT|SSL|TLS|^EPROTO$|SELF_SIGNED|UNABLE_TO|ALTNAME/;

function hopOf(code: string, request: Request): Exchange["failedAt"] {
  if (DNS_CODES.includes(code)) return "dns";
  if (TLS_CODES.test(code)) return "tls";
  const timings = request.timings;
  if (timings?.connect === undefined)
    return timings?.lookup === undefined && !isLiteral(request) ? "dns" : "connect";
  return timings.secureConnect === undefined && request.options.url?.toString().startsWith("https:") === true
    ? "tls"
    : "http";
}

function isLiteral(request: Request): boolean {
  const { url } = request.options;
  return url instanceof URL && isIP(url.hostname.replace(/^\[|\]$/g, "")) !== 0;
}
