/** A key makes a call happen once: the first answer is kept for a day and given to every repeat. */
import { createHash } from "node:crypto";
import type { Cipher } from "../core/cipher.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { IdempotencyKey, SendStore } from "../core/store.ts";
import { isFinal } from "./final-refusal.ts";

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
   * now, or, where a call broke off in the middle, the one that call had.
   * @throws HubError IDEMPOTENCY_CONFLICT, IDEMPOTENCY_IN_PROGRESS, or whatever `work` throws before anything was done.
   */
  once(
    call: KeyedCall,
    reservedId: string,
    work: (reservedId: string) => Promise<StoredAnswer>,
  ): Promise<StoredAnswer & { replayed: boolean }>;
}

export interface IdempotencyParts {
  sends: Pick<SendStore, "claim" | "finish" | "release">;
  /** Seals what is kept: some answers show a secret that nobody is to read later. */
  cipher: Cipher;
  clock: Clock;
  /** How the HTTP layer words a failure, so that a refusal by WhatsApp is kept like any other answer. */
  failure: (error: HubError) => StoredAnswer;
}

export function createIdempotency({ sends, cipher, clock, failure }: IdempotencyParts): Idempotency {
  /** Who carries out the call of a key in this process. Asked before the claim, which may be one whose end was not written. */
  const runners = new Map<string, symbol>();
  /** Answers of calls that were carried out, and that the store did not take. */
  const unkept = new Map<string, StoredAnswer>();

  const keep = async (key: IdempotencyKey, answer: StoredAnswer): Promise<void> => {
    const place = placeOf(key);
    try {
      await sends.finish(key, { ...answer, body: sealed(cipher, key, answer.body) }, clock.now());
      unkept.delete(place);
    } catch {
      // What was done is done, and its caller is told so; the repeat gets the same answer, and tries to keep it.
      unkept.set(place, answer);
    }
  };

  const run = async (
    key: IdempotencyKey,
    reservedId: string,
    work: (reservedId: string) => Promise<StoredAnswer>,
  ): Promise<StoredAnswer> => {
    let answer: StoredAnswer;
    try {
      answer = await work(reservedId);
    } catch (error) {
      if (!isFinal(error)) {
        await release(key);
        throw error;
      }
      answer = failure(error);
    }
    // A 5xx or 429 is no last word: its repeat is a first try, or goes on with the message that was accepted.
    if (answer.status >= 500 || answer.status === 429) await release(key);
    else await keep(key, answer);
    return answer;
  };

  /** Where that fails, the claim seems to run; but nobody here runs it, and so the next one takes it over. */
  const release = (key: IdempotencyKey): Promise<void> => sends.release(key).catch(() => undefined);

  return {
    once: async ({ requestBody, ...key }, reservedId, work) => {
      const place = placeOf(key);
      const me = Symbol(key.key);
      if (!runners.has(place)) runners.set(place, me);
      try {
        const claim = await sends.claim(key, sha256(requestBody), reservedId, clock.now());
        if (claim.result === "same")
          return { status: claim.status, body: opened(cipher, key, claim.body), replayed: true };
        if (claim.result === "conflict")
          throw new HubError("IDEMPOTENCY_CONFLICT", "This key was used for another request.");
        if (claim.result === "running" && runners.get(place) !== me)
          throw new HubError("IDEMPOTENCY_IN_PROGRESS", "The first call under this key is still running.", {
            retryAfterSeconds: 1,
          });
        runners.set(place, me);
        const done = claim.result === "running" ? unkept.get(place) : undefined;
        if (done !== undefined) {
          await keep(key, done);
          return { ...done, replayed: true };
        }
        return { ...(await run(key, claim.reservedId, work)), replayed: false };
      } finally {
        if (runners.get(place) === me) runners.delete(place);
      }
    },
  };
}

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
