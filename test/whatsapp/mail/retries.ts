/**
 * The companion could not read a message and asks for it again: the sender starts a fresh session (keys in the receipt, or the
 * server's) and sends the same id. In a group: pairwise, with the sender key. Baileys rc14: sendRetryRequest.
 */
import type { Companion } from "../state/companion.ts";
import type { PeerBundle } from "../signal/handshake.ts";
import { signalAddress, takeBundle } from "../state/companion.ts";
import type { LedgerEntry } from "../state/ledger.ts";
import { readRetryKeys } from "../iq/prekeys.ts";
import { groupJid } from "../wire/jid.ts";
import { childOf, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { messageKey } from "./delivery.ts";
import type { Envelope } from "./envelope.ts";
import { keyMessage, plaintextOf, send } from "./inbound.ts";
import { sealFor } from "./sealing.ts";

export function answerRetry(receipt: Stanza, companion: Companion, world: World): void {
  const id = receipt.attrs["id"] ?? "";
  const { account, device } = companion;
  const envelope = world.resends.find(account.number, id);
  const entry = world.ledger.find(account.number, device, id);
  world.counters.add("retriesAsked");
  if (!envelope || !entry) return;
  world.ledger.retried(entry);
  if (world.faults.take("ignore-retry", account.number)) return;
  const count = childOf(receipt, "retry")?.attrs["count"] ?? "1";
  companion.answeredRetries.set(id, (companion.answeredRetries.get(id) ?? 0) + 1);
  sendAnew({ envelope, entry, companion, count, bundle: readRetryKeys(receipt) }, world);
}

/** The same message, encrypted in a session of its own that begins here. */
export function sendAnew(
  {
    envelope,
    entry,
    companion,
    count,
    bundle,
  }: {
    envelope: Envelope;
    entry: LedgerEntry;
    companion: Companion;
    count: string;
    bundle: PeerBundle | undefined;
  },
  world: World,
): void {
  const party = envelope.sender.party();
  party.retire(signalAddress(companion));
  const message = envelope.group
    ? { ...envelope.message, ...keyMessage(party, groupJid(envelope.group.id)) }
    : plaintextOf(envelope);
  const fresh = bundle ?? takeBundle(companion);
  const enc = sealFor(companion, party, message, world, { mediatype: envelope.mediaType, count }, fresh);
  companion.queue.take(messageKey(envelope.id));
  send(companion, envelope, [enc], entry, world);
}
