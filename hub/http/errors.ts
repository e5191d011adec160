/** The one place that knows HTTP statuses: what a failure looks like to the caller. */
import type { ErrorRequestHandler, Response } from "express";
import { ZodError, type z } from "zod";
import type { ErrorCode } from "../contract/errors.ts";
import { HubError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { requestIdOf } from "./request-id.ts";

type ZodIssue = z.core.$ZodIssue;

const STATUS: Record<ErrorCode, number> = {
  VALIDATION_ERROR: 400,
  MISSING_API_KEY: 401,
  INVALID_API_KEY: 401,
  MISSING_TOKEN: 401,
  INVALID_TOKEN: 401,
  AUTHENTICATION_FAILED: 401,
  AUTHORIZATION_FAILED: 403,
  SESSION_NOT_FOUND: 404,
  CONTACT_NOT_FOUND: 404,
  CHAT_NOT_FOUND: 404,
  MESSAGE_NOT_FOUND: 404,
  MEDIA_NOT_FOUND: 404,
  QR_NOT_READY: 404,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  SESSION_NOT_CONNECTED: 409,
  SESSION_EXISTS: 409,
  SESSION_BUSY: 409,
  IDEMPOTENCY_CONFLICT: 409,
  IDEMPOTENCY_IN_PROGRESS: 409,
  STATE_CONFLICT: 409,
  EVENTS_EXPIRED: 410,
  UNDO_EXPIRED: 410,
  MEDIA_ERROR: 422,
  RECIPIENT_NOT_ON_WHATSAPP: 422,
  RECIPIENT_RESTRICTED: 422,
  WHATSAPP_ERROR: 422,
  RATE_LIMIT_EXCEEDED: 429,
  MESSAGE_RATE_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  CONNECTION_ERROR: 500,
  QR_GENERATION_ERROR: 500,
  NOT_IMPLEMENTED: 501,
  OVERLOADED: 503,
  STORE_UNAVAILABLE: 503,
  SHUTTING_DOWN: 503,
};

const statusOf = (code: ErrorCode): number => STATUS[code];

/** When a repeat makes sense, for the refusals that promise to say so. */
const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  IDEMPOTENCY_IN_PROGRESS: 1,
  OVERLOADED: 10,
  STORE_UNAVAILABLE: 5,
  SHUTTING_DOWN: 5,
};

/** One wrong field of a request. */
interface FieldProblem {
  path: string;
  problem: string;
}

export const invalid = (fields: FieldProblem[]): HubError =>
  new HubError(
    "VALIDATION_ERROR",
    fields.map(({ path, problem }) => (path === "" ? problem : `${path}: ${problem}`)).join("; "),
    {
      details: { fields },
    },
  );

/** A schema's complaints in the contract's words; `where` names the part of the request when it is not the body. */
export function invalidBySchema(error: ZodError, where = ""): HubError {
  const fields = error.issues.flatMap((issue) => problemsOf(issue, where === "" ? [] : [where]));
  return invalid(fields.slice(0, MAX_PROBLEMS));
}

const MAX_PROBLEMS = 20;

function problemsOf(issue: ZodIssue, above: string[]): FieldProblem[] {
  const path = [...above, ...issue.path.map(String)];
  if (issue.code === "unrecognized_keys")
    return issue.keys
      .slice(0, MAX_PROBLEMS)
      .map((key) => ({ path: [...path, key].join("."), problem: "unknown field" }));
  if (issue.code === "invalid_union") {
    // Of "a text or an object" the one with the right type knows best what is wrong.
    const meant = issue.errors.filter(([first]) => first?.code !== "invalid_type" || first.path.length > 0);
    const [only] = meant;
    if (only !== undefined && meant.length === 1) return only.flatMap((inner) => problemsOf(inner, path));
  }
  return [{ path: path.join("."), problem: issue.message }];
}

/** Anything thrown → a failure the caller may see. What we did not expect says nothing of the inside. */
export function toHubError(error: unknown): HubError {
  if (error instanceof HubError) return error;
  if (error instanceof ZodError) return invalidBySchema(error);
  if (isOfStatus(error, 400)) return invalid([{ path: "path", problem: "is not valid percent-encoding" }]);
  if (isOfStatus(error, 416)) return invalid([{ path: "Range", problem: "lies outside the file" }]);
  return new HubError(
    "INTERNAL_ERROR",
    "Something went wrong inside the hub; the request id leads to the log.",
    {
      cause: error,
    },
  );
}

/** Express's own complaints: `%zz` in a path, a `Range` that cannot be. */
const isOfStatus = (error: unknown, status: number): boolean =>
  error instanceof Error && "status" in error && error.status === status;

function failureBody(error: HubError, now: Date) {
  return {
    success: false as const,
    error: error.message,
    message: error.message,
    code: error.code,
    timestamp: now.toISOString(),
    ...(error.details === undefined ? {} : { details: error.details }),
  };
}

/** A failure as it is kept for repeats of a call under the same Idempotency-Key. */
export const storedFailure = (error: HubError, now: Date): { status: number; body: string } => ({
  status: statusOf(error.code),
  body: JSON.stringify(failureBody(error, now)),
});

function sendFailure(response: Response, error: HubError, now: Date): void {
  const retryAfter = error.retryAfterSeconds ?? RETRY_AFTER_SECONDS[error.code];
  if (retryAfter !== undefined && !response.hasHeader("Retry-After"))
    response.setHeader("Retry-After", String(Math.max(1, Math.ceil(retryAfter))));
  response.setHeader("Cache-Control", "no-store");
  response.removeHeader("Content-Disposition");
  response.status(statusOf(error.code)).json(failureBody(error, now));
}

/** The last middleware: every failure of every route ends here. */
export function translateErrors({ log, now }: { log: Log; now: () => Date }): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    const error = toHubError(thrown);
    if (error.code === "INTERNAL_ERROR")
      log.error({ requestId: requestIdOf(request), err: error.cause ?? error }, "http.failed");
    if (response.headersSent) {
      next(thrown); // too late for an answer: Express cuts the connection, so that nobody takes half a file for a whole
      return;
    }
    sendFailure(response, error, now());
  };
}
