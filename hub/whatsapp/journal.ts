/**
 * What one connection still has to write: keys, credentials, stanzas with their plaintext, and facts. All of a burst goes
 * to disk together, keys and stanzas first, then the facts made of them. Reads see what waits here. If the store fails,
 * the generation is fenced: memory may be ahead of the disk then, and nothing that depended on it has left.
 */
import type { Cipher } from "../core/cipher.ts";
import type { Fact } from "../core/facts.ts";
import type { AuthStore, IntakeEntry, RatchetStep } from "../core/store.ts";
import { GenerationEnded, type Generation } from "./generation.ts";
import type { InFlight } from "./in-flight.ts";
import { codecOf } from "./key-codec.ts";
import type { Progress } from "./outgoing-gate.ts";
import { keepStanza } from "./stanza-form.ts";
import type { RecordFacts } from "./record.ts";

/** Places where a test may end the process. */
export type CrashPoint = (name: string) => void;

export interface Journal extends Progress {
  /** A key that waits: its value, null when deleted, undefined when nothing waits. */
  key(type: string, id: string): unknown;
  putKey(type: string, id: string, value: unknown): void;
  /** The credentials changed. */
  putCreds(): void;
  /** A stanza with what is decrypted of it so far. */
  putStanza(stanza: InFlight): void;
  /** Plaintext of a part that waits. */
  plaintext(encId: Uint8Array): Uint8Array | null;
  /**
   * Facts and the intake rows they came from. `again`: the stanza may have been recorded before; the store tells by its
   * rows, so such facts are never mixed with others.
   */
  putFacts(entry: FactEntry): void;
  /** Resolves when all that was put is on disk; rejects when the generation is fenced before. */
  flush(): Promise<void>;
}

export interface FactEntry {
  facts: Fact[];
  closes: Uint8Array[];
  again?: boolean;
}

interface Batch {
  upTo: number;
  keys: Map<string, { type: string; id: string; held: unknown }>;
  creds: boolean;
  stanzas: Set<InFlight>;
  entries: FactEntry[];
}

const emptyBatch = (): Batch => ({
  upTo: 0,
  keys: new Map(),
  creds: false,
  stanzas: new Set(),
  entries: [],
});

