/** What is told of a message without the message itself: statuses, edits, deletions, reactions. */
import type { Position, WriteResult } from "../../adapter.ts";
import type { MessageChange } from "../../records.ts";
import { isOlderEdit } from "../edit-order.ts";
import type { ConversationRow, MessageRow, Row } from "./doctypes.ts";
import { momentOfSeconds } from "./moments.ts";
import { laterOf } from "./positions.ts";
import { reactionChange } from "./reactions.ts";
import { mayBecome, statusWord } from "./statuses.ts";
import { clean, cleanOrNull, keyText, preview } from "./text.ts";
import { resolver, unchanged, type Writing } from "./writing.ts";

type Resolve = (id: string) => string;

export function changeMessage(
  writing: Writing,
  session: string,
  change: MessageChange,
  position: Position,
): WriteResult {
  const { rows, now } = writing;
  const resolve = resolver(rows, session);
  const chat = rows.conversations.of(session, resolve(keyText(change.chatId, "chat id")));
  if (chat === undefined) return { outcome: "missing" };
  const held = target(rows.messages.withId(chat.name, change.messageId), change);
  if (held === undefined) return { outcome: "missing" };
  // The whole record was read when this had already happened.
  if (held.position !== null && position !== null && position <= held.position) return unchanged(held.name);
  const fields = changedFields(held, change, position, resolve);
  if (fields === null) return unchanged(held.name);
  if (isOnlyRemembered(fields)) {
    rows.messages.update(held.name, fields);
    return unchanged(held.name);
  }
  rows.messages.update(held.name, { ...fields, modified: now() });
  if (change.kind === "edit") showEdit(writing, chat, change, position);
  return { outcome: "updated", id: held.name };
}

/** Of several with one id: only our own have statuses; anything else concerns the newest. */
function target(rows: MessageRow[], { kind }: MessageChange): MessageRow | undefined {
  const own = kind === "status" ? rows.find(({ from_me }) => from_me === 1) : undefined;
  return own ?? rows[0];
}

function changedFields(
  held: MessageRow,
  change: MessageChange,
  position: Position,
  resolve: Resolve,
): Row | null {
  switch (change.kind) {
    case "status":
      return statusFields(held, change, position);
    case "edit":
      return editFields(held, change, position);
    case "deletion":
      return held.status === "Deleted"
        ? null
        : { status: "Deleted", deleted_at: momentOfSeconds(change.at), status_position: position };
    case "reaction":
      return reactionChange(held.reactions, change, position, resolve);
  }
}

const MOMENT_OF: Record<string, "sent_at" | "delivered_at" | "read_at" | "deleted_at" | undefined> = {
  Sent: "sent_at",
  Delivered: "delivered_at",
  Read: "read_at",
  Deleted: "deleted_at",
};

function statusFields(
  held: MessageRow,
  { status: told, at, error }: MessageChange & { kind: "status" },
  position: Position,
): Row | null {
  const status = statusWord(told);
  if (!mayBecome({ status: held.status, position: held.status_position }, { status, position })) return null;
  const moment = MOMENT_OF[status];
  return {
    status,
    status_position: laterOf(held.status_position, position),
    error_message: status === "Failed" ? cleanOrNull(error) : null,
    ...(moment === undefined ? {} : { [moment]: momentOfSeconds(at) }),
  };
}

function editFields(
  held: MessageRow,
  { content, at }: MessageChange & { kind: "edit" },
  position: Position,
): Row | null {
  const text = clean(content);
  const edited = momentOfSeconds(at);
  const heldEdit = { at: held.edited_at ?? "", position: held.edit_position };
  if (held.status === "Deleted" || isOlderEdit({ at: edited, position }, heldEdit)) return null;
  const remembered = { edit_position: laterOf(held.edit_position, position) };
  if (edited === held.edited_at && text === held.content)
    return remembered.edit_position === held.edit_position ? null : remembered;
  const caption = held.caption === null ? {} : { caption: text };
  return { content: text, edited_at: edited, ...caption, ...remembered };
}

/** The same words told again later: what was told between the two must not pass for news, and nothing to see changes. */
const isOnlyRemembered = (fields: Row): boolean =>
  Object.keys(fields).every((field) => field === "edit_position");

/** A chat that shows the edited message as its last shows the new words. */
function showEdit(
  { rows, now }: Writing,
  chat: ConversationRow,
  { messageId, content }: MessageChange & { kind: "edit" },
  position: Position,
): void {
  if (chat.last_remote_message_id !== messageId) return;
  rows.conversations.update(chat.name, {
    last_message: preview(content),
    last_message_position: laterOf(chat.last_message_position, position),
    modified: now(),
  });
}
