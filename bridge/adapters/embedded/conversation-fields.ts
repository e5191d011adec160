/** A chat of the hub → the fields of its document, all but the last message. */
import type { Chat } from "../../records.ts";
import type { ConversationRow } from "./doctypes.ts";
import { isPossible, momentOfSeconds } from "./moments.ts";
import { numberOf } from "./people.ts";
import { shortName } from "./text.ts";

const bit = (value: boolean): number => (value ? 1 : 0);

/** Seconds above this are milliseconds: WhatsApp has used both for the end of a mute. */
const LAST_SECONDS = 100_000_000_000;

/** Mutes without an end are negative, or end when no calendar does. */
function muteEnd(end: number | null): string | null {
  if (end === null || end <= 0) return null;
  const seconds = end > LAST_SECONDS ? Math.floor(end / 1000) : end;
  return isPossible(seconds) ? momentOfSeconds(seconds) : null;
}

export const conversationFields = (chat: Chat, chatId: string): Partial<ConversationRow> => ({
  contact_name: shortName(chat.contactName),
  phone_number: numberOf(chatId),
  is_group: bit(chat.isGroup),
  is_broadcast: bit(chat.isBroadcast),
  is_read_only: bit(chat.isReadOnly),
  is_archived: bit(chat.archived),
  is_pinned: bit(chat.pinned),
  is_muted: bit(chat.isMuted),
  mute_expiration: muteEnd(chat.muteExpiration),
  unread_count: chat.unreadCount,
});

/** A chat of which nothing is known but a message. */
export const bareConversationFields = (chatId: string, name: string | null): Partial<ConversationRow> => ({
  contact_name: shortName(name) ?? numberOf(chatId),
  phone_number: numberOf(chatId),
  is_group: bit(chatId.endsWith("@g.us")),
  is_broadcast: bit(chatId.endsWith("@broadcast")),
  unread_count: 0,
});
