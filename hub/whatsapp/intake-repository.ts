/** Hook A: Baileys' own decryption, inside a transaction that holds the ratchet step and the plaintext together. */
import type { Cipher } from "../core/cipher.ts";
import type { Log } from "../core/log.ts";
import type { IntakeStore } from "../core/store.ts";
import { intakeKey } from "./auth-state.ts";
import type { SignalKeyStoreWithTransaction, SocketConfig } from "./baileys.ts";
import type { Generation } from "./generation.ts";
import type { InFlightStanzas, Part } from "./in-flight.ts";
import type { Intake } from "./intake.ts";
import type { Journal } from "./journal.ts";
import { keptPlaintext } from "./kept-plaintext.ts";
import { shareOfTurn } from "./turns.ts";

type MakeRepository = SocketConfig["makeSignalRepository"];

export interface RepositoryParts {
  sessionId: string;
  generation: Generation;
  inFlight: InFlightStanzas;
  intake: Intake;
  store: Pick<IntakeStore, "plaintext">;
  journal: Journal;
  cipher: Cipher;
  log: Log;
}

export const withIntake =
  (make: MakeRepository, parts: RepositoryParts): MakeRepository =>
  (auth, logger, pnToLid) => {
    const real = make(auth, logger, pnToLid);
    // Baileys gives the key store its transactions before it asks for the repository.
    const keys = auth.keys as SignalKeyStoreWithTransaction;
    const { generation, inFlight, intake } = parts;

    async function openOnce(
      cipher: Uint8Array,
      lock: string,
      open: () => Promise<Uint8Array>,
    ): Promise<Uint8Array> {
      await shareOfTurn();
      generation.assertAlive();
      const part = inFlight.partOf(cipher);
      if (part === undefined) {
        const cause = new Error("a ciphertext was decrypted that no stanza brought");
        generation.fence(cause);
        throw cause;
      }
      const plain = await decrypt(part, lock, open);
      intake.completed(part.stanza);
      return plain;
    }

    async function decrypt(part: Part, lock: string, open: () => Promise<Uint8Array>): Promise<Uint8Array> {
      try {
        // libsignal's own transactions join this one; if it fails, nothing of it is kept.
        return await keys.transaction(async () => {
          const plain = await open();
          part.plain = plain;
          await keys.set(intakeKey(part.stanza));
          return plain;
        }, lock);
      } catch (cause) {
        generation.assertAlive();
        const kept = await plaintextOf(part, parts);
        if (kept === null) {
          part.plain = null;
          part.failed = true;
          if (!isReplay(cause)) intake.failed(part.stanza, cause);
          throw cause;
        }
        part.plain = kept;
        part.stanza.again = true;
        return kept;
      }
    }

    return {
      ...real,
      decryptMessage: (options) =>
        openOnce(options.ciphertext, options.jid, () => real.decryptMessage(options)),
      decryptGroupMessage: (options) =>
        openOnce(options.msg, options.group, () => real.decryptGroupMessage(options)),
    };
  };

/** Old ciphertext under a new identity: there is no message in it that could be missing. */
const isReplay = (cause: unknown): boolean =>
  cause instanceof Error &&
  (cause.message === "Key used already or never filled" ||
    cause.message.startsWith("Received message with old counter"));

/** The ratchet never moves twice: what it gave the first time was kept. */
async function plaintextOf({ encId }: Part, parts: RepositoryParts): Promise<Uint8Array | null> {
  const waiting = parts.journal.plaintext(encId);
  if (waiting !== null) return waiting;
  try {
    return await keptPlaintext(encId, parts);
  } catch (cause) {
    parts.generation.fence(cause);
    throw cause;
  }
}
