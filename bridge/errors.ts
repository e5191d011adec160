/** What can go wrong in the bridge in ways a caller can act on. `bridge/http/answers.ts` alone knows their status numbers. */

export type BridgeErrorCode =
  | "VALIDATION_ERROR"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "METHOD_NOT_FOUND"
  | "DOCTYPE_NOT_FOUND"
  | "DOCUMENT_NOT_FOUND"
  | "SESSION_NOT_FOUND"
  | "SESSION_NOT_CONNECTED"
  | "JOB_NOT_FOUND"
  | "ORDER_NOT_FOUND"
  | "NOT_SUPPORTED"
  | "SYNC_DISABLED"
  | "STATE_CONFLICT"
  | "IDEMPOTENCY_CONFLICT"
  | "PAYLOAD_TOO_LARGE"
  | "RATE_LIMITED"
  | "UNAVAILABLE";

export class BridgeError extends Error {
  readonly code: BridgeErrorCode;

  constructor(code: BridgeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BridgeError";
    this.code = code;
  }
}

/** The CRM cannot take anything now: not reached, limited, failing. The hub keeps the event and sends it again. */
export class CrmUnavailable extends Error {
  /** What the CRM asked for, in seconds. */
  readonly retryAfterSeconds: number | null;

  constructor(
    message: string,
    { retryAfterSeconds = null, cause }: { retryAfterSeconds?: number | null; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CrmUnavailable";
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A person must act first: wrong key, missing permission, missing document type. Retried all the same: it may be a deployment. */
export class CrmMisconfigured extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CrmMisconfigured";
  }
}

/** The hub answered with an error, or not at all. */
export class HubUnavailable extends Error {
  /** The hub's own code; null when no answer came. */
  readonly code: string | null;
  readonly status: number | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    message: string,
    {
      code = null,
      status = null,
      retryAfterSeconds = null,
      cause,
    }: {
      code?: string | null;
      status?: number | null;
      retryAfterSeconds?: number | null;
      cause?: unknown;
    } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "HubUnavailable";
    this.code = code;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The hub or the CRM cannot do its part now: said in plain words, and tried again. Anything else is a fault of ours. */
export const isPassing = (cause: unknown): cause is CrmUnavailable | CrmMisconfigured | HubUnavailable =>
  cause instanceof CrmUnavailable || cause instanceof CrmMisconfigured || cause instanceof HubUnavailable;
