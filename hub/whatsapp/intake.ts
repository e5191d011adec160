/**
 * The way of one message: seen (hook B), decrypted (hook A), on disk with the ratchet step, understood, recorded in order
 * of arrival. Its receipt leaves when the journal has it on disk. What Baileys emits about messages is not used: its event
 * buffer may be dropped, merged or held back for half a minute.
 */
import type { Log } from "../core/log.ts";
import type { Fact } from "../core/facts.ts";
import type { ArrivalOrder } from "./arrival-order.ts";
import type { AuthenticationCreds, BinaryNode, proto } from "./baileys.ts";
import type { Generation } from "./generation.ts";
import { encryptedChildren, isComplete, type InFlight, type InFlightStanzas } from "./in-flight.ts";
import type { CrashPoint, Journal } from "./journal.ts";
import { dropOwnAlternative, meOf, messageOf } from "./message-of-stanza.ts";
import { applySelfMessage } from "./self-messages.ts";
import { addressOf, STATUS_BROADCAST, type Me } from "./translate/addresses.ts";
import { factsOfMessage, type LiveMessage } from "./translate/facts-of-message.ts";
import { unreadable, unavailable } from "./translate/placeholders.ts";
import type { Undecrypted } from "./undecrypted.ts";

export interface Intake {
  /** A message stanza, before Baileys gets it. */
  seen(node: BinaryNode): void;
  /** All parts of a stanza have their plaintext. */
  completed(stanza: InFlight): void;
  /** A part could not be decrypted: a request to send it again is about to leave. */
  failed(stanza: InFlight, cause: unknown): void;
}

const COMPLAINT_MS = 10_000;

export interface HistoryNotice {
  digest: Uint8Array;
  notification: proto.Message.IHistorySyncNotification;
  /** Nobody is fetching it: its connection is gone. */
  restored: boolean;
}

export function createIntake({
  sessionId,
  creds,
  journal,
  generation,
  inFlight,
  order,
  undecrypted,
  news,
  onHistory,
  now,
  log,
  crashPoint,
}: {
  sessionId: string;
  creds: AuthenticationCreds;
  journal: Journal;
  generation: Generation;
  inFlight: InFlightStanzas;
  order: ArrivalOrder;
  undecrypted: Undecrypted;
  /** Leaves out what was told before. */
  news: (facts: Fact[]) => Fact[];
  /** A chunk of history was announced; its stanza stays open until the chunk is stored. */
  onHistory: (notice: HistoryNotice) => void;
  now: () => Date;
  log: Log;
  crashPoint: CrashPoint;
}): Intake {
  const complain = createComplaint((count) =>
    log.warn({ sessionId, count }, "whatsapp.messages_undecrypted"),
  );

  function recordWhenDue(stanza: InFlight, facts: Fact[]): void {
    const closes = [stanza.digest, ...undecrypted.solvedBy(stanza)];
    order.ready(stanza, () => journal.putFacts({ facts: news(facts), closes, again: stanza.again }));
  }

  function understand(stanza: InFlight, me: Me): void {
    let raw: LiveMessage;
    try {
      raw = messageOf(
        stanza.node,
        stanza.parts.flatMap(({ plain }) => plain ?? []),
        creds,
      );
    } catch (cause) {
      log.error({ sessionId, error: nameOf(cause) }, "whatsapp.message_unreadable");
      recordWhenDue(stanza, unreadable(sessionId, stanza, me));
      return;
    }
    const self = applySelfMessage(raw, { sessionId, me, creds, journal });
    if (self === null) recordWhenDue(stanza, factsOfMessage(sessionId, raw, me, true));
    else if (self.history === null) resent(stanza, self.facts);
    else {
      order.gone(stanza);
      onHistory({
        digest: stanza.digest,
        notification: self.history,
        restored: stanza.restored,
      });
    }
  }

  /** What the phone sent in place of something this device could not read closes that as well. */
  function resent(stanza: InFlight, facts: Fact[]): void {
    for (const fact of facts) {
      if (fact.kind !== "message") continue;
      const closes = undecrypted.solvedById(fact.message.id);
      if (closes.length > 0) journal.putFacts({ facts: [], closes });
    }
    recordWhenDue(stanza, facts);
  }

  /** A message without ciphertext: a channel's, or a notice that the content is on the phone only. */
  function inClear(stanza: InFlight, me: Me): void {
    const notice = unavailable(sessionId, stanza, me);
    if (notice === "ask-phone") {
      // Baileys asks the phone for it and acknowledges at once: the row is what remembers that it is missing.
      undecrypted.add(stanza);
      journal.putStanza(stanza);
      order.gone(stanza);
    } else if (notice !== null) recordWhenDue(stanza, notice);
    else understand(stanza, me);
  }

  return {
    seen: (node) => {
      const me = meOf(creds);
      if (generation.isFenced() || me === null) return;
      dropOwnAlternative(node, me);
      const stanza = inFlight.add(node, now());
      order.arrived(stanza);
      crashPoint("after-stanza");
      if (encryptedChildren(node).length === 0) inClear(stanza, me);
    },
    completed: (stanza) => {
      const me = meOf(creds);
      if (me !== null && isComplete(stanza)) understand(stanza, me);
    },
    failed: (stanza, cause) => {
      order.gone(stanza);
      // Nobody misses a status.
      if (addressOf(stanza.chat) === STATUS_BROADCAST) return;
      undecrypted.add(stanza, cause);
      journal.putStanza(stanza);
      complain();
    },
  };
}

const nameOf = (cause: unknown): string => (cause instanceof Error ? cause.name : "unknown");

/** One line in ten seconds: broken messages come in storms. */
function createComplaint(write: (count: number) => void): () => void {
  let count = 0;
  let quietUntil = 0;
  return () => {
    count++;
    const now = performance.now();
    if (now < quietUntil) return;
    write(count);
    count = 0;
    quietUntil = now + COMPLAINT_MS;
  };
}
