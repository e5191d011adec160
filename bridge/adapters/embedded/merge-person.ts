/** A hidden id turns out to be somebody: contact, chat and messages move, and what was two becomes one. */
import type { Position } from "../../adapter.ts";
import { isOlderEdit } from "../edit-order.ts";
import { CONTACT, type ContactRow, type ConversationRow, type MessageRow, type Row } from "./doctypes.ts";
import { differences } from "./differences.ts";
import { lastMessageFields } from "./last-message.ts";
import { earliest } from "./moments.ts";
import { numberOf } from "./people.ts";
import { carriedOver } from "./persons-own.ts";
import { mayOverwrite } from "./positions.ts";
import { joinedReactions, resolvedReactions } from "./reactions.ts";
import type { Rows } from "./rows.ts";
import { mayBecome } from "./statuses.ts";
import { resolver, type Writing } from "./writing.ts";

export interface Merge {
  session: string;
  from: string;
  into: string;
  position: Position;
}

/**
 * True when a record changed. Remembered either way: what still names the old id is then written to the new one. Told too
 * late it changes nothing: the id may be somebody else's by now.
 */
export function mergePerson(writing: Writing, merge: Merge): boolean {
  const { rows } = writing;
  const { session, from, into, position } = merge;
  const { into: before, position: toldAt } = rows.aliases.of(session, from) ?? { position: null };
  if (from === into || !mayOverwrite(toldAt, position)) return false;
  if (before !== into || toldAt !== position) rows.aliases.put(session, from, into, position);
  if (before === into) return false;
  if (before !== undefined) forgetHiddenId(writing, session, { contactId: before, lid: from });
  // Most people were never met under the id that turns out to be theirs.
  if (!rows.isHeld(session, from)) return false;
  const contact = mergeContacts(writing, merge);
  const change = { contact: contact?.name ?? null, numbers: { from: numberOf(from), into: numberOf(into) } };
  const isChatMoved = mergeChats(writing, merge, change);
  mergeMember(writing, merge);
  rows.messages.renameParticipant(session, { from, into, ...change });
  if (contact !== null) rows.messages.linkAuthor(session, into, contact.name);
  mergeReactions(writing, merge);
  return contact?.changed === true || isChatMoved;
}

/** A hidden id belongs to one person. The hub tells who has it now, not that somebody else has it no more. */
function forgetHiddenId(
  { rows, now }: Writing,
  session: string,
  { contactId, lid }: { contactId: string; lid: string },
): void {
  const held = rows.contacts.of(session, contactId);
  if (held?.lid === lid) rows.contacts.update(held.name, { lid: null, modified: now() });
}

/** Messages of groups that were kept under either id of their author are there once, and their chats count them once. */
function mergeMember(writing: Writing, { session, from, into }: Merge): void {
  const { rows } = writing;
  const resolve = resolver(rows, session);
  const surplus = new Map<string, number>();
  for (const twin of rows.messages.inBothOfMember(session, from, into)) {
    mergeTwins(writing, twin, resolve);
    surplus.set(twin.into.conversation, (surplus.get(twin.into.conversation) ?? 0) + 1);
  }
  for (const [name, gone] of surplus) {
    const held = rows.messages.countIn(name);
    const total = (rows.conversations.named(name)?.total_messages ?? 0) - gone;
    rows.conversations.update(name, { held, total_messages: Math.max(total, held), modified: writing.now() });
  }
}

/** What somebody did under the hidden id and under the number is of one person: the later counts. */
function mergeReactions({ rows, now }: Writing, { session, from }: Merge): void {
  const resolve = resolver(rows, session);
  for (const held of rows.messages.withReactionOf(session, from)) {
    const changes = differences(held, resolvedReactions(held.reactions, resolve));
    if (changes !== null) rows.messages.update(held.name, { ...changes, modified: now() });
  }
}

function mergeContacts(
  { rows, now }: Writing,
  { session, from, into }: Merge,
): { name: string; changed: boolean } | null {
  const old = rows.contacts.of(session, from);
  const held = rows.contacts.of(session, into);
  if (old === undefined) return held === undefined ? null : { name: held.name, changed: false };
  if (held === undefined) {
    const phone = old.phone_number === from ? { phone_number: numberOf(into) } : {};
    rows.contacts.update(old.name, { contact_id: into, lid: from, ...phone, modified: now() });
    return { name: old.name, changed: true };
  }
  rows.contacts.remove(old.name);
  rows.contacts.update(held.name, {
    ...filledIn(old, held),
    ...carriedOver(old, held),
    lid: from,
    modified: now(),
  });
  return { name: held.name, changed: true };
}

