/** A key makes a call happen once: the first answer is kept for a day and given to every repeat. */
import { createHash } from "node:crypto";
import type { Cipher } from "../core/cipher.ts";
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
  /** Seals what is kept: some answers show a secret that nobody is to read later. */
  cipher: Cipher;
  clock: Clock;
  /** How the HTTP layer words a failure, so that a refusal by WhatsApp is kept like any other answer. */
  failure: (error: HubError) => StoredAnswer;
}

export function createIdempotency({ sends, cipher, clock, failure }: IdempotencyParts): Idempotency {
  return {
    once: async ({ requestBody, ...key }, reservedId, work) => {
      const claim = await sends.claim(key, sha256(requestBody), reservedId, clock.now());
      switch (claim.result) {
        case "same":
          return { status: claim.status, body: opened(cipher, key, claim.body), replayed: true };
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
      else await sends.finish(key, { ...answer, body: sealed(cipher, key, answer.body) }, clock.now());
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

/** Tells a sealed answer from one that an earlier version kept in plain: that one is JSON, which never begins so. */
const SEALED = "sealed:";

const placeOf = ({ owner, route, key }: IdempotencyKey): string =>
  `answer:${JSON.stringify([owner, route, key])}`;

const sealed = (cipher: Cipher, key: IdempotencyKey, body: string): string =>
  SEALED + Buffer.from(cipher.seal(placeOf(key), Buffer.from(body, "utf8"))).toString("base64");

/** Throws for a row that was changed or moved: its call ran, so it must not run again either. */
function opened(cipher: Cipher, key: IdempotencyKey, kept: string): string {
  if (!kept.startsWith(SEALED)) return kept;
  return Buffer.from(cipher.open(placeOf(key), Buffer.from(kept.slice(SEALED.length), "base64"))).toString(
    "utf8",
  );
}

const sha256 = (body: string | Uint8Array): string => createHash("sha256").update(body).digest("hex");
