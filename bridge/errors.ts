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
  | "DISK_FULL"
  | "STATE_NOT_KEPT"
  | "UNAVAILABLE";

export class BridgeError extends Error {
  readonly code: BridgeErrorCode;

  constructor(code: BridgeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BridgeError";
    this.code = code;
  }
}

/** The bridge cannot be started like this; the sentence says why and what helps. */
export class BridgeStartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BridgeStartError";
  }
}

/** The CRM cannot take anything now: not reached, limited, failing. The hub keeps the event and sends it again. */
export class CrmUnavailable extends Error {
  /** What the CRM asked for, in seconds. */
  readonly retryAfterSeconds: number | null;
  /** The kind of trouble, in one word without anybody's data; null where it has none. */
  readonly code: string | null;

  constructor(
    message: string,
    {
      retryAfterSeconds = null,
      code = null,
      cause,
    }: { retryAfterSeconds?: number | null; code?: string | null; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CrmUnavailable";
    this.retryAfterSeconds = retryAfterSeconds;
    this.code = code;
  }
}

/** A person must act first: wrong key, missing permission, missing document type. Retried all the same: it may be a deployment. */
export class CrmMisconfigured extends Error {
  /** As of CrmUnavailable. */
  readonly code: string | null;

  constructor(message: string, { code = null, ...options }: ErrorOptions & { code?: string | null } = {}) {
    super(message, options);
    this.name = "CrmMisconfigured";
    this.code = code;
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

/**
 * A failure as the log may tell it: its name and its code. The words of a hub or a CRM name people and their numbers: they
 * stay in the job, the list of what failed, and the answer. A fault of ours is told whole, with where it happened.
 */
export function failureFacts(cause: unknown): object {
  if (!isPassing(cause) && !(cause instanceof BridgeError)) return { err: cause };
  const { name: reason, code } = cause;
  if (!(cause instanceof HubUnavailable)) return code === null ? { reason } : { reason, code };
  // Without a status the words are our own.
  return cause.status === null ? { reason, problem: cause.message } : { reason, code, status: cause.status };
}

/** What kind of refusal a CRM's words begin with, if they name one: all of them that the log may have. */
export const refusalKind = (said: string | undefined): string =>
  /^\w{1,80}Error(?=: )/.exec(said ?? "")?.[0] ?? "refused";