/** What only the old contact knew. */
function filledIn(old: ContactRow, held: ContactRow): Row {
  const filled: Row = {};
  for (const field of Object.keys(CONTACT.fields) as (keyof typeof CONTACT.fields)[])
    if (held[field] === null && old[field] !== null) filled[field] = old[field];
  return filled;
}

function mergeChats(
  writing: Writing,
  { session, from, into }: Merge,
  { contact, numbers }: { contact: string | null; numbers: { from: string; into: string } },
): boolean {
  const { rows, now } = writing;
  const old = rows.conversations.of(session, from);
  if (old === undefined) return false;
  const held = rows.conversations.of(session, into);
  const change = { contact, ...numbers };
  if (held === undefined) {
    rows.messages.readdress(old.name, change);
    rows.conversations.update(old.name, {
      chat_id: into,
      contact: contact ?? old.contact,
      phone_number: numbers.into,
      ...(old.contact_name === numbers.from ? { contact_name: numbers.into } : {}),
      modified: now(),
    });
    return true;
  }
  const resolve = resolver(rows, session);
  for (const twin of rows.messages.inBoth(old.name, held.name)) mergeTwins(writing, twin, resolve);
  rows.messages.move(old.name, held.name);
  rows.messages.readdress(held.name, change);
  linkMovedAnswers(rows, held.name);
  rows.conversations.remove(old.name);
  rows.conversations.update(held.name, {
    ...mergedChat(old, held),
    held: rows.messages.countIn(held.name),
    contact: contact ?? held.contact,
    modified: now(),
  });
  return true;
}

/** Somebody may have answered under the hidden id what was said under the number. */
function linkMovedAnswers({ messages }: Rows, conversation: string): void {
  for (const { name, quoted_message_id: id } of messages.unlinkedAnswers(conversation)) {
    const asked = id === null ? undefined : messages.withId(conversation, id)[0];
    if (asked !== undefined) messages.update(name, { quoted_message: asked.name });
  }
}

/** One message that is held twice: the one that stays keeps what was told of either. */
function mergeTwins(
  { rows, now }: Writing,
  { from, into }: { from: MessageRow; into: MessageRow },
  resolve: (id: string) => string,
): void {
  const isFurther = mayBecome(
    { status: into.status, position: into.status_position },
    { status: from.status, position: from.status_position },
  );
  const changes = differences(into, {
    ...(isFurther
      ? { status: from.status, status_position: from.status_position, error_message: from.error_message }
      : {}),
    ...(isOlderEdit(editOf(into), editOf(from)) ? textOf(from) : {}),
    ...(from.reactions === null ? {} : joinedReactions(into.reactions, from.reactions, resolve)),
    sent_at: into.sent_at ?? from.sent_at,
    delivered_at: into.delivered_at ?? from.delivered_at,
    read_at: into.read_at ?? from.read_at,
    deleted_at: into.deleted_at ?? from.deleted_at,
  });
  for (const { name } of rows.media.of(from.name)) rows.media.remove(name);
  rows.messages.linkAnswers(from.conversation, {
    messageId: from.message_id,
    instead: from.name,
    name: into.name,
  });
  rows.messages.remove(from.name);
  if (changes !== null) rows.messages.update(into.name, { ...changes, modified: now() });
}

const editOf = ({ edited_at, edit_position }: MessageRow) => ({
  at: edited_at ?? "",
  position: edit_position,
});

const textOf = ({ content, caption, edited_at, edit_position }: MessageRow) => ({
  content,
  caption,
  edited_at,
  edit_position,
});

function mergedChat(old: ConversationRow, held: ConversationRow): Row {
  const last =
    old.last_message_time === null || old.last_remote_message_id === null
      ? {}
      : lastMessageFields(
          held,
          {
            messageId: old.last_remote_message_id,
            text: old.last_message,
            time: old.last_message_time,
            fromMe: old.last_message_from_me === 1,
          },
          old.last_message_position,
        );
  return {
    ...last,
    ...carriedOver(old, held),
    first_message_time: earliest(held.first_message_time, old.first_message_time),
    unread_count: (held.unread_count ?? 0) + (old.unread_count ?? 0),
    total_messages: Math.max(held.total_messages ?? 0, old.total_messages ?? 0),
  };
}
