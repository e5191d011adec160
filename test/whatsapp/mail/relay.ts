/**
 * From one emulated account to another: the ciphertext for a companion is passed on as it is, like WhatsApp's server does. (What
 * the other account's phone gets is opened like any contact's.)
 */
import { linkedCompanions } from "../state/account.ts";
import { addressOf, otherAddressOf, type Addressing, type Person } from "../state/people.ts";
import { isLidJid } from "../wire/jid.ts";
import { childOf, childrenOf, stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { deliver, messageKey } from "./delivery.ts";
import type { Sending } from "./outbound.ts";

export function relayToDevice(sending: Sending, person: Person, device: number, enc: Stanza | undefined, world: World): void {
  const { companion: sender, id, to, isGroup, node } = sending;
  const account = world.accounts.get(person.pn);
  const receiver = account && linkedCompanions(account).find((one) => one.device === device);
  if (!receiver || receiver === sender) return;
  const addressing: Addressing = isGroup ? (world.groups.get(to)?.addressing ?? "lid") : isLidJid(to) ? "lid" : "pn";
  const { owner } = sender.account;
  const from = addressOf(owner, addressing, sender.device);
  const other = otherAddressOf(owner, addressing);
  const name = addressing === "lid" ? "pn" : "lid";
  const routing = isGroup ? { from: to, participant: from, [`participant_${name}`]: other } : { from, [`sender_${name}`]: other };
  const own = account === sender.account ? { recipient: to } : {};
  const skmsg = childrenOf(node).filter(({ tag, attrs }) => tag === "enc" && attrs["type"] === "skmsg");
  const identity = childOf(node, "device-identity");
  const message = stanza(
    "message",
    { ...routing, ...own, id, t: Math.floor(Date.now() / 1000), type: node.attrs["type"], edit: node.attrs["edit"], notify: owner.pushName, addressing_mode: addressing },
    [...(enc ? [enc] : []), ...skmsg, ...(identity ? [identity] : [])],
  );
  const entry = world.ledger.queued({ id, account: person.pn, device, contact: owner.pn, group: isGroup ? to : undefined, kind: "relayed", text: undefined });
  deliver(receiver, { key: messageKey(id), stanza: message, afterOffline: false, onSent: () => world.ledger.sent(entry) }, world);
}
