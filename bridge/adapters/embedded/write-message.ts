/** Messages as the hub tells them whole: new ones with their chat, held ones revised. */
import type { Position, WriteResult } from "../../adapter.ts";
import type { Message } from "../../records.ts";
import { differences } from "./differences.ts";
import { blank, MEDIA, MESSAGE, type ConversationRow, type MessageRow, type Row } from "./doctypes.ts";
import { lastMessageFields } from "./last-message.ts";
import { mediaFields, plainFields, textFields, type PlainFields } from "./message-fields.ts";
import { earliest, momentOfSecondsOrNull } from "./moments.ts";
import { reactionsOf } from "./reactions.ts";
import { revisedFields } from "./revise-message.ts";
import { statusWord } from "./statuses.ts";
import { keyText } from "./text.ts";
import { ensureConversation } from "./write-chat.ts";
import { resolver, reviseRow, unchanged, type Writing } from "./writing.ts";

interface Told {
  message: Message;
  messageId: string;
  participant: string;
  plain: PlainFields;
  position: Position;
  resolve: (id: string) => string;
}

export function writeMessage(
  writing: Writing,
  session: string,
  message: Message,
  position: Position,
): WriteResult {
  const { rows } = writing;
  const resolve = resolver(rows, session);
  const chatId = resolve(keyText(message.chatId, "chat id"));
  const told: Told = {
    message,
    messageId: keyText(message.messageId, "message id"),
    participant: message.participant === null ? "" : resolve(keyText(message.participant, "participant")),
    plain: plainFields(message, resolve),
    position,
    resolve,
  };
  const isTheirs = !message.fromMe && told.participant === "";
  const chat = ensureConversation(writing, session, chatId, isTheirs ? message.pushName : null);
  const held = rows.messages.of(chat.name, { ...told, fromMe: message.fromMe ? 1 : 0 });
  return held === undefined ? insertMessage(writing, chat, told) : reviseMessage(writing, chat, held, told);
}

function insertMessage(writing: Writing, chat: ConversationRow, told: Told): WriteResult {
  const { rows, now } = writing;
  const { message, messageId, participant, plain, position, resolve } = told;
  const at = now();
  const row = {
    ...blank(MESSAGE, at),
    ...plain,
    ...textFields(message),
    ...reactionsOf(null, message.reactions, position, resolve),
    ...linksOf(writing, chat, told),
    message_id: messageId,
    session: chat.session,
    conversation: chat.name,
    participant,
    from_me: message.fromMe ? 1 : 0,
    status: statusWord(message.status),
    sent_at: message.fromMe ? plain.timestamp : null,
    deleted_at: momentOfSecondsOrNull(message.deletedAt),
    position,
    status_position: position,
  };
  const id = rows.messages.insert(row);
  rows.messages.linkAnswers(chat.name, { messageId, instead: null, name: id });
  if (message.media !== null) writeMedia(writing, id, message);
  const held = (chat.held ?? 0) + 1;
  rows.conversations.update(chat.name, {
    ...lastMessageFields(chat, lastOf(row, message.fromMe), position),
    first_message_time: earliest(chat.first_message_time, plain.timestamp),
    held,
    total_messages: Math.max(chat.total_messages ?? 0, held),
    modified: at,
  });
  return { outcome: "created", id };
}

function reviseMessage(writing: Writing, chat: ConversationRow, held: MessageRow, told: Told): WriteResult {
  const { rows, now } = writing;
  const { message, position, resolve } = told;
  const links = linksOf(writing, chat, told);
  const plain: Row = {
    ...told.plain,
    contact: links.contact ?? held.contact,
    quoted_message: links.quoted_message ?? held.quoted_message,
  };
  const wanted = revisedFields(held, message, position, { plain, resolve });
  if (wanted === null) return unchanged(held.name);
  const mayHaveMedia = held.has_media === 1 || wanted.has_media === 1;
  const isMediaChanged = "has_media" in wanted && mayHaveMedia && writeMedia(writing, held.name, message);
  if (wanted.content !== undefined && wanted.content !== held.content)
    showWords(writing, chat, { ...held, ...wanted }, position);
  const result = reviseRow(rows.messages, held, wanted, { position, now: now() });
  return isMediaChanged ? { ...result, outcome: "updated" } : result;
}

/** A chat that shows the message as its last shows its new words. */
function showWords({ rows, now }: Writing, chat: ConversationRow, row: MessageRow, position: Position): void {
  if (chat.last_remote_message_id !== row.message_id) return;
  const last = lastMessageFields(chat, lastOf(row, row.from_me === 1), position);
  if (Object.keys(last).length > 0) rows.conversations.update(chat.name, { ...last, modified: now() });
}

const lastOf = (row: Pick<MessageRow, "message_id" | "content" | "timestamp">, fromMe: boolean) => ({
  messageId: row.message_id,
  text: row.content,
  time: row.timestamp,
  fromMe,
});

/** The records a message points to, where the CRM has them. */
function linksOf(
  { rows }: Writing,
  chat: ConversationRow,
  { message, participant }: Told,
): Pick<MessageRow, "contact" | "quoted_message"> {
  const author = participant === "" ? undefined : rows.contacts.of(chat.session, participant);
  const quoted =
    message.quotedMessageId === null
      ? undefined
      : rows.messages.withId(chat.name, message.quotedMessageId).at(0);
  return { contact: author?.name ?? chat.contact, quoted_message: quoted?.name ?? null };
}

/** Brings the one media record of a message up to date; true when something changed. */
function writeMedia({ rows, now }: Writing, parent: string, message: Message): boolean {
  const fields = mediaFields(message);
  const [held, ...others] = rows.media.of(parent);
  const surplus = fields === null && held !== undefined ? [held, ...others] : others;
  for (const { name } of surplus) rows.media.remove(name);
  if (fields === null) return surplus.length > 0;
  if (held === undefined) {
    const child = { parent, parenttype: MESSAGE.doctype, parentfield: "media_items", idx: 1 };
    rows.media.insert({ ...blank(MEDIA, now()), ...fields, ...child });
    return true;
  }
  const changes = differences(held, fields);
  if (changes !== null) rows.media.update(held.name, { ...changes, modified: now() });
  return changes !== null || surplus.length > 0;
}
