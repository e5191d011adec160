/** The way in for everything WhatsApp tells: mends texts, names new media, writes the facts down in one transaction, wakes who waits. */
import type { Clock } from "../core/clock.ts";
import type { Fact } from "../core/facts.ts";
import { newId, newToken } from "../core/ids.ts";
import type { Nudge } from "../core/nudge.ts";
import type { InboxStore, Recorded } from "../core/store.ts";
import { wellFormed } from "../core/well-formed.ts";

export interface IngestEntry {
  sessionId: string;
  facts: Fact[];
  /** Digests of the intake rows that these facts came from. */
  closes: Uint8Array[];
}

type OnRecorded = (sessionId: string, facts: Fact[], recorded: Recorded) => void;

export interface Ingest {
  (entry: IngestEntry): Promise<Recorded>;
  /** Calls `listener` with facts that are now on disk, and what became of them; returns the function that stops it. */
  onRecorded(listener: OnRecorded): () => void;
}

export interface IngestParts {
  inbox: Pick<InboxStore, "record">;
  clock: Clock;
  nudge: Nudge;
}

export function createIngest({ inbox, clock, nudge }: IngestParts): Ingest {
  const listeners = new Set<OnRecorded>();

  const ingest = async ({ sessionId, facts, closes }: IngestEntry): Promise<Recorded> => {
    const now = clock.now();
    const named = facts.map((fact) => withMediaName(wellFormed(fact), now));
    const recorded = await inbox.record({ sessionId, facts: named, closes, now });
    for (const listener of listeners) listener(sessionId, named, recorded);
    if (recorded.lastSeq !== null) nudge.ring();
    return recorded;
  };

  return Object.assign(ingest, {
    onRecorded: (listener: OnRecorded) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
}

/** The library knows no ids of ours; a message that turns out to be known keeps the names of its first record. */
function withMediaName(fact: Fact, now: Date): Fact {
  if (fact.kind !== "message" || fact.message.media === null || fact.message.media.mediaId !== "")
    return fact;
  const media = { ...fact.message.media, mediaId: newId("med", now), token: newToken() };
  return { ...fact, message: { ...fact.message, media } };
}
