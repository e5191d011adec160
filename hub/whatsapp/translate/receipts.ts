/** Receipts, acknowledgements and calls: stanzas that say everything in clear. */
import type { Fact } from "../../core/facts.ts";
import { isBroadcastJid, isGroupJid, type Jid } from "../../core/jid.ts";
import type { MessageStatus } from "../../contract/message-status.ts";
import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from "../baileys.ts";
import { addressOf, addressOrNull, isMe, type Me } from "./addresses.ts";
import { number } from "./fields.ts";

/** Receipt types that say something about our messages; the others are talk between devices. */
const STATUS: Record<string, MessageStatus> = {
  "": "delivered",
  delivery: "delivered",
  // Delivered to a device that shows no presence.
  inactive: "delivered",
  read: "read",
  played: "read",
};

export function factsOfReceipt({ attrs, content }: BinaryNode, me: Me): Fact[] {
  const { id, from, participant, type = "" } = attrs;
  if (!id || !from) return [];
  const author = addressOf(participant ?? from);
  if (isMe(author, me) || type === "read-self") return readByUs(attrs);
  const status = STATUS[type];
  if (status === undefined) return [];
  const chatId = addressOf(from);
  return [
    {
      kind: "status",
      chatId: isBroadcastJid(chatId) ? author : chatId,
      ids: [id, ...furtherIds(content)],
      status,
      at: number(attrs["t"]) || nowSeconds(),
      participant: isGroupJid(chatId) ? author : null,
      ...(type === "played" ? { isPlayed: true as const } : {}),
    },
  ];
}

/** Another device of ours: what it read is read. */
function readByUs({ from = "", recipient, type }: BinaryNode["attrs"]): Fact[] {
  if (type !== "read" && type !== "read-self") return [];
  return [{ kind: "chat-read", jid: addressOf(recipient ?? from) }];
}

function furtherIds(content: BinaryNode["content"]): string[] {
  if (!Array.isArray(content)) return [];
  const [list] = content;
  return getBinaryNodeChildren(list, "item").flatMap((item) => item.attrs["id"] ?? []);
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Why WhatsApp refused a message, in words. Its numbers are hardly documented. */
const REFUSED: Record<string, string> = {
  "403": "WhatsApp does not let this account write there",
  "404": "the recipient is not known to WhatsApp",
  "406": "WhatsApp does not accept this message",
  "429": "WhatsApp wants fewer messages",
  "463": "WhatsApp does not let this account open new chats now",
  "475": "the recipient cannot be written to from this account",
  "479": "WhatsApp found the message malformed or its device list stale",
};

/** WhatsApp has our message, or refuses it. */
export function factsOfAck({ attrs }: BinaryNode): Fact[] {
  const { id, from, error } = attrs;
  if (!id || !from) return [];
  const about = {
    kind: "status" as const,
    chatId: addressOf(from),
    ids: [id],
    at: number(attrs["t"]) || nowSeconds(),
    participant: null,
  };
  if (!error) return [{ ...about, status: "sent" }];
  const words = REFUSED[error] ?? `WhatsApp refused the message (${error})`;
  return [{ ...about, status: "failed", code: error, error: words }];
}

/** A call that is offered; how it goes on is not told to CRMs. */
export function factsOfCall(node: BinaryNode): Fact[] {
  const offer = getBinaryNodeChild(node, "offer") ?? getBinaryNodeChild(node, "offer_notice");
  const callId = offer?.attrs["call-id"];
  if (offer === undefined || callId === undefined) return [];
  const from = callerOf(offer, node);
  if (from === null) return [];
  return [
    {
      kind: "call",
      callId,
      from,
      isVideo: getBinaryNodeChild(offer, "video") !== undefined || offer.attrs["media"] === "video",
      isGroup: offer.attrs["type"] === "group" || offer.attrs["group-jid"] !== undefined,
      status: "offer",
      at: number(node.attrs["t"]) || nowSeconds(),
    },
  ];
}

const callerOf = (offer: BinaryNode, node: BinaryNode): Jid | null =>
  addressOrNull(offer.attrs["caller_pn"]) ??
  addressOrNull(offer.attrs["from"] ?? offer.attrs["call-creator"] ?? node.attrs["from"]);
