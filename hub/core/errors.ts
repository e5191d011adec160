/** A failure the caller can act on: a code from the contract, a sentence, and details that are safe to show. */
import type { ErrorCode } from "../contract/errors.ts";

export interface HubErrorDetails {
  /** Shown to the caller as `details`; never a secret. */
  details?: Record<string, unknown>;
  /** Seconds after which a repeat makes sense; becomes `Retry-After`. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

export class HubError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, { details, retryAfterSeconds, cause }: HubErrorDetails = {}) {
    super(message, { cause });
    this.name = "HubError";
    this.code = code;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
