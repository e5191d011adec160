/**
 * One POST to one endpoint: the frozen bytes, one deadline over the whole exchange, nothing followed, nothing unpacked,
 * no address the guard refuses, and of the answer only its beginning.
 *
 * Sent with undici: a request costs it less than node's own client, where a richer client costs twice as much as all
 * the rest of a delivery.
 */
import type { Dispatcher } from "undici";
import type { Answer } from "../core/acknowledgement.ts";
import { HubError } from "../core/errors.ts";
import type { AddressGuard } from "../core/webhook-address.ts";
import { trusting } from "./authorities.ts";
import { createConnection, type Connection, type Step, type Steps } from "./connection.ts";

export const ANSWER_LIMIT = 64 * 1024;
/** An endpoint whose status alone counts: its body is read this long, for the log. */
const STATUS_BODY_MS = 2000;
/** A deadline noticed so much too late says nothing about the far end: it gets this long once the process goes on. */
const STOOD_STILL_MS = 500;
const AFTERWARDS_MS = 2000;

export interface SenderTarget {
  url: string;
  ack: "body" | "status";
  timeoutMs: number;
  /** Authorities of its own. */
  ca: string | null;
}

export interface Sender {
  /** Never rejects: what went wrong is part of the answer. As many at once as are asked for, a connection each. */
  post(body: Buffer, headers: Record<string, string>): Promise<Exchange>;
  /** Closes the connections kept for later and cuts what is under way. */
  close(): void;
}

export interface Exchange {
  answer: Answer;
  ms: number;
  /** How long the name, the connection and the encryption took, where the connection was new. */
  steps: Steps;
  /** The receiver's own time, for warnings about a clock that is off. */
  date: string | null;
  /** The step that failed, where nothing was answered. */
  failedAt: Step | null;
}

