/** Repeats of a send without a key: merged with the first while it runs, or when its answer never reached the caller. */
import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.ts";

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
  /** True when this is the answer of an earlier, equal send. */
  repeated: boolean;
  /** What became of the answer: flushed to the caller, or cut off before that. Until it is told, it counts as lost. */
  reached(flushed: boolean): void;
}

export interface Dedupe<T> {
  run(identity: SendIdentity, work: () => Promise<T>): Promise<SharedAnswer<T>>;
}

interface Entry<T> {
  value: Promise<T>;
  /** Null while it runs. */
  until: number | null;
}

export function createDedupe<T>({ clock }: { clock: Clock }): Dedupe<T> {
  const entries = new Map<string, Entry<T>>();

  const forget = (now: number): void => {
    for (const [name, { until }] of entries) if (until !== null && until <= now) entries.delete(name);
  };

  return {
    run: async (identity, work) => {
      const startedAt = clock.now().getTime();
      forget(startedAt);
      const name = nameOf(identity);
      const first = entries.get(name);
      const entry: Entry<T> = first ?? { value: work(), until: null };
      if (first === undefined) entries.set(name, entry);
      const drop = (): void => {
        if (entries.get(name) === entry) entries.delete(name);
      };
      const now = (): number => clock.now().getTime();
      try {
        const value = await entry.value;
        entry.until ??= now() + LOST_ANSWER_MS;
        return {
          value,
          repeated: first !== undefined,
          reached: (flushed) => {
            if (!flushed) return;
            if (identity.dedupeSeconds === 0) drop();
            else entry.until = now() + identity.dedupeSeconds * 1000;
          },
        };
      } catch (error) {
        drop(); // nothing is merged with a failure: its repeat is a try of its own
        throw error;
      }
    },
  };
}

function nameOf({ client, sessionId, chatId, type, requestBody }: SendIdentity): string {
  const body = createHash("sha256").update(requestBody).digest("base64");
  return JSON.stringify([client, sessionId, chatId, type, body]);
}
