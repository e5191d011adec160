/**
 * What the companion says about what it was sent. Baileys rc14: success is a receipt (`inactive` unless it is available, `sender`
 * for copies from the phone, `peer_msg`), failure a retry receipt and then an ack with error 500; 487 means it gave up.
 */
import { linkedCompanions } from "../state/account.ts";
import type { Companion } from "../state/companion.ts";
import { childOf, childrenOf, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { messageKey, receiptKey, stanzaKey } from "./delivery.ts";
import { answerMediaRetry } from "./media-retry.ts";
import { answerRetry } from "./retries.ts";

const READ_TYPES = new Set(["read", "read-self", "played"]);

export function onReceipt(receipt: Stanza, companion: Companion, world: World): void {
  const { type, id = "" } = receipt.attrs;
  const { account, device } = companion;
  const ids = [id, ...childrenOf(childOf(receipt, "list")).map(({ attrs }) => attrs["id"] ?? "")];
  if (type === "retry") {
    answerRetry(receipt, companion, world);
    return;
  }
  if (type === "server-error") {
    answerMediaRetry(receipt, companion, world);
    return;
  }
  if (type === "hist_sync") {
    world.events.emit({ type: "history.received", account: account.number, device, id });
    return;
  }
  if (type !== undefined && READ_TYPES.has(type)) {
    for (const read of ids)
      world.events.emit({ type: "read", account: account.number, device, id: read, detail: { how: type } });
    return;
  }
  for (const received of ids) settleMessage(received, type ?? "delivered", companion, world);
}

function settleMessage(id: string, receiptType: string, companion: Companion, world: World): void {
  const entry = world.ledger.find(companion.account.number, companion.device, id);
  if (entry && world.faults.take("lose-receipt", companion.account.number)) return;
  companion.queue.take(messageKey(id));
  forgetWhenSettled(id, companion, world);
  if (entry) world.ledger.receipted(entry, receiptType);
}

export function onAck(ack: Stanza, companion: Companion, world: World): void {
  const { class: subject = "", id = "", type, error, to = "", participant } = ack.attrs;
  if (subject === "message") {
    onMessageAck(id, error, companion, world);
    return;
  }
  if (subject === "receipt") companion.queue.take(receiptKey(id, type, participant ?? to));
  else companion.queue.take(stanzaKey(subject, id));
}

function onMessageAck(id: string, error: string | undefined, companion: Companion, world: World): void {
  const answered = companion.answeredRetries.get(id) ?? 0;
  if (error !== undefined && answered > 0) {
    // It belongs to the retry receipt before it, which was answered with a resend.
    companion.answeredRetries.set(id, answered - 1);
    return;
  }
  companion.queue.take(messageKey(id));
  const entry = world.ledger.find(companion.account.number, companion.device, id);
  if (error === undefined) {
    forgetWhenSettled(id, companion, world);
    if (entry) world.ledger.acked(entry);
  } else if (entry) {
    // Kept for a resend: Baileys may still ask the phone for it.
    world.ledger.nacked(entry, Number(error));
  }
}

function forgetWhenSettled(id: string, { account }: Companion, { resends }: Pick<World, "resends">): void {
  if (linkedCompanions(account).every(({ queue }) => !queue.has(messageKey(id))))
    resends.forget(account.number, id);
}
