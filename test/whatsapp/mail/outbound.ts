/**
 * What the companion sends: each recipient's device opens its own ciphertext, groups by sender key; the server acknowledges, the
 * recipients confirm. Stanza as Baileys rc14 builds it in messages-send.js (relayMessage).
 */
import { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import { unpadMessage } from "../signal/padding.ts";
import { linkedCompanions } from "../state/account.ts";
import { signalAddress, type Companion } from "../state/companion.ts";
import type { Person } from "../state/people.ts";
import { isGroupJid, isLidJid, parseJid } from "../wire/jid.ts";
import { bytesOf, childOf, childrenOf, stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { answerPeerRequest } from "./phone.ts";
import { relayToDevice } from "./relay.ts";
import { recipientAsksAgain, recipientConfirms, recipientReplies } from "./recipient.ts";
import { keepSent } from "./sent-record.ts";

/** One sending, as the functions below see it. */
export interface Sending {
  node: Stanza;
  id: string;
  to: string;
  isGroup: boolean;
  companion: Companion;
}

export function onSentMessage(node: Stanza, companion: Companion, world: World): void {
  const { id = "", to = "", category } = node.attrs;
  const sending: Sending = { node, id, to, isGroup: isGroupJid(to), companion };
  world.counters.add("messagesSent");
  if (category === "peer") {
    openPeerRequest(sending, world);
    return;
  }
  if (!acknowledge(sending, world)) return;
  const listed = recipients(sending, world);
  for (const { person, device, enc } of listed) {
    if (device > 0) {
      if (!sending.isGroup) relayToDevice(sending, person, device, enc, world);
    } else if (person === companion.account.owner) openOwnCopy(sending, enc, world);
    else if (enc) open(sending, person, enc, world);
  }
  if (!sending.isGroup) return;
  openGroupMessage(sending, world);
  relayToGroup(sending, listed, world);
}

/** Everybody in the group gets the common ciphertext; those who were sent the key get that with it. */
function relayToGroup(sending: Sending, listed: Recipient[], world: World): void {
  for (const pn of world.groups.get(sending.to)?.members ?? []) {
    const account = world.accounts.get(pn);
    for (const { device } of account ? linkedCompanions(account) : []) {
      const person = world.people.get(pn);
      const enc = listed.find((one) => one.person === person && one.device === device)?.enc;
      relayToDevice(sending, person, device, enc, world);
    }
  }
}

/** False when the server refuses the message: nobody gets it then. */
function acknowledge({ node, id, to, companion }: Sending, world: World): boolean {
  const { number } = companion.account;
  const refused = world.faults.take("ack-error", number);
  const ack = stanza("ack", {
    class: "message",
    id,
    from: to,
    t: Math.floor(Date.now() / 1000),
    participant: node.attrs["participant"],
    error: refused?.code,
  });
  const send = (): void => void companion.connection?.send(ack);
  if (!world.faults.take("ack-drop", number)) {
    const late = world.faults.take("ack-delay", number);
    if (late) world.later(late.delayMs, send);
    else send();
  }
  return refused === undefined;
}

interface Recipient {
  person: Person;
  device: number;
  enc: Stanza | undefined;
}

/** `<participants><to jid><enc>`; a resend has a bare `<enc>` for the one it is meant for. */
function recipients({ node, to, isGroup }: Sending, { people }: Pick<World, "people">): Recipient[] {
  const listed = childrenOf(childOf(node, "participants")).map((child) => ({
    jid: child.attrs["jid"] ?? "",
    enc: childOf(child, "enc"),
  }));
  const bare = childOf(node, "enc");
  const aimed = isGroup ? node.attrs["participant"] : to;
  const all = listed.length > 0 || !bare || aimed === undefined ? listed : [{ jid: aimed, enc: bare }];
  return all.flatMap(({ jid, enc }) => {
    const { user, device } = parseJid(jid);
    const person = isLidJid(jid) ? people.find(jid) : people.get(user);
    return person ? [{ person, device, enc }] : [];
  });
}

/** Undefined when it cannot be read; then it is counted. */
function decrypt(
  { companion, id }: Sending,
  person: Person,
  enc: Stanza,
  world: World,
): proto.Message | undefined {
  try {
    const type = enc.attrs["type"] === "pkmsg" ? "pkmsg" : "msg";
    const plain = person.party().decrypt(signalAddress(companion), type, bytesOf(enc) ?? Buffer.alloc(0));
    return proto.Message.decode(unpadMessage(plain));
  } catch (cause) {
    undecryptable(companion, id, person, cause, world);
    return undefined;
  }
}

function undecryptable(
  { account, device }: Companion,
  id: string,
  person: Person,
  cause: unknown,
  world: World,
): void {
  world.counters.add("sentUndecryptable");
  const reason = cause instanceof Error ? cause.message : String(cause);
  world.events.emit({
    type: "sent.undecryptable",
    account: account.number,
    device,
    id,
    detail: { by: person.pn, reason },
  });
}

function open(sending: Sending, person: Person, enc: Stanza, world: World): void {
  const { companion, isGroup, to } = sending;
  if (!isGroup && world.faults.take("contact-retry", companion.account.number)) {
    recipientAsksAgain(sending, person, world);
    return;
  }
  const message = decrypt(sending, person, enc, world);
  if (!message) {
    recipientAsksAgain(sending, person, world);
    return;
  }
  const key = message.senderKeyDistributionMessage?.axolotlSenderKeyDistributionMessage;
  if (key) person.party().acceptSenderKeyDistribution(to, signalAddress(companion), key);
  // In a group the key comes alone and the content by sender key, except in a resend.
  if (isGroup && enc.attrs["count"] === undefined) return;
  received(sending, person, message, enc.attrs["count"] !== undefined, world);
}

function openGroupMessage(sending: Sending, world: World): void {
  const { node, to, companion } = sending;
  const enc = childrenOf(node).find(({ tag, attrs }) => tag === "enc" && attrs["type"] === "skmsg");
  if (!enc) return;
  const members = [...(world.groups.get(to)?.members ?? [])].map((pn) => world.people.get(pn));
  for (const person of members) {
    if (person === companion.account.owner) continue;
    if (world.faults.take("contact-retry", companion.account.number)) {
      recipientAsksAgain(sending, person, world);
      continue;
    }
    try {
      const plain = person
        .party()
        .decryptGroup(to, signalAddress(companion), bytesOf(enc) ?? Buffer.alloc(0));
      received(sending, person, proto.Message.decode(unpadMessage(plain)), false, world);
    } catch (cause) {
      undecryptable(companion, sending.id, person, cause, world);
      recipientAsksAgain(sending, person, world);
    }
  }
}

function received(
  sending: Sending,
  person: Person,
  message: proto.Message,
  resend: boolean,
  world: World,
): void {
  const isNew = keepSent(sending, person, message, resend, world);
  recipientConfirms(sending, person, world);
  if (isNew) recipientReplies(sending, person, message, world);
}

/** The account's own phone gets a copy that says where it went; it is read to keep its session moving. */
function openOwnCopy(sending: Sending, enc: Stanza | undefined, world: World): void {
  const { companion, to, isGroup } = sending;
  if (!enc) return;
  const message = decrypt(sending, companion.account.owner, enc, world);
  const key = message?.senderKeyDistributionMessage?.axolotlSenderKeyDistributionMessage;
  if (key) companion.account.owner.party().acceptSenderKeyDistribution(to, signalAddress(companion), key);
  // A note to oneself has no other recipient.
  if (message && !isGroup && isOwn(to, companion)) {
    const content = message.deviceSentMessage?.message
      ? proto.Message.fromObject(message.deviceSentMessage.message)
      : message;
    keepSent(sending, companion.account.owner, content, false, world);
  }
}

const isOwn = (to: string, { account }: Companion): boolean =>
  parseJid(to).user === (isLidJid(to) ? account.owner.lid : account.number);

function openPeerRequest(sending: Sending, world: World): void {
  const { node, companion, id } = sending;
  const enc = childOf(node, "enc") ?? childOf(childrenOf(childOf(node, "participants"))[0], "enc");
  const message = enc && decrypt(sending, companion.account.owner, enc, world);
  acknowledge(sending, world);
  // Baileys wraps its requests to the phone like copies of what it sent.
  if (message) answerPeerRequest(id, message.deviceSentMessage?.message ?? message, companion, world);
}
