/** What is told of a message without the message itself: statuses, edits, deletions, reactions. */
import type { Position, WriteResult } from "../../adapter.ts";
import type { MessageChange } from "../../records.ts";
import { isOlderEdit, type EditAt } from "../edit-order.ts";
import type { ConversationRow, MessageRow, Row } from "./doctypes.ts";
import { momentOfSeconds } from "./moments.ts";
import { laterOf } from "./positions.ts";
import { reactionChange } from "./reactions.ts";
import { isPast, mayBecome, statusWord } from "./statuses.ts";
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
  const ofId = rows.messages.withId(chat.name, change.messageId);
  const held = target(ofId, change, resolve);
  if (held === undefined) return { outcome: "missing" };
  // The whole record was read when this had already happened.
  const isShown = held.position !== null && position !== null && position <= held.position;
  const fields = isShown ? missedMoment(held, change) : changedFields(held, change, position, resolve);
  if (fields === null) return unchanged(held.name);
  if (isOnlyRemembered(held, fields)) {
    rows.messages.update(held.name, fields);
    return unchanged(held.name);
  }
  rows.messages.update(held.name, { ...fields, modified: now() });
  if (change.kind === "edit" && held === ofId[0]) showEdit(writing, chat, change, position);
  return { outcome: "updated", id: held.name };
}

/** Of several with one id, newest first: only our own have statuses; anything else concerns its author's, or the newest. */
function target(
  rows: MessageRow[],
  { kind, fromMe, participant }: MessageChange,
  resolve: Resolve,
): MessageRow | undefined {
  if (kind === "status") return rows.find(({ from_me }) => from_me === 1);
  if (fromMe === undefined) return rows[0];
  const author = participant === undefined || participant === null ? "" : resolve(participant);
  return rows.find((row) => row.from_me === (fromMe ? 1 : 0) && row.participant === author);
}

function changedFields(
  held: MessageRow,
  change: MessageChange,
  position: Position,
  resolve: Resolve,
): Row | null {
  switch (change.kind) {
    case "status":
      return statusFields(held, change, position) ?? missedMoment(held, change);
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

/** A record tells that a message was delivered or read, not when: that is told by the status alone, however late it comes. */
function missedMoment(held: MessageRow, change: MessageChange): Row | null {
  if (change.kind !== "status" || held.from_me === 0) return null;
  const status = statusWord(change.status);
  const moment = MOMENT_OF[status];
  if (moment === undefined || held[moment] !== null || !isPast(held.status, status)) return null;
  return { [moment]: momentOfSeconds(change.at) };
}

function editFields(
  held: MessageRow,
  { content, at }: MessageChange & { kind: "edit" },
  position: Position,
): Row | null {
  const text = clean(content);
  const edited = momentOfSeconds(at);
  const heldEdit = { at: held.edited_at ?? "", position: held.edit_position };
  if (isAfterDeletion(held, { at: edited, position }) || isOlderEdit({ at: edited, position }, heldEdit))
    return null;
  const remembered = { edit_position: laterOf(held.edit_position, position) };
  if (edited === held.edited_at && text === held.content)
    return remembered.edit_position === held.edit_position ? null : remembered;
  const caption = held.caption === null ? {} : { caption: text };
  return { content: text, edited_at: edited, ...caption, ...remembered };
}

/** A deletion may overtake the edit before it: the words of that edit are those that were deleted. */
function isAfterDeletion(held: MessageRow, { at, position }: EditAt<string>): boolean {
  if (held.status !== "Deleted") return false;
  if (held.status_position !== null && position !== null) return position > held.status_position;
  return held.deleted_at === null || at >= held.deleted_at;
}

const REMEMBERED = ["edit_position", "reactions"];

/** The same told again later: what was told between the two must not pass for news, and nothing to see changes. */
const isOnlyRemembered = (held: Row, fields: Row): boolean =>
  Object.entries(fields).every(([field, value]) => REMEMBERED.includes(field) || held[field] === value);

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
