/**
 * Stanzas that an earlier connection left open: after a crash, what was on disk and not recorded yet. Taken up before the
 * next socket is made (two writers must never move one ratchet), and looked at each minute while one is live.
 */
import type { Cipher } from "../core/cipher.ts";
import type { Log } from "../core/log.ts";
import type { InboxStore, IntakeStore, OpenIntake } from "../core/store.ts";
import { decryptMessageNode, type AuthenticationCreds, type SignalRepository } from "./baileys.ts";
import type { BaileysLogger } from "./baileys-log.ts";
import { isComplete, type InFlight, type InFlightStanzas, type RestoredPart } from "./in-flight.ts";
import type { Intake } from "./intake.ts";
import { stanzaPlace, type Journal } from "./journal.ts";
import { keptPlaintext } from "./kept-plaintext.ts";
import { meOf } from "./message-of-stanza.ts";
import { readStanza } from "./stanza-form.ts";
import { addressOf } from "./translate/addresses.ts";
import { undecryptable } from "./translate/placeholders.ts";
import type { Undecrypted } from "./undecrypted.ts";

export interface Recovery {
  /** Everything that is open; tries to decrypt what never was. Resolves when all that came of it is on disk. */
  beforeConnecting(repository: SignalRepository): Promise<void>;
  /** What has been open for a minute on a live connection. */
  sweep(): Promise<void>;
}

interface Restored {
  stanza: InFlight;
  hasCiphertext: boolean;
}

const SWEEP_AGE_MS = 60_000;
/** History that has not come by then will not come by itself. */
const STUCK_MS = 10 * 60_000;
/** What has not come by then, with a connection open all the while, is shown as missing. */
const MISSING_AFTER_MS = 2 * 60_000;
/** Looked at between two turns of everybody else. */
const ROWS_AT_ONCE = 100;
/** Requests to the phone at once; a storm of broken messages must not become a storm of requests. */
const MAX_REQUESTS = 20;
/** As long as WhatsApp itself keeps undelivered messages. */
const GIVE_UP_MS = 14 * 86_400_000;
/** A storm of broken messages must not hold up a start. */
const MAX_DECRYPTIONS = 200;

