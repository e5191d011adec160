/** The one place that knows HTTP statuses: what a failure looks like to a caller, in Frappe's shape or in ours. */
import type { Response } from "express";
import {
  BridgeError,
  CrmMisconfigured,
  CrmUnavailable,
  HubUnavailable,
  type BridgeErrorCode,
} from "../errors.ts";

export interface Failure {
  status: number;
  /** As Frappe names it. */
  excType: string;
  code: string;
  text: string;
  retryAfterSeconds: number | null;
}

const KINDS: Record<BridgeErrorCode, [status: number, excType: string]> = {
  VALIDATION_ERROR: [417, "ValidationError"],
  UNAUTHENTICATED: [401, "AuthenticationError"],
  FORBIDDEN: [403, "PermissionError"],
  METHOD_NOT_FOUND: [404, "DoesNotExistError"],
  DOCTYPE_NOT_FOUND: [404, "DoesNotExistError"],
  DOCUMENT_NOT_FOUND: [404, "DoesNotExistError"],
  SESSION_NOT_FOUND: [404, "DoesNotExistError"],
  SESSION_NOT_CONNECTED: [409, "InvalidStatusError"],
  JOB_NOT_FOUND: [404, "DoesNotExistError"],
  ORDER_NOT_FOUND: [404, "DoesNotExistError"],
  NOT_SUPPORTED: [501, "NotSupportedError"],
  SYNC_DISABLED: [409, "InvalidStatusError"],
  STATE_CONFLICT: [409, "InvalidStatusError"],
  IDEMPOTENCY_CONFLICT: [409, "ValidationError"],
  PAYLOAD_TOO_LARGE: [413, "RequestTooLargeError"],
  RATE_LIMITED: [429, "RateLimitExceededError"],
  DISK_FULL: [503, "ServiceUnavailableError"],
  STATE_NOT_KEPT: [503, "ServiceUnavailableError"],
  UNAVAILABLE: [503, "ServiceUnavailableError"],
};

const RETRY_AFTER_SECONDS = 10;
const RATE_LIMIT_SECONDS = 60;

/** Anything thrown → what the caller may know of it. What was not expected says nothing of the inside. */
export function failureOf(error: unknown): Failure {
  if (error instanceof BridgeError) return ofCode(error.code, error.message);
  if (error instanceof CrmUnavailable)
    return {
      ...ofCode("UNAVAILABLE", error.message),
      retryAfterSeconds: error.retryAfterSeconds ?? RETRY_AFTER_SECONDS,
    };
  if (error instanceof CrmMisconfigured) return ofCode("UNAVAILABLE", error.message);
  if (error instanceof HubUnavailable) return ofHub(error);
  return (
    ofRequest(error) ?? {
      status: 500,
      excType: "InternalError",
      code: "INTERNAL_ERROR",
      text: "Something went wrong inside the bridge; the request id leads to the log.",
      retryAfterSeconds: null,
    }
  );
}

function ofCode(code: BridgeErrorCode, text: string): Failure {
  const [status, excType] = KINDS[code];
  const retryAfterSeconds =
    status === 503 ? RETRY_AFTER_SECONDS : code === "RATE_LIMITED" ? RATE_LIMIT_SECONDS : null;
  return { status, excType, code, text, retryAfterSeconds };
}

/** What the hub refused is passed on with its own status and code; what it could not do may be tried again. */
function ofHub(error: HubUnavailable): Failure {
  const { status, code } = error;
  if (status === 401 || status === 403)
    return ofCode("UNAVAILABLE", "The hub does not accept the bridge's API key.");
  if (status === null || status < 400 || status >= 500)
    return {
      ...ofCode("UNAVAILABLE", error.message),
      retryAfterSeconds: error.retryAfterSeconds ?? RETRY_AFTER_SECONDS,
    };
  return {
    status,
    excType:
      status === 404 ? "DoesNotExistError" : status === 429 ? "RateLimitExceededError" : "ValidationError",
    code: code ?? "HUB_REFUSED",
    text: error.message,
    retryAfterSeconds: error.retryAfterSeconds,
  };
}

/** Complaints of Express and its body parsers. */
function ofRequest(error: unknown): Failure | null {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return null;
  if (error.status === 413) return ofCode("PAYLOAD_TOO_LARGE", "The body is too large.");
  if (error.status >= 400 && error.status < 500)
    return { ...ofCode("VALIDATION_ERROR", "The request cannot be read."), status: error.status };
  return null;
}

/** Frappe's body of a failure; `wrapped` for methods, whose callers look into `message` first. */
export const frappeFailure = ({ excType, text, code }: Failure, { wrapped }: { wrapped: boolean }) => ({
  ...(wrapped ? { message: { success: false, error: text, code } } : {}),
  exc_type: excType,
  exception: `frappe.exceptions.${excType}: ${text}`,
  _server_messages: JSON.stringify([JSON.stringify({ message: text, indicator: "red", raise_exception: 1 })]),
});

export const plainFailure = ({ text, code }: Failure) => ({
  success: false,
  error: text,
  message: text,
  code,
});

export type FailureShape = "method" | "resource" | "plain";

export function sendFailure(response: Response, failure: Failure, shape: FailureShape): void {
  if (failure.retryAfterSeconds !== null)
    response.setHeader("Retry-After", String(Math.max(1, Math.ceil(failure.retryAfterSeconds))));
  response.setHeader("Cache-Control", "no-store");
  response
    .status(failure.status)
    .json(
      shape === "plain" ? plainFailure(failure) : frappeFailure(failure, { wrapped: shape === "method" }),
    );
}
