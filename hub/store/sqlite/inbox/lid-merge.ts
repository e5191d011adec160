/** The phone behind a hidden id became known: everything kept under the hidden id goes under the phone. */
import type { Jid } from "../../../core/jid.ts";
import type { Session } from "../../../core/session.ts";
import type { Engine } from "../engine.ts";
import { laneOfChat } from "../event-log.ts";
import { createLaneMerge } from "../outbox/lane-merge.ts";
import type { Chats } from "./chats.ts";
import type { Contacts } from "./contacts.ts";
import type { EarlyChanges } from "./early-changes.ts";
import { createDropMessages, createShowLast } from "./removal.ts";

/** Merges; `null` when nothing that others may have seen was kept under the hidden id. */
export type LidMerge = (
  session: Session,
  lid: Jid,
  phone: Jid,
  now: Date,
) => { conversationId: number | null } | null;

interface Parts {
  chats: Chats;
  contacts: Contacts;
  early: EarlyChanges;
}

export function createLidMerge(engine: Engine, { chats, contacts, early }: Parts): LidMerge {
  const { db } = engine;
  const mergeLanes = createLaneMerge(engine);
  const renameChat = db.prepare("UPDATE chat SET jid = ?, updated_at = ? WHERE id = ?");
  const moveMessages = db.prepare("UPDATE OR IGNORE message SET chat = ? WHERE chat = ?");
  const forgetReactor = db.prepare("DELETE FROM hidden_reactor WHERE session = ? AND lid = ?");
  const moveAuthor = db.prepare(
    "UPDATE OR IGNORE message SET participant = ? WHERE session = ? AND participant = ? AND substr(participant, -4) = '@lid'",
  );
  const leftOfChat = db.prepare<[number], { n: number; from_me: number }>(
    "SELECT n, from_me FROM message WHERE chat = ?",
  );
  const leftOfAuthor = db.prepare<[number, string], { n: number; chat: number }>(
    "SELECT n, chat FROM message WHERE session = ? AND participant = ? AND substr(participant, -4) = '@lid'",
  );
  const drop = createDropMessages(engine);
  const showLast = createShowLast(engine);
  const unsend = db.prepare("DELETE FROM outgoing WHERE message = ?");
  const joinChats = db.prepare(
    `UPDATE chat SET unread_count = unread_count + @unread, name = coalesce(name, @name),
       first_at = min(coalesce(first_at, @first), coalesce(@first, first_at)), last_at = max(last_at, @last),
       removed_count = removed_count + @removed, heard = max(heard, @heard), written = max(written, @written),
       last_message = (SELECT n FROM message WHERE chat = @into ORDER BY ts DESC, n DESC LIMIT 1),
       last_ts = coalesce((SELECT ts FROM message WHERE chat = @into ORDER BY ts DESC, n DESC LIMIT 1), 0),
       updated_at = @now
     WHERE id = @into`,
  );
  const passMark = db.prepare("UPDATE OR IGNORE untold_chat SET chat = ? WHERE chat = ?");
  const removeChat = db.prepare("DELETE FROM chat WHERE id = ?");

  /** Copies of messages that are under the phone already. */
  const removeAll = (left: { n: number }[]): void => {
    if (left.length === 0) return;
    drop(left.map(({ n }) => n));
    for (const { n } of left) unsend.run(n);
  };

  /** The conversation under the phone, or null when neither address has one. */
  const mergeChats = (
    session: number,
    lid: Jid,
    phone: Jid,
    now: Date,
  ): { id: number | null; moved: boolean } => {
    const source = chats.find(session, lid);
    const target = chats.find(session, phone);
    if (source === undefined) {
      // It shows another hidden id.
      if (target !== undefined) chats.touch(target.id, now);
      return { id: target?.id ?? null, moved: false };
    }
    if (target === undefined) {
      renameChat.run(phone, now.getTime(), source.id);
      return { id: source.id, moved: true };
    }
    moveMessages.run(target.id, source.id);
    const copies = leftOfChat.all(source.id);
    removeAll(copies);
    const countedTwice = copies.filter(({ from_me }) => from_me === 0).length;
    joinChats.run({
      into: target.id,
      unread: Math.max(0, source.unread_count - countedTwice),
      name: source.name,
      first: source.first_at,
      last: source.last_at,
      removed: source.removed_count,
      heard: source.heard,
      written: source.written,
      now: now.getTime(),
    });
    passMark.run(target.id, source.id);
    removeChat.run(source.id);
    return { id: target.id, moved: true };
  };

  return (session, lid, phone, now) => {
    const chat = mergeChats(session.id, lid, phone, now);
    const wrote = moveAuthor.run(phone, session.id, lid).changes > 0;
    const copies = leftOfAuthor.all(session.id, lid);
    removeAll(copies);
    for (const group of new Set(copies.map((copy) => copy.chat))) showLast(group);
    const reacted = forgetReactor.run(session.id, lid).changes > 0;
    early.move(session.id, lid, phone);
    mergeLanes(laneOfChat(session.id, lid), laneOfChat(session.id, phone));
    const hadContact = contacts.merge(session, lid, phone, now);
    const isKnown = chat.moved || hadContact || wrote || copies.length > 0 || reacted;
    return isKnown ? { conversationId: chat.id } : null;
  };
}