export function createSender(target: SenderTarget, guard: AddressGuard): Sender {
  const refusal = refusedUrl(target.url, guard);
  const url = new URL(target.url);
  const path = `${url.pathname}${url.search}`;
  const trust = target.ca === null ? null : trusting(target.ca);
  const connections = new Set<Connection>();
  /** The one used last is taken first, so that the others may end. */
  const idle: Connection[] = [];

  const take = (): Connection => {
    const kept = idle.pop();
    if (kept !== undefined) return kept;
    const made = createConnection({ url, timeoutMs: target.timeoutMs, trust }, guard);
    connections.add(made);
    return made;
  };
  const once = async (body: Buffer, headers: string[], timeoutMs: number): Promise<Raw> => {
    const connection = take();
    const raw = await exchangeOver(connection, {
      request: { path, method: "POST", headers, body },
      timeoutMs,
      bodyMs: target.ack === "status" ? STATUS_BODY_MS : null,
    });
    if (raw.answer.kind === "answered") idle.push(connection);
    else {
      // What is left of the request must not meet the next one.
      connections.delete(connection);
      connection.close();
    }
    return raw;
  };

  return {
    post: async (body, headers) => {
      const startedAt = performance.now();
      if (refusal !== null) return exchange({ answer: refused(), failedAt: "connect" }, startedAt);
      const lines = headerLines(headers);
      let raw = await once(body, lines, target.timeoutMs);
      const leftMs = target.timeoutMs - (performance.now() - startedAt);
      // The far end closed a connection we had kept, just as we used it: nothing of this request was answered.
      if (raw.stale === true && leftMs > 0) raw = await once(body, lines, Math.ceil(leftMs));
      return exchange(raw, startedAt);
    },
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

/** Name and value by turns: written as they are, in the documented spelling. */
function headerLines(headers: Record<string, string>): string[] {
  const lines: string[] = [];
  for (const name in headers) lines.push(name, headers[name] ?? "");
  return lines;
}

/** What one request came to, before it is timed. */
interface Raw {
  answer: Answer;
  failedAt: Step | null;
  stale?: boolean;
  date?: string | null;
  steps?: Steps;
}

const exchange = (raw: Raw, startedAt: number): Exchange => ({
  answer: raw.answer,
  ms: Math.round(performance.now() - startedAt),
  steps: raw.steps ?? {},
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

interface Errand {
  request: Dispatcher.DispatchOptions;
  timeoutMs: number;
  /** How long a body is read after its status came; null: to its end. */
  bodyMs: number | null;
}

/** Sends and collects the answer up to its limits. Settles once; whatever the connection says later is of no interest. */
function exchangeOver(connection: Connection, { request, timeoutMs, bodyMs }: Errand): Promise<Raw> {
  return new Promise((resolve) => {
    let isReused = false;
    let control: Dispatcher.DispatchController | null = null;
    let head: { status: number; retryAfter: string | null; date: string | null } | null = null;
    const chunks: Buffer[] = [];
    let length = 0;
    let bodyTimer: NodeJS.Timeout | null = null;
    let done = false;

    const finish = (raw: Raw): void => {
      if (done) return;
      done = true;
      clearTimeout(deadline);
      if (bodyTimer !== null) clearTimeout(bodyTimer);
      resolve(isReused ? raw : { ...raw, steps: connection.steps });
    };
    const answered = (bodyState: "whole" | "cut" | "unread"): void => {
      if (head === null) return;
      const { status, retryAfter, date } = head;
      const body = chunks.length === 0 ? "" : Buffer.concat(chunks).toString("utf8");
      finish({ answer: { kind: "answered", status, retryAfter, body, bodyState }, failedAt: null, date });
    };
    const cutOff = (): void => control?.abort(new Error("given up"));
    const stopReading = (): void => {
      answered("unread");
      cutOff();
    };
    const expire = (): void => {
      if (done) return;
      if (head === null)
        finish({
          answer: { kind: "unanswered", code: "ETIMEDOUT", timedOut: true },
          failedAt: connection.step,
        });
      else answered("cut");
      cutOff();
    };
    let deadline = setTimeout(onDeadline, timeoutMs);
    const dueAt = performance.now() + timeoutMs;
    let isExtended = false;
    function onDeadline(): void {
      // A process that stood still finds all its deadlines past, and the answers that came meanwhile unread.
      if (isExtended || performance.now() - dueAt < STOOD_STILL_MS) expire();
      else {
        isExtended = true;
        deadline = setTimeout(onDeadline, AFTERWARDS_MS);
      }
    }

    connection.dispatch(request, {
      onRequestStart: (controller) => {
        control = controller;
        isReused = connection.isUsed;
        connection.isUsed = true;
        if (done) cutOff();
      },
      onResponseStart: (_controller, status, headers) => {
        if (status < 200) return;
        head = { status, retryAfter: only(headers["retry-after"]), date: only(headers["date"]) };
        if (bodyMs !== null) bodyTimer = setTimeout(stopReading, bodyMs);
      },
      onResponseData: (_controller, chunk) => {
        if (done) return;
        if (length + chunk.length > ANSWER_LIMIT) {
          chunks.push(chunk.subarray(0, ANSWER_LIMIT - length));
          stopReading();
          return;
        }
        chunks.push(chunk);
        length += chunk.length;
      },
      onResponseEnd: () => answered("whole"),
      onResponseError: (_controller, error) => {
        if (head === null) finish(unanswered(error, connection.step, isReused));
        else answered("cut");
      },
    });
  });
}

const only = (value: string | string[] | undefined): string | null =>
  (Array.isArray(value) ? value[0] : value) ?? null;

const CONNECTION_LOST = ["ECONNRESET", "EPIPE"];

function unanswered(error: Error, step: Step, isReused: boolean): Raw {
  const isRefusal = error instanceof HubError;
  const code = isRefusal ? "ADDRESS_REFUSED" : codeOf(error);
  return {
    answer: { kind: "unanswered", code, timedOut: code === "ETIMEDOUT" },
    failedAt: isRefusal ? "connect" : step,
    stale: isReused && CONNECTION_LOST.includes(code),
  };
}

/** The far end's goodbye has a name of its own here; operators know it by the system's. */
function codeOf(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return code === "UND_ERR_SOCKET" ? "ECONNRESET" : code;
}
