/** A stanza and its plaintexts → the message in it, exactly as Baileys reads it. One way for live, redelivered and recovered. */
import {
  cleanMessage,
  decodeMessageNode,
  proto,
  type AuthenticationCreds,
  type BinaryNode,
  type WAMessage,
} from "./baileys.ts";
import type { Me } from "./translate/addresses.ts";
import { addressOf } from "./translate/addresses.ts";
import type { LiveMessage } from "./translate/facts-of-message.ts";
import { holdsNothing, unwrap } from "./translate/unwrap.ts";

export function meOf(creds: Pick<AuthenticationCreds, "me">): Me | null {
  const me = creds.me;
  if (!me?.id) return null;
  return { phone: addressOf(me.id), lid: me.lid ? addressOf(me.lid) : null };
}

/** Throws when the stanza is malformed; Baileys refuses it then as well. */
export function messageOf(
  node: BinaryNode,
  plaintexts: Uint8Array[],
  creds: Pick<AuthenticationCreds, "me">,
): LiveMessage {
  const { id: meId = "", lid: meLid = "" } = creds.me ?? {};
  const { fullMessage } = decodeMessageNode(node, meId, meLid);
  const parts: Uint8Array[] = plaintexts.map(unpad);
  parts.push(...childrenOf(node, "plaintext"));
  const content = parts.map((bytes) => proto.Message.decode(bytes));
  const message = content.length === 0 ? null : merge(content);
  const whole: WAMessage = { ...fullMessage, message };
  cleanMessage(whole, meId, meLid);
  const [name] = childrenOf(node, "verified_name");
  const only = parts.length === 1 ? parts[0] : undefined;
  const isOfTheFuture = message !== null && hasOnlyUnknown(message, content, parts);
  return {
    ...whole,
    alternative: alternativeOf(node, whole),
    verifiedBizName: name === undefined ? null : verifiedName(name),
    encoded: only !== undefined && message !== null && (isBare(message) || isOfTheFuture) ? only : null,
    isOfTheFuture,
  };
}

/** Signal's padding: 1 to 16 bytes that each say how many they are. */
function unpad(bytes: Uint8Array): Uint8Array {
  const padding = bytes.at(-1) ?? 0;
  if (padding === 0 || padding > bytes.length) throw new Error("the plaintext is not padded as it should be");
  return bytes.subarray(0, bytes.length - padding);
}

/** Parts of one stanza are one message: the key of a group's sender comes beside what was said. */
function merge(parts: proto.IMessage[]): proto.IMessage {
  const merged: proto.IMessage = {};
  for (const part of parts) {
    const inner = part.deviceSentMessage?.message ?? part;
    if (parts.length === 1) return inner;
    Object.assign(merged, inner);
  }
  return merged;
}

/** Nothing in it that we know, and bytes that decoding left out. */
function hasOnlyUnknown(message: proto.IMessage, content: proto.IMessage[], parts: Uint8Array[]): boolean {
  const inner = unwrap(message);
  if (inner === null || !holdsNothing(inner)) return false;
  const known = content.reduce((sum, part) => sum + proto.Message.encode(part).finish().length, 0);
  return known < parts.reduce((sum, bytes) => sum + bytes.length, 0);
}

/** The bytes as they came are the message's own: nothing wraps it and no key rides along. */
const isBare = (message: proto.IMessage): boolean =>
  unwrap(message) === message && !message.senderKeyDistributionMessage && !message.deviceSentMessage;

/**
 * The other address of the chat, or in a group of the author. A message typed on our phone carries our own number as the
 * sender's other address; who it is for stands in attributes of its own.
 */
function alternativeOf({ attrs }: BinaryNode, { key }: WAMessage): string | null {
  const other =
    key.fromMe === true && attrs["recipient"] !== undefined
      ? (attrs["peer_recipient_pn"] ??
        attrs["recipient_pn"] ??
        attrs["peer_recipient_lid"] ??
        attrs["recipient_lid"])
      : (key.participantAlt ?? key.remoteJidAlt);
  return other ?? null;
}

/** Takes our own number off a stanza we sent to somebody else, so that Baileys does not learn it as the receiver's. */
export function dropOwnAlternative({ attrs }: BinaryNode, me: Me | null): void {
  const { from, recipient } = attrs;
  if (me === null || from === undefined || recipient === undefined) return;
  const sender = addressOf(from);
  if (sender !== me.phone && sender !== me.lid) return;
  delete attrs["sender_pn"];
  delete attrs["sender_lid"];
}

const childrenOf = (node: BinaryNode, tag: string): Uint8Array[] =>
  Array.isArray(node.content)
    ? node.content.flatMap((child) =>
        child.tag === tag && child.content instanceof Uint8Array ? [child.content] : [],
      )
    : [];

function verifiedName(certificate: Uint8Array): string | null {
  const { details } = proto.VerifiedNameCertificate.decode(certificate);
  return details ? (proto.VerifiedNameCertificate.Details.decode(details).verifiedName ?? null) : null;
}
