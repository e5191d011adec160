/** Refusals that came after the message may have left, or that a repeat cannot change: they are the answer of a call. */
import { HubError } from "../core/errors.ts";

const FINAL_CODES = new Set([
  "MEDIA_ERROR",
  "RECIPIENT_NOT_ON_WHATSAPP",
  "RECIPIENT_RESTRICTED",
  "WHATSAPP_ERROR",
]);

export const isFinal = (error: unknown): error is HubError =>
  error instanceof HubError && FINAL_CODES.has(error.code);
