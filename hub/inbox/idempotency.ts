/** A key makes a call happen once: the first answer is kept for a day and given to every repeat. */
import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { IdempotencyKey, SendStore } from "../core/store.ts";

/** An answer as it is kept and repeated, byte for byte. */
export interface StoredAnswer {
  status: number;
  body: string;
}

export interface KeyedCall extends IdempotencyKey {
  /** The request's body as it arrived, or as it was parsed, in one form for all calls of a route. */
  requestBody: string | Uint8Array;
}

export interface Idempotency {
  /**
   * Runs `work` unless a call under this key ran before. `work` gets the WhatsApp id to send under: the one reserved
   * now, or, after a crash in the middle, the one the broken call had.
   * @throws HubError IDEMPOTENCY_CONFLICT, IDEMPOTENCY_IN_PROGRESS, or whatever `work` throws before anything was done.
   */
  once(
    call: KeyedCall,
    reservedId: string,
    work: (reservedId: string) => Promise<StoredAnswer>,
  ): Promise<StoredAnswer & { replayed: boolean }>;
}

export interface IdempotencyParts {
  sends: Pick<SendStore, "claim" | "finish" | "abandon">;
  clock: Clock;
  /** How the HTTP layer words a failure, so that a refusal by WhatsApp is kept like any other answer. */
  failure: (error: HubError) => StoredAnswer;
}

export function createIdempotency({ sends, clock, failure }: IdempotencyParts): Idempotency {
  return {
    once: async ({ requestBody, ...key }, reservedId, work) => {
      const claim = await sends.claim(key, sha256(requestBody), reservedId, clock.now());
      switch (claim.result) {
        case "same":
          return { status: claim.status, body: claim.body, replayed: true };
        case "running":
          throw new HubError("IDEMPOTENCY_IN_PROGRESS", "The first call under this key is still running.", {
            retryAfterSeconds: 1,
          });
        case "conflict":
          throw new HubError("IDEMPOTENCY_CONFLICT", "This key was used for another request.");
        case "new":
          break;
      }
      let answer: StoredAnswer;
      try {
        answer = await work(claim.reservedId);
      } catch (error) {
        if (!isFinal(error)) {
          await sends.abandon(key);
          throw error;
        }
        answer = failure(error);
      }
      // A 5xx or 429 promises that nothing was done: its repeat is a first try.
      if (answer.status >= 500 || answer.status === 429) await sends.abandon(key);
      else await sends.finish(key, answer, clock.now());
      return { ...answer, replayed: false };
    },
  };
}

/** Refusals that came after the message may have left, or that a repeat cannot change. */
const FINAL_CODES = new Set([
  "MEDIA_ERROR",
  "RECIPIENT_NOT_ON_WHATSAPP",
  "RECIPIENT_RESTRICTED",
  "WHATSAPP_ERROR",
]);

const isFinal = (error: unknown): error is HubError =>
  error instanceof HubError && FINAL_CODES.has(error.code);

const sha256 = (body: string | Uint8Array): string => createHash("sha256").update(body).digest("hex");
