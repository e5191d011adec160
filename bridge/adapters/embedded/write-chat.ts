/** Chats: as the hub tells them, and bare ones for messages that come first. */
import type { Position, WriteResult } from "../../adapter.ts";
import type { Chat } from "../../records.ts";
import { bareConversationFields, conversationFields } from "./conversation-fields.ts";
import { blank, CONVERSATION, type ConversationRow, type Row } from "./doctypes.ts";
import { lastMessageFields, type LastMessage } from "./last-message.ts";
import { earliest, momentOfSeconds, momentOfSecondsOrNull } from "./moments.ts";
import { isPerson } from "./people.ts";
import { mayOverwrite } from "./positions.ts";
import { keyText } from "./text.ts";
import { ensureContact } from "./write-contact.ts";
import { resolver, reviseRow, unchanged, type Writing } from "./writing.ts";

export function writeChat(writing: Writing, session: string, chat: Chat, position: Position): WriteResult {
  const { rows, now } = writing;
  const chatId = resolver(rows, session)(keyText(chat.chatId, "chat id"));
  const fields = conversationFields(chat, chatId);
  const first = momentOfSecondsOrNull(chat.firstMessageTime);
  const last = lastOf(chat);
  const contact = contactOf(writing, session, chatId, chat.contactName);
  const at = now();
  const held = rows.conversations.of(session, chatId);
  if (held === undefined) {
    const row = { ...blank(CONVERSATION, at), ...fields };
    const id = rows.conversations.insert({
      ...row,
      ...(last === null ? {} : lastMessageFields(row, last, position)),
      session,
      chat_id: chatId,
      contact,
      status: "Active",
      total_messages: chat.totalMessages,
      first_message_time: first,
      last_synced_at: at,
      held: 0,
      position,
    });
    return { outcome: "created", id };
  }
  if (!mayOverwrite(held.position, position)) return unchanged(held.name);
  const wanted: Row = {
    ...fields,
    ...(last === null ? {} : lastMessageFields(held, last, position)),
    contact: contact ?? held.contact,
    total_messages: Math.max(chat.totalMessages, held.held ?? 0),
    first_message_time: earliest(held.first_message_time, first),
  };
  // Where it was last told is no change of what is shown.
  const { last_message_position: lastPosition = held.last_message_position, ...shown } = wanted;
  return reviseRow(rows.conversations, held, shown, {
    position,
    now: at,
    alongside: { last_synced_at: at, last_message_position: lastPosition },
  });
}

function lastOf({ lastMessage, lastMessageText }: Chat): LastMessage | null {
  if (lastMessage === null) return null;
  return {
    messageId: keyText(lastMessage.messageId, "message id"),
    text: lastMessageText ?? lastMessage.content,
    time: momentOfSeconds(lastMessage.timestamp),
    fromMe: lastMessage.fromMe,
  };
}

/** The contact behind a chat; groups and the like have none. */
function contactOf(writing: Writing, session: string, chatId: string, name: string | null): string | null {
  return isPerson(chatId) ? ensureContact(writing, session, chatId, name).name : null;
}

/** The chat of a message, made from as little as its id where there is none. Anything told later replaces it. */
export function ensureConversation(
  writing: Writing,
  session: string,
  chatId: string,
  /** Of the person, where the message tells it. */
  name: string | null,
): ConversationRow {
  const { rows, now } = writing;
  const held = rows.conversations.of(session, chatId);
  if (held !== undefined) return held;
  const contact = isPerson(chatId) ? ensureContact(writing, session, chatId, name) : null;
  const row = {
    ...blank(CONVERSATION, now()),
    ...bareConversationFields(chatId, contact?.contact_name ?? name),
    session,
    chat_id: chatId,
    contact: contact?.name ?? null,
    status: "Active",
    total_messages: 0,
    last_synced_at: now(),
    held: 0,
  };
  return { ...row, name: rows.conversations.insert(row) };
}
