/** What an answer to a webhook means: delivered, never needed, or failed, and then whose failure it was. */
import type { AttemptResult, FailureClass } from "./delivery.ts";
import type { Endpoint } from "./endpoint.ts";

/** What came back from one POST, as the sender saw it. */
export type Answer =
  | {
      kind: "answered";
      status: number;
      retryAfter: string | null;
      /** As far as it was read. */
      body: string;
      /** whole: read to its end; cut: it broke off; unread: longer than what is read. */
      bodyState: "whole" | "cut" | "unread";
    }
  | {
      kind: "unanswered";
      /** A system or library code such as `ECONNREFUSED`; `ADDRESS_REFUSED` for one the hub must not call. */
      code: string;
      timedOut: boolean;
    };

/** Our own host or network is at fault: an endpoint must not be blamed for it. */
const HUB_CODES = new Set([
  "EAI_AGAIN",
  "ENETUNREACH",
  "ENETDOWN",
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOBUFS",
  "EADDRNOTAVAIL",
]);
/** Answers about this event's content; every other refusal may be a CRM in the middle of a deployment. */
const EVENT_STATUSES = new Set([400, 409, 413, 415, 417, 422]);
const MAX_ERROR = 500;

export function judge(answer: Answer, rule: Endpoint["ack"], now: Date): AttemptResult {
  if (answer.kind === "unanswered") {
    const { code, timedOut } = answer;
    return failed(HUB_CODES.has(code) ? "hub" : "endpoint", null, code, { slow: timedOut });
  }
  const { status } = answer;
  if (status >= 200 && status < 300)
    return rule === "status" ? { outcome: "acknowledged", status, note: null } : judgeBody(answer);
  const error = `HTTP ${status}`;
  if (status < 400 || EVENT_STATUSES.has(status)) return failed("event", status, error);
  return failed("endpoint", status, error, {
    retryAfterSeconds: parseRetryAfter(answer.retryAfter, now),
    pause: status === 410,
    slow: status === 429,
  });
}

const failed = (
  failure: FailureClass,
  status: number | null,
  error: string,
  { retryAfterSeconds = null, pause = false, slow = false }: Partial<Refusal> = {},
): AttemptResult => ({
  outcome: "failed",
  failure,
  status,
  error: error.slice(0, MAX_ERROR),
  retryAfterSeconds,
  pause,
  slow,
});

interface Refusal {
  retryAfterSeconds: number | null;
  pause: boolean;
  slow: boolean;
}

/** Seconds from `Retry-After`, written as seconds or as a date; null when it is neither. */
export function parseRetryAfter(text: string | null, now: Date): number | null {
  if (text === null) return null;
  if (/^\d{1,15}$/.test(text.trim())) return Number(text);
  // Only the form of HTTP dates: `Date.parse` would make a date of almost anything.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text.trim())) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}

type Answered = Answer & { kind: "answered" };

function judgeBody({ status, body, bodyState }: Answered): AttemptResult {
  const acknowledged = (note: string | null): AttemptResult => ({ outcome: "acknowledged", status, note });
  if (bodyState === "unread") return acknowledged("ack_unread");
  const text = body.trim();
  if (bodyState === "cut")
    return mayBeJson(text) ? failed("endpoint", status, "ack_incomplete") : acknowledged("ack_unread");
  if (text === "") return acknowledged(null);
  const parsed = parseJson(text);
  if (parsed === undefined) return acknowledged("ack_unread");
  return judgeJson(parsed, status) ?? acknowledged(null);
}

/** What was read so far could still become JSON, and so an objection. */
const mayBeJson = (text: string): boolean => text === "" || /^[[{"\-\dtfn]/.test(text);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const SOFT = ["Session not found", "Message not found", "Conversation not found"];
export const isSoftError = (error: string): boolean => SOFT.some((start) => error.startsWith(start));

/** The objection inside an answer, or null when there is none. */
function judgeJson(answer: unknown, status: number): AttemptResult | null {
  const scopes = scopesOf(answer);
  const refused = scopes.some((scope) => scope["success"] === false);
  const unprocessed = scopes.some(
    ({ processed }) => processed === false || (isRecord(processed) && processed["processed"] === false),
  );
  const text = errorText(scopes, refused || unprocessed);
  if (text.startsWith("Invalid signature")) return failed("endpoint", status, text);
  if (isSoftError(text)) return failed("soft", status, text);
  if (text.startsWith("Unknown event")) return { outcome: "skipped", status, note: text };
  if (refused) return failed("event", status, text === "" ? "success: false" : text);
  if (unprocessed)
    return { outcome: "skipped", status, note: text === "" ? "processed: false" : text.slice(0, MAX_ERROR) };
  return null;
}

/** Frappe wraps what a handler returns in `message`; both levels count. */
function scopesOf(answer: unknown): Record<string, unknown>[] {
  if (!isRecord(answer)) return [];
  return isRecord(answer["message"]) ? [answer, answer["message"]] : [answer];
}

/** The words of an objection; without a flag only `error` counts, as `message` is often a friendly one. */
function errorText(scopes: Record<string, unknown>[], flagged: boolean): string {
  const members = flagged ? ["error", "reason", "message"] : ["error"];
  const places = scopes.flatMap((scope) => [scope, scope["processed"]].filter(isRecord));
  for (const member of members)
    for (const place of places) {
      const value = place[member];
      const text = isRecord(value) && typeof value["message"] === "string" ? value["message"] : value;
      if (typeof text === "string" && text !== "") return text;
    }
  return "";
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
