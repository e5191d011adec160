/** How those who were written to behave: they confirm, ask again, answer. Receipts as Baileys rc14 reads them (handleReceipt). */
import type { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import { retryKeys } from "../iq/prekeys.ts";
import { linkedCompanions } from "../state/account.ts";
import { signalAddress, type Companion } from "../state/companion.ts";
import { addressOf, type Addressing, type Person } from "../state/people.ts";
import { isLidJid } from "../wire/jid.ts";
import { stanza, uintBytes, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { deliver, receiptKey } from "./delivery.ts";
import { newMessageId, post } from "./inbound.ts";
import type { Sending } from "./outbound.ts";

export type ReceiptType = "delivery" | "read" | "played";

/** In which of their two names they answer: in the one they were called by. */
function addressingOf(
  { to, isGroup }: Pick<Sending, "to" | "isGroup">,
  world: Pick<World, "groups">,
): Addressing {
  if (isGroup) return world.groups.get(to)?.addressing ?? "lid";
  return isLidJid(to) ? "lid" : "pn";
}

interface Receipt {
  id: string;
  type: ReceiptType;
  person: Person;
  /** The chat as the companion called it. */
  to: string;
  isGroup: boolean;
}

export function sendReceipt(
  companion: Companion,
  { id, type, person, to, isGroup }: Receipt,
  world: World,
): void {
  const address = addressOf(person, addressingOf({ to, isGroup }, world));
  const attribute = type === "delivery" ? undefined : type;
  const receipt = stanza("receipt", {
    id,
    from: isGroup ? to : address,
    participant: isGroup ? address : undefined,
    type: attribute,
    t: Math.floor(Date.now() / 1000),
  });
  deliver(
    companion,
    { key: receiptKey(id, attribute, address), stanza: receipt, afterOffline: false },
    world,
  );
  world.events.emit({
    type: "receipt.sent",
    account: companion.account.number,
    device: companion.device,
    id,
    detail: { type, by: person.pn },
  });
}

/** By themselves, if the account's options say so. */
export function recipientConfirms(
  { companion, id, to, isGroup }: Sending,
  person: Person,
  world: World,
): void {
  const { deliveryReceiptMs, readReceiptMs } = companion.account.options;
  const send = (type: ReceiptType): void => sendReceipt(companion, { id, type, person, to, isGroup }, world);
  if (deliveryReceiptMs !== null) world.later(deliveryReceiptMs, () => send("delivery"));
  if (readReceiptMs !== null)
    world.later(Math.max(readReceiptMs, deliveryReceiptMs ?? 0), () => send("read"));
}

/** "I could not read it": a retry receipt with keys for a fresh session. */
export function recipientAsksAgain(
  { companion, id, to, isGroup, node }: Sending,
  person: Person,
  world: World,
): void {
  const party = person.party();
  // What the companion makes of the keys is a new session; the old one is of no use to either.
  party.retire(signalAddress(companion));
  const count = Number(countOf(node)) + 1;
  const address = addressOf(person, addressingOf({ to, isGroup }, world));
  const t = Math.floor(Date.now() / 1000);
  const receipt = stanza(
    "receipt",
    { id, from: isGroup ? to : address, participant: isGroup ? address : undefined, type: "retry", t },
    [
      stanza("retry", { count, id, t, v: 1, error: 0 }),
      stanza("registration", {}, uintBytes(party.registrationId, 4)),
      retryKeys(party.bundle()),
    ],
  );
  deliver(companion, { key: receiptKey(id, "retry", address), stanza: receipt, afterOffline: false }, world);
}

function countOf(node: Stanza): string {
  if (!Array.isArray(node.content)) return "0";
  return (
    node.content.find(({ tag, attrs }) => tag === "enc" && attrs["count"] !== undefined)?.attrs["count"] ??
    "0"
  );
}

export function recipientReplies(
  { companion, isGroup }: Sending,
  person: Person,
  message: proto.IMessage,
  world: World,
): void {
  const { account } = companion;
  const { autoReply, autoReplyMs, addressing } = account.options;
  const isTalk = !message.reactionMessage && !message.protocolMessage;
  if (autoReply === null || isGroup || !isTalk) return;
  world.later(autoReplyMs, () => {
    if (linkedCompanions(account).length === 0) return;
    post(
      {
        id: newMessageId(),
        account,
        sender: person,
        addressing,
        message: { conversation: autoReply },
        type: "text",
        kind: "text",
        text: autoReply,
        timestamp: Math.floor(Date.now() / 1000),
      },
      world,
    );
  });
}
