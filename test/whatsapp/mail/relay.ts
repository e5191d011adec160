/**
 * From one emulated account to another: the ciphertext for a companion is passed on as it is, like WhatsApp's server does. (What
 * the other account's phone gets is opened like any contact's.)
 */
import { linkedCompanions } from "../state/account.ts";
import { addressOf, otherAddressOf, type Addressing, type Person } from "../state/people.ts";
import { isLidJid } from "../wire/jid.ts";
import { childrenOf, stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { deliver, messageKey } from "./delivery.ts";
import type { Sending } from "./outbound.ts";

export function relayToDevice(
  sending: Sending,
  person: Person,
  device: number,
  enc: Stanza | undefined,
  world: World,
): void {
  const { companion: sender, id, to, isGroup, node } = sending;
  const account = world.accounts.get(person.pn);
  const receiver = account && linkedCompanions(account).find((one) => one.device === device);
  if (!receiver || receiver === sender) return;
  const skmsg = childrenOf(node).filter(({ tag, attrs }) => tag === "enc" && attrs["type"] === "skmsg");
  const identity = childrenOf(node).filter(({ tag }) => tag === "device-identity");
  const attributes = {
    ...routing(sending, world),
    // A copy for another device of the same account says where it went.
    ...(account === sender.account && !isGroup ? { recipient: to } : {}),
    id,
    t: Math.floor(Date.now() / 1000),
    type: node.attrs["type"],
    edit: node.attrs["edit"],
    notify: sender.account.owner.pushName,
  };
  const message = stanza("message", attributes, [...(enc ? [enc] : []), ...skmsg, ...identity]);
  const entry = world.ledger.queued({
    id,
    account: person.pn,
    device,
    contact: sender.account.number,
    group: isGroup ? to : undefined,
    kind: "relayed",
    text: undefined,
  });
  const onSent = (): void => world.ledger.sent(entry);
  deliver(receiver, { key: messageKey(id), stanza: message, afterOffline: false, onSent }, world);
}

function routing(
  { companion, to, isGroup }: Sending,
  { groups }: Pick<World, "groups">,
): Record<string, string> {
  const { owner } = companion.account;
  const addressing: Addressing = isGroup
    ? (groups.get(to)?.addressing ?? "lid")
    : isLidJid(to)
      ? "lid"
      : "pn";
  const from = addressOf(owner, addressing, companion.device);
  const other = otherAddressOf(owner, addressing);
  const alternative = addressing === "lid" ? "pn" : "lid";
  return isGroup
    ? { from: to, participant: from, [`participant_${alternative}`]: other, addressing_mode: addressing }
    : { from, [`sender_${alternative}`]: other, addressing_mode: addressing };
}
