/** Messages whose content this device cannot have, or cannot read: something visible in their place. */
import type { Fact } from "../../core/facts.ts";
import { isGroupJid } from "../../core/jid.ts";
import { UNDECRYPTABLE } from "../../core/message.ts";
import { getBinaryNodeChild, type BinaryNode } from "../baileys.ts";
import { addressOf, chatOf, isMe, STATUS_BROADCAST, type Me } from "./addresses.ts";
import { nameOrNull, number } from "./fields.ts";
import { UNDECRYPTABLE_STAND_IN, VIEW_ONCE_STAND_IN } from "./stand-in.ts";

interface Stanza {
  node: BinaryNode;
  chat: string;
  participant: string;
  id: string;
}

/** Kinds of absence for which the phone is not asked. */
const STAYS_AWAY = ["bot_unavailable_fanout", "hosted_unavailable_fanout", "view_once_unavailable_fanout"];

/** Facts for a stanza that says its content is elsewhere; null when it says nothing of the kind. */
export function unavailable(sessionId: string, stanza: Stanza, me: Me): Fact[] | "ask-phone" | null {
  const notice = getBinaryNodeChild(stanza.node, "unavailable");
  if (notice === undefined) return null;
  const type = notice.attrs["type"] ?? "";
  if (type.startsWith("view_once"))
    return placeholder(sessionId, stanza, me, VIEW_ONCE_STAND_IN, "viewOnceMessage");
  return STAYS_AWAY.includes(type) ? [] : "ask-phone";
}

/**
 * A message whose content did not come in time. Null where nobody would miss one: what says itself that it is to be hidden
 * then (reactions, edits, votes), and what our own devices tell one another.
 */
export function undecryptable(sessionId: string, stanza: Stanza, me: Me): Fact[] | null {
  const { attrs, content } = stanza.node;
  const isHidden = Array.isArray(content) && content.some((child) => child.attrs["decrypt-fail"] === "hide");
  if (isHidden || attrs["category"] === "peer") return null;
  return placeholder(sessionId, stanza, me, UNDECRYPTABLE_STAND_IN, UNDECRYPTABLE);
}

/** A message that was decrypted and still is not what we can read. */
export const unreadable = (sessionId: string, stanza: Stanza, me: Me): Fact[] =>
  placeholder(sessionId, stanza, me, "A message that this version cannot read", "unreadable");

function placeholder(
  sessionId: string,
  { node, chat, participant, id }: Stanza,
  me: Me,
  content: string,
  unknownKind: string,
): Fact[] {
  const author = participant === "" ? null : addressOf(participant);
  const fromMe = isMe(author ?? addressOf(node.attrs["from"] ?? chat), me);
  const chatId = chatOf({ remoteJid: chat, fromMe, participant: author });
  if (id === "" || chatId === null || chatId === STATUS_BROADCAST) return [];
  return [
    {
      kind: "message",
      live: true,
      message: {
        sessionId,
        chatId,
        id,
        fromMe,
        participant: fromMe || !isGroupJid(chatId) ? null : author,
        pushName: fromMe ? null : nameOrNull(node.attrs["notify"]),
        timestamp: number(node.attrs["t"]),
        type: "text",
        content,
        caption: null,
        media: null,
        location: null,
        contacts: null,
        poll: null,
        quotedMessageId: null,
        mentions: [],
        isForwarded: false,
        isStarred: false,
        status: fromMe ? "sent" : "delivered",
        isPlayed: false,
        editedAt: null,
        deletedAt: null,
        reactions: [],
        client: null,
        raw: null,
        unknownKind,
      },
    },
  ];
}
