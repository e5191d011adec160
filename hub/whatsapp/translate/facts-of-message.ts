/** One decrypted message → the facts in it: a message, an edit, a revoke, a reaction; and what it tells about its sender. */
import type { ContactChange, Fact, MessageRef } from "../../core/facts.ts";
import { isGroupJid, isLidJid, isPhoneJid, type Jid } from "../../core/jid.ts";
import { proto } from "../baileys.ts";
import {
  addressOf,
  addressOrNull,
  chatOf,
  isMe,
  STATUS_BROADCAST,
  type Me,
  type RawKey,
} from "./addresses.ts";
import { contentOf } from "./content.ts";
import { clip, nameOrNull, number } from "./fields.ts";
import { authorIn, toMessage, type RawMessage } from "./message.ts";
import { unwrap } from "./unwrap.ts";

const { Type } = proto.Message.ProtocolMessage;

export interface LiveMessage extends RawMessage {
  /** The other address of whom the message names: the chat's, in a group the author's. */
  alternative?: string | null;
  verifiedBizName?: string | null;
  /** "peer": between our own devices. */
  category?: string | null;
}

/** `live` is false for what comes with the history: no event is owed for it. */
export function factsOfMessage(sessionId: string, raw: LiveMessage, me: Me, live: boolean): Fact[] {
  const chatId = chatOf(raw.key);
  // Statuses ("stories") are no conversation.
  if (chatId === null || chatId === STATUS_BROADCAST) return [];
  const inner = unwrap(raw.message);
  const said = inner === null ? [] : whatItSays(sessionId, raw, inner, chatId, me, live);
  return [...whoSaidIt(raw, chatId, me), ...said];
}

function whatItSays(
  sessionId: string,
  raw: LiveMessage,
  inner: proto.IMessage,
  chatId: Jid,
  me: Me,
  live: boolean,
): Fact[] {
  if (inner.reactionMessage) return reaction(raw, inner.reactionMessage, chatId, me, live);
  if (inner.protocolMessage) return change(raw, inner.protocolMessage, chatId, me);
  const message = raw.category === "peer" ? null : toMessage(sessionId, raw);
  return message === null ? [] : [{ kind: "message", message, live }];
}

/** The sender's other address, name and business name. Ours never teach anything about the other side. */
function whoSaidIt(raw: LiveMessage, chatId: Jid, me: Me): Fact[] {
  const author = isGroupJid(chatId) ? addressOrNull(raw.key.participant ?? raw.participant) : chatId;
  if (author === null) return [];
  const facts: Fact[] = [];
  const other = addressOrNull(raw.alternative);
  const pair = other === null ? null : lidPair(author, other);
  if (pair !== null && belongTogether(pair, me)) facts.push({ kind: "lid", ...pair });
  if (raw.key.fromMe === true || isMe(author, me)) return facts;
  const change = namesIn(raw);
  if (Object.keys(change).length > 0) facts.push({ kind: "contact", jid: author, change, live: true });
  return facts;
}

function namesIn(raw: LiveMessage): ContactChange {
  const pushName = nameOrNull(raw.pushName);
  const verifiedName = nameOrNull(raw.verifiedBizName);
  return {
    ...(pushName === null ? {} : { pushName }),
    ...(verifiedName === null ? {} : { verifiedName, isBusiness: true }),
  };
}

export function lidPair(one: Jid, other: Jid): { lid: Jid; phone: Jid } | null {
  if (isLidJid(one) && isPhoneJid(other)) return { lid: one, phone: other };
  if (isPhoneJid(one) && isLidJid(other)) return { lid: other, phone: one };
  return null;
}

/** Our own number is the other address of our own hidden id, and of nobody else's. */
export const belongTogether = ({ lid, phone }: { lid: Jid; phone: Jid }, me: Me): boolean =>
  me.lid === null ? phone !== me.phone : (lid === me.lid) === (phone === me.phone);

function reaction(
  raw: LiveMessage,
  said: proto.Message.IReactionMessage,
  chatId: Jid,
  me: Me,
  live: boolean,
): Fact[] {
  const target = said.key ? refOf(said.key, chatId) : null;
  if (target === null) return [];
  const fromMe = raw.key.fromMe === true;
  const from = fromMe ? me.phone : (authorIn(chatId, raw, false) ?? chatId);
  const atMs = number(said.senderTimestampMs) || number(raw.messageTimestamp) * 1000;
  return [{ kind: "reaction", target, from, fromMe, emoji: clip(said.text ?? "", 64), atMs, live }];
}

/** Protocol messages of a conversation; those between our own devices are handled elsewhere. */
function change(raw: LiveMessage, said: proto.Message.IProtocolMessage, chatId: Jid, me: Me): Fact[] {
  const id = said.key?.id;
  if (!id) return [];
  const at = number(raw.messageTimestamp);
  const fromMe = raw.key.fromMe === true;
  const author = authorIn(chatId, raw, fromMe);
  if (said.type === Type.REVOKE) {
    const by = fromMe ? me.phone : (author ?? chatId);
    return [{ kind: "revoke", target: revoked(said, id, chatId, fromMe, author), by, at, forEveryone: true }];
  }
  if (said.type !== Type.MESSAGE_EDIT) return [];
  const edited = unwrap(said.editedMessage);
  const content = edited === null ? null : contentOf(edited);
  if (edited === null || content === null) return [];
  return [
    {
      kind: "edit",
      // Only the author can edit, so the target is the editor's own message.
      target: { chatId, id, fromMe, participant: author },
      content: content.content,
      at: Math.floor(number(said.timestampMs) / 1000) || at,
      raw: Buffer.from(proto.Message.encode(edited).finish()).toString("base64"),
    },
  ];
}

/** In a group an admin may revoke what somebody else wrote; elsewhere everyone revokes only their own. */
function revoked(
  said: proto.Message.IProtocolMessage,
  id: string,
  chatId: Jid,
  fromMe: boolean,
  author: Jid | null,
): MessageRef {
  const participant = addressOrNull(said.key?.participant);
  if (!isGroupJid(chatId)) return { chatId, id, fromMe };
  if (participant !== null && participant !== author) return { chatId, id };
  return { chatId, id, fromMe, participant: author };
}

function refOf(key: RawKey, chatId: Jid): MessageRef | null {
  if (!key.id) return null;
  const fromMe = key.fromMe === true;
  const participant = fromMe || !isGroupJid(chatId) || !key.participant ? null : addressOf(key.participant);
  return participant === null && isGroupJid(chatId) && !fromMe
    ? { chatId, id: key.id, fromMe }
    : { chatId, id: key.id, fromMe, participant };
}