export function createJournal({
  sessionId,
  auth,
  cipher,
  record,
  creds,
  fingerprint,
  generation,
  crashPoint,
}: {
  sessionId: string;
  auth: Pick<AuthStore, "commit">;
  cipher: Cipher;
  record: RecordFacts;
  /** The credentials as bytes, asked for when they are about to be written. */
  creds: () => Uint8Array;
  /** Which login they are. */
  fingerprint: string;
  generation: Generation;
  crashPoint: CrashPoint;
}): Journal {
  const durableListeners: (() => void)[] = [];
  const flushWaiters: { upTo: number; resolve: () => void; reject: (cause: unknown) => void }[] = [];
  let batch = emptyBatch();
  let writing: Batch | null = null;
  let written = 0;
  let durable = 0;
  let scheduled = false;

  generation.onFence((cause) => {
    for (const waiter of flushWaiters.splice(0)) waiter.reject(cause ?? new GenerationEnded());
  });

  function touch(): void {
    generation.assertAlive();
    batch.upTo = ++written;
    if (scheduled || writing !== null) return;
    scheduled = true;
    // After everything that this turn of the event loop still receives.
    setImmediate(() => {
      scheduled = false;
      void drain();
    });
  }

  async function drain(): Promise<void> {
    if (writing !== null) return;
    try {
      while (batch.upTo > durable && !generation.isFenced()) {
        writing = batch;
        batch = emptyBatch();
        await write(writing);
        durable = writing.upTo;
        writing = null;
        announce();
      }
    } catch (cause) {
      generation.fence(cause);
    } finally {
      writing = null;
    }
  }

  async function write({ keys, stanzas, entries, creds: credsChanged }: Batch): Promise<void> {
    if (keys.size > 0 || stanzas.size > 0 || credsChanged) {
      const step: RatchetStep = { keys: [], intake: [] };
      if (credsChanged) Object.assign(step, { creds: cipher.seal("creds", creds()), fingerprint });
      for (const { type, id, held } of keys.values())
        step.keys.push({
          type,
          id,
          value: held === null ? null : cipher.seal(keyPlace(type, id), codecOf(type).encode(held)),
        });
      for (const stanza of stanzas) step.intake.push(intakeEntry(stanza, cipher));
      const what = stanzas.size > 0 ? "commit" : "keys";
      crashPoint(`before-${what}`);
      await auth.commit(sessionId, step);
      crashPoint(`after-${what}`);
    }
    if (entries.length === 0) return;
    crashPoint("before-upsert");
    for (const { facts, closes } of together(entries)) await record({ sessionId, facts, closes });
    crashPoint("after-upsert");
  }

  function announce(): void {
    for (const listener of durableListeners) listener();
    crashPoint("after-receipt");
    while ((flushWaiters[0]?.upTo ?? Infinity) <= durable) flushWaiters.shift()?.resolve();
  }

  return {
    get written() {
      return written;
    },
    get durable() {
      return durable;
    },
    onDurable: (listener) => void durableListeners.push(listener),
    key: (type, id) => {
      const name = `${type} ${id}`;
      const waiting = batch.keys.get(name) ?? writing?.keys.get(name);
      return waiting?.held;
    },
    putKey: (type, id, value) => {
      touch();
      const held = value === null || value === undefined ? null : codecOf(type).hold(value);
      batch.keys.set(`${type} ${id}`, { type, id, held });
    },
    putCreds: () => {
      if (generation.isFenced()) return;
      touch();
      batch.creds = true;
    },
    putStanza: (stanza) => {
      touch();
      batch.stanzas.add(stanza);
    },
    plaintext: (encId) => {
      for (const stanzas of [batch.stanzas, writing?.stanzas ?? []])
        for (const { parts } of stanzas)
          for (const part of parts)
            if (part.plain !== null && Buffer.compare(part.encId, encId) === 0) return part.plain;
      return null;
    },
    putFacts: (entry) => {
      // What a fenced connection still hears is not acknowledged either: WhatsApp tells it again.
      if (generation.isFenced() || (entry.facts.length === 0 && entry.closes.length === 0)) return;
      touch();
      batch.entries.push(entry);
    },
    flush: () => {
      if (durable >= written) return Promise.resolve();
      if (generation.isFenced()) return Promise.reject(new GenerationEnded());
      return new Promise((resolve, reject) => {
        flushWaiters.push({ upTo: written, resolve, reject });
        void drain();
      });
    },
  };
}

/** Neighbours share a transaction, but for those that may be repeats. */
function together(entries: FactEntry[]): FactEntry[] {
  const merged: FactEntry[] = [];
  for (const entry of entries) {
    const last = merged.at(-1);
    if (last === undefined || last.again === true || entry.again === true)
      merged.push({ ...entry, facts: [...entry.facts], closes: [...entry.closes] });
    else {
      last.facts.push(...entry.facts);
      last.closes.push(...entry.closes);
    }
  }
  return merged;
}

export const keyPlace = (type: string, id: string): string => `key|${type}|${id}`;
export const stanzaPlace = (digest: Uint8Array): string => `intake|${Buffer.from(digest).toString("hex")}`;
export const plaintextPlace = (encId: Uint8Array): string => `plain|${Buffer.from(encId).toString("hex")}`;

function intakeEntry(stanza: InFlight, cipher: Cipher): IntakeEntry {
  const { order, digest, id, chat, participant, seenAt } = stanza;
  const plaintexts: IntakeEntry["plaintexts"] = [];
  for (const { encId, plain } of stanza.parts)
    if (plain !== null) plaintexts.push({ encId, sealed: cipher.seal(plaintextPlace(encId), plain) });
  return {
    order,
    digest,
    stanzaId: id,
    chat,
    participant,
    seenAt,
    stanza: cipher.seal(stanzaPlace(digest), keepStanza(stanza)),
    plaintexts,
  };
}
