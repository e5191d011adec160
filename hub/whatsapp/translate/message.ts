/** One WhatsApp message → the hub's Message, or null when it is nothing that people see. */
import type { Jid } from "../../core/jid.ts";
import { isGroupJid } from "../../core/jid.ts";
import type { Message } from "../../core/message.ts";
import type { MessageStatus } from "../../contract/message-status.ts";
import { proto } from "../baileys.ts";
import { addressOf, addressOrNull, chatOf, type RawKey } from "./addresses.ts";
import { contentOf, contentOfTheFuture, type Content } from "./content.ts";
import { base64, nameOrNull, number } from "./fields.ts";
import { unwrap } from "./unwrap.ts";

/** A message as Baileys hands it over, live or from history. */
export interface RawMessage {
  key: RawKey;
  message?: proto.IMessage | null;
  messageTimestamp?: unknown;
  pushName?: string | null;
  participant?: string | null;
  starred?: boolean | null;
  status?: number | null;
  /** The encoded proto where it is at hand already; encoding it again would cost as much as reading it. */
  encoded?: Uint8Array | null;
  /** All it says is in members of a later version. */
  isOfTheFuture?: boolean;
}

export function toMessage(
  sessionId: string,
  raw: RawMessage,
  incomingStatus: MessageStatus = "delivered",
): Message | null {
  const chatId = chatOf(raw.key);
  const { id } = raw.key;
  const inner = unwrap(raw.message);
  if (chatId === null || !id || inner === null) return null;
  const content = raw.isOfTheFuture === true ? contentOfTheFuture(inner) : contentOf(inner);
  if (content === null) return null;
  const fromMe = raw.key.fromMe === true;
  return {
    sessionId,
    chatId,
    id,
    fromMe,
    participant: authorIn(chatId, raw, fromMe),
    pushName: fromMe ? null : nameOrNull(raw.pushName),
    timestamp: number(raw.messageTimestamp),
    ...fieldsOf(content),
    isStarred: raw.starred === true,
    status: fromMe ? ownStatus(raw.status) : incomingStatus,
    isPlayed: fromMe && raw.status === PLAYED,
    editedAt: null,
    deletedAt: null,
    reactions: [],
    client: null,
    raw: base64(raw.encoded ?? proto.Message.encode(inner).finish()),
  };
}

type ContentFields = Pick<
  Message,
  | "type"
  | "content"
  | "caption"
  | "media"
  | "location"
  | "contacts"
  | "poll"
  | "unknownKind"
  | "quotedMessageId"
  | "mentions"
  | "isForwarded"
>;

const MAX_MENTIONS = 1024;

function fieldsOf({ context, ...content }: Content): ContentFields {
  return {
    ...content,
    quotedMessageId: context?.stanzaId ? context.stanzaId : null,
    mentions: (context?.mentionedJid ?? []).slice(0, MAX_MENTIONS).map(addressOf),
    isForwarded: context?.isForwarded === true || number(context?.forwardingScore) > 0,
  };
}

/** Who wrote it, in a group; null elsewhere and for our own. */
export function authorIn(
  chatId: Jid,
  raw: Pick<RawMessage, "key" | "participant">,
  fromMe: boolean,
): Jid | null {
  if (fromMe || !isGroupJid(chatId)) return null;
  return addressOrNull(raw.key.participant ?? raw.participant);
}

/** WhatsApp's numbers of a message's state (`WebMessageInfo.Status`). */
const PLAYED = 5;
const OWN_STATUS: Record<number, MessageStatus> = {
  0: "failed",
  1: "pending",
  2: "sent",
  3: "delivered",
  4: "read",
  [PLAYED]: "read",
};

/** What another device of ours wrote has reached WhatsApp, whatever else it says. */
const ownStatus = (status: number | null | undefined): MessageStatus => {
  const known = OWN_STATUS[status ?? 2] ?? "sent";
  return known === "pending" ? "sent" : known;
};
