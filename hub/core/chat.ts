/** Conversations and the people in them. */
import type { Jid } from "./jid.ts";
import type { MessageType } from "./message.ts";

export interface Chat {
  sessionId: string;
  chatId: Jid;
  /** Hidden id of the person, where it is known. */
  lid: Jid | null;
  /** Stable integer for clients that need a number. */
  conversationId: number;
  name: string | null;
  unreadCount: number;
  messageCount: number;
  /** How many were stored and went for their age. */
  removedMessages: number;
  archived: boolean;
  pinned: boolean;
  /** Unix seconds; 0 = not muted, -1 = for ever. */
  muteExpiration: number;
  isReadOnly: boolean;
  /** Unix seconds. */
  firstMessageTime: number | null;
  lastMessageAt: number | null;
  lastMessage: {
    messageId: string;
    content: string;
    timestamp: number;
    fromMe: boolean;
    type: MessageType;
  } | null;
  /** Unix milliseconds of the last change, for `updatedAfter`. */
  updatedAt: number;
}

export interface Contact {
  sessionId: string;
  /** Phone JID, or the LID while the phone is unknown; groups are contacts too, as CRMs expect. */
  jid: Jid;
  lid: Jid | null;
  /** Name in the phone's address book (or a group's subject). */
  name: string | null;
  /** Name the person gave themselves. */
  pushName: string | null;
  /** Name of a verified business. */
  verifiedName: string | null;
  about: string | null;
  /** Token of the cached picture's short URL, null without one. */
  pictureToken: string | null;
  isMyContact: boolean;
  isBlocked: boolean;
  isBusiness: boolean;
  /** Unix milliseconds: when WhatsApp was last asked for picture and about; null when what is here is out of date. */
  lookedUpAt: number | null;
  /** The same, also when WhatsApp gave no answer. */
  askedAt: number | null;
  updatedAt: number;
}