export function createRecovery({
  sessionId,
  store,
  inbox,
  cipher,
  creds,
  inFlight,
  intake,
  journal,
  undecrypted,
  isUnderWay,
  openSince,
  askPhone,
  missingAfterMs = MISSING_AFTER_MS,
  now,
  logger,
  log,
}: {
  sessionId: string;
  store: IntakeStore;
  inbox: Pick<InboxStore, "message">;
  cipher: Cipher;
  creds: AuthenticationCreds;
  inFlight: InFlightStanzas;
  intake: Intake;
  journal: Journal;
  undecrypted: Undecrypted;
  /** History that this connection is fetching. */
  isUnderWay: (digest: Uint8Array) => boolean;
  /** Since when WhatsApp has been there to send it; null while it is not. */
  openSince: () => Date | null;
  /** Asks the phone for the content of a message. */
  askPhone: (stanza: InFlight) => void;
  missingAfterMs?: number | undefined;
  now: () => Date;
  logger: BaileysLogger;
  log: Log;
}): Recovery {
  function isDue({ seenAt, digest }: OpenIntake): boolean {
    const age = now().getTime() - seenAt.getTime();
    return age >= Math.min(SWEEP_AGE_MS, missingAfterMs) && (age >= STUCK_MS || !isUnderWay(digest));
  }

  /** What was sealed with a key that is gone stays unreadable, and must not end every connection anew. */
  async function restore(row: OpenIntake): Promise<Restored | null> {
    const kept = readable(row);
    if (kept === null) {
      journal.putFacts({ facts: [], closes: [row.digest] });
      return null;
    }
    const { node, encIds, hasCiphertext } = kept;
    const parts: RestoredPart[] = [];
    for (const encId of encIds)
      parts.push({ encId, plain: await keptPlaintext(encId, { sessionId, store, cipher, log }) });
    const { digest, stanzaId, chat, participant, seenAt } = row;
    return {
      stanza: inFlight.restore({ node, digest, id: stanzaId, chat, participant, seenAt }, parts),
      hasCiphertext,
    };
  }

  function readable(row: OpenIntake): ReturnType<typeof readStanza> | null {
    try {
      return readStanza(cipher.open(stanzaPlace(row.digest), row.stanza));
    } catch (cause) {
      log.error({ sessionId, err: cause }, "whatsapp.intake_unreadable");
      return null;
    }
  }

  const isReadable = (stanza: InFlight): boolean => stanza.parts.length > 0 && isComplete(stanza);

  /** Closes what came by another way, or can come by none any more. */
  async function settleMissing(stanza: InFlight): Promise<boolean> {
    const known = await inbox.message(sessionId, stanza.id, addressOf(stanza.chat));
    const isTooOld = now().getTime() - stanza.seenAt.getTime() > GIVE_UP_MS;
    if (known === null && !isTooOld) return false;
    if (known === null) log.warn({ sessionId }, "whatsapp.message_given_up");
    journal.putFacts({ facts: [], closes: [stanza.digest] });
    return true;
  }

  const isMissing = ({ seenAt }: InFlight): boolean => {
    const since = openSince();
    if (since === null) return false;
    return now().getTime() - Math.max(since.getTime(), seenAt.getTime()) >= missingAfterMs;
  };

  /** Something visible in its place; true when there was something to show. */
  function showMissing(stanza: InFlight): boolean {
    const me = meOf(creds);
    const facts = me === null ? null : undecryptable(sessionId, stanza, me);
    if (facts === null) return false;
    // The row is done: what comes later is the same message again, and takes the place of its stand-in.
    journal.putFacts({ facts, closes: [stanza.digest] });
    return facts.length > 0;
  }

  /** A storm of broken messages is worked off in between: a good one must not wait behind all of them. */
  async function othersFirst(): Promise<void> {
    await journal.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async function decrypt(stanza: InFlight, repository: SignalRepository): Promise<void> {
    const { id: meId = "", lid: meLid = "" } = creds.me ?? {};
    // What cannot be decrypted now is noted by the hooks; Baileys logs the reason.
    await decryptMessageNode(stanza.node, meId, meLid, repository, logger).decrypt();
  }

  return {
    beforeConnecting: async (repository) => {
      const rows = await store.open(sessionId);
      let tries = 0;
      let recovered = 0;
      for (const row of rows) {
        const restored = await restore(row);
        if (restored === null) continue;
        const { stanza, hasCiphertext } = restored;
        if (isReadable(stanza)) {
          intake.completed(stanza);
          recovered++;
        } else if (!(await settleMissing(stanza))) {
          undecrypted.add(stanza);
          if (hasCiphertext && stanza.parts.length > 0 && tries++ < MAX_DECRYPTIONS)
            await decrypt(stanza, repository);
        }
      }
      await journal.flush();
      if (rows.length > 0) log.info({ sessionId, open: rows.length, recovered }, "whatsapp.intake_recovered");
    },
    sweep: async () => {
      let looked = 0;
      let missing = 0;
      for (const row of await store.open(sessionId)) {
        if (++looked % ROWS_AT_ONCE === 0) await othersFirst();
        const restored = isDue(row) ? await restore(row) : null;
        if (restored === null) continue;
        const { stanza } = restored;
        if (isReadable(stanza)) intake.completed(stanza);
        else if (!(await settleMissing(stanza)) && isMissing(stanza) && showMissing(stanza)) {
          if (missing++ < MAX_REQUESTS) askPhone(stanza);
        }
      }
      if (missing > 0) log.warn({ sessionId, missing }, "whatsapp.messages_missing");
    },
  };
}
