/** Repeats of a send without a key: merged with the first while it runs, or when its answer never reached the caller. */
import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import type { IdempotencyKey, InboxStore, SendStore } from "../core/store.ts";
import { isFinal } from "./final-refusal.ts";

/** How long a caller whose connection broke may come again for its answer. */
const LOST_ANSWER_MS = 120_000;

export interface SendIdentity {
  client: string;
  sessionId: string;
  /** Resolved recipient. */
  chatId: string;
  type: string;
  requestBody: string | Uint8Array;
  /** Of the key: how long an equal send counts as a repeat even after its answer arrived. */
  dedupeSeconds: number;
}

export interface SharedAnswer<T> {
  value: T;
  /** True when this is the answer of an earlier, equal send of this process. */
  repeated: boolean;
  /** What became of the answer: flushed to the caller, or cut off before that. Until it is told, it counts as lost. */
  reached(flushed: boolean): void;
}

export interface Dedupe<T> {
  /** `work` sends under the id it gets: that of the first try when a crash, or a failure of ours, took its answer. */
  run(identity: SendIdentity, work: (reservedId: string) => Promise<T>): Promise<SharedAnswer<T>>;
}

export interface DedupeParts {
  sends: Pick<SendStore, "claim" | "release" | "abandon">;
  inbox: Pick<InboxStore, "message">;
  reserveId: (sessionId: string) => string;
  clock: Clock;
}

interface Entry<T> {
  value: Promise<T>;
  /** Null while it runs. */
  until: number | null;
}

export function createDedupe<T>({ sends, inbox, reserveId, clock }: DedupeParts): Dedupe<T> {
  const entries = new Map<string, Entry<T>>();
  /** Notes of sends that failed, which the store did not let go of: they look as if their send were running. */
  const unreleased = new Set<string>();
  const now = (): number => clock.now().getTime();

  const forget = (): void => {
    for (const [name, { until }] of entries) if (until !== null && until <= now()) entries.delete(name);
  };

  /** Leaves a note on disk until the answer arrives; the id in it is that of a broken call when there was one. */
  const note = async (key: IdempotencyKey, sessionId: string): Promise<string> => {
    const reservedId = reserveId(sessionId);
    const claim = await sends.claim(key, key.key, reservedId, clock.now());
    const isLeft = unreleased.delete(JSON.stringify(key));
    if (claim.result === "new" || (claim.result === "running" && isLeft)) {
      if (claim.reservedId === reservedId) return reservedId;
      const first = await inbox.message(sessionId, claim.reservedId);
      if (first !== null && now() - first.timestamp * 1000 <= LOST_ANSWER_MS) return claim.reservedId;
    }
    // A note whose time is over: whoever left it never came again.
    await sends.abandon(key);
    await sends.claim(key, key.key, reservedId, clock.now());
    return reservedId;
  };

  return {
    run: async (identity, work) => {
      forget();
      const key = keyOf(identity);
      const name = JSON.stringify(key);
      const first = entries.get(name);
      const begin = async (): Promise<T> => work(await note(key, identity.sessionId));
      const entry: Entry<T> = first ?? { value: begin(), until: null };
      if (first === undefined) entries.set(name, entry);
      const drop = async (isAnswered: boolean): Promise<void> => {
        if (entries.get(name) !== entry) return;
        entries.delete(name);
        if (isAnswered) return sends.abandon(key);
        await sends.release(key).catch(() => void unreleased.add(name));
      };
      try {
        const value = await entry.value;
        entry.until ??= now() + LOST_ANSWER_MS;
        return {
          value,
          repeated: first !== undefined,
          reached: (flushed) => {
            if (!flushed) return;
            if (identity.dedupeSeconds > 0) entry.until = now() + identity.dedupeSeconds * 1000;
            // A note that stays by accident only merges what comes after a crash within two minutes.
            else drop(true).catch(() => undefined);
          },
        };
      } catch (error) {
        // Nothing is merged with a refusal: its repeat is a try of its own. After a failure of ours the message may be out.
        await drop(isFinal(error));
        throw error;
      }
    },
  };
}

function keyOf({ client, sessionId, chatId, type, requestBody }: SendIdentity): IdempotencyKey {
  const body = createHash("sha256").update(requestBody).digest("base64");
  const said = createHash("sha256")
    .update(JSON.stringify([chatId, type, body]))
    .digest("base64url");
  return { owner: `client ${client}`, route: `send without a key, ${sessionId}`, key: said };
}
