/** Messages: storing new ones, and what happens to stored ones. Knows nothing of events. */
import type { Fact, MessageRef } from "../../../core/facts.ts";
import { healed } from "../../../core/healing.ts";
import { isBroadcastJid, isGroupJid, isLidJid, type Jid } from "../../../core/jid.ts";
import { rises, type MessageStatus } from "../../../contract/message-status.ts";
import type { Message, MessageMedia } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import type { Engine } from "../engine.ts";
import { bit, toJson } from "../json.ts";
import type { Addresses } from "./addresses.ts";
import type { Chats } from "./chats.ts";
import {
  MESSAGE_COLUMNS,
  reactionsOf,
  restJson,
  statusNumber,
  statusOfNumber,
  toMessage,
  type MessageRow,
  type RowContext,
  type StoredReaction,
} from "./message-rows.ts";

/** What came of a change: `unknown` when its message has not come (yet), null when it changed nothing. */
type Outcome<T> = T | null | "unknown";

export interface Messages {
  /** Null when it is known already. `message` is the stored shape, addresses mapped. */
  insert(
    session: Session,
    message: Message,
    options: { live: boolean; now: Date },
  ): { n: number; message: Message } | null;
  /** A known message came again: its content, when it has been missing so far; null when there is no news in it. */
  heal(session: Session, message: Message, now: Date): { n: number; message: Message } | null;
  edit(session: Session, fact: Fact & { kind: "edit" }, now: Date): Outcome<{ message: Message }>;
  revoke(session: Session, fact: Fact & { kind: "revoke" }, now: Date): Outcome<{ message: Message }>;
  react(
    session: Session,
    fact: Fact & { kind: "reaction" },
    now: Date,
  ): Outcome<{ n: number; message: Message }>;
  /** One own message's status; `isPlayed` goes beyond `read`. */
  raise(
    session: Session,
    target: { chatId: Jid; id: string; status: MessageStatus; isPlayed: boolean },
    now: Date,
  ): Outcome<{ message: Message }>;
  /** What the library made of an own message. */
  completed(
    session: Session,
    id: string,
    sent: { raw: string | null; media: Partial<MessageMedia> | null },
    now: Date,
  ): number | null;
  context(session: Session): RowContext;
  rowsOfId(session: number, id: string): MessageRow[];
}

export function createMessages(engine: Engine, addresses: Addresses, chats: Chats): Messages {
  const { db } = engine;
  const insert = db.prepare(
    `INSERT INTO message(session, chat, id, from_me, participant, ts, type, status, content, rest, reactions,
       event_seq, updated_at)
     VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(session, id, chat, from_me, participant) DO NOTHING`,
  );
  const saveRaw = db.prepare(
    "INSERT INTO message_raw(message, v) VALUES(?, ?) ON CONFLICT(message) DO UPDATE SET v = excluded.v",
  );
  const byId = db.prepare<[number, string], MessageRow>(
    // Without the hint the planner walks the whole session for the sake of the order.
    `SELECT ${MESSAGE_COLUMNS} FROM message m INDEXED BY message_key CROSS JOIN chat c ON c.id = m.chat
     WHERE m.session = ? AND m.id = ? ORDER BY m.ts DESC, m.n DESC`,
  );
  const setWhole = db.prepare(
    "UPDATE message SET type = ?, content = ?, rest = ?, updated_at = ? WHERE n = ?",
  );
  const setContent = db.prepare("UPDATE message SET content = ?, rest = ?, updated_at = ? WHERE n = ?");
  const setDeleted = db.prepare("UPDATE message SET status = ?, rest = ?, updated_at = ? WHERE n = ?");
  const setReactions = db.prepare("UPDATE message SET reactions = ?, updated_at = ? WHERE n = ?");
  // Reactions keep the hidden id they came with: who is known by it must be told when its phone becomes known.
  const noteReactor = db.prepare("INSERT OR IGNORE INTO hidden_reactor(session, lid) VALUES(?, ?)");
  const setStatus = db.prepare("UPDATE message SET status = ?, updated_at = ? WHERE n = ?");
  const setRest = db.prepare("UPDATE message SET rest = ?, updated_at = ? WHERE n = ?");

  const writeRaw = (n: number, raw: string): void => {
    saveRaw.run(n, Buffer.from(raw, "base64"));
  };

  const noteIfHidden = (session: number, person: Jid): void => {
    if (isLidJid(person)) noteReactor.run(session, person);
  };

  const messages: Messages = {
    insert: (session, given, { live, now }) => {
      const message = mapped(session, given);
      const chat = chats.ensure(session.id, message.chatId, now);
      const { changes, lastInsertRowid } = insert.run(
        session.id,
        chat,
        message.id,
        bit(message.fromMe),
        message.participant ?? "",
        message.timestamp,
        message.type,
        statusNumber(message.status),
        message.content,
        restJson(message),
        message.reactions.length === 0 ? null : toJson(message.reactions.map(toStored)),
        // What is live is told next, in this transaction: that event's number leads from the message to its way.
        live ? engine.upcomingSeq() : null,
        now.getTime(),
      );
      if (changes === 0) return null;
      const n = Number(lastInsertRowid);
      for (const { from } of message.reactions) noteIfHidden(session.id, from);
      if (message.raw !== null) writeRaw(n, message.raw);
      chats.arrived(chat, { n, ts: message.timestamp, live, unread: live && !message.fromMe }, now);
      return { n, message };
    },
    heal: (session, given, now) => {
      const whole = mapped(session, given);
      const row = byId
        .all(session.id, whole.id)
        .filter(({ chat_jid, from_me }) => chat_jid === whole.chatId && from_me === bit(whole.fromMe))
        .find(({ participant }) => participant === (whole.participant ?? ""));
      if (row === undefined) return null;
      const message = healed(toMessage(row, messages.context(session)), whole);
      if (message === null) return null;
      setWhole.run(message.type, message.content, restJson(message), now.getTime(), row.n);
      if (message.raw !== null) writeRaw(row.n, message.raw);
      chats.touch(row.chat, now);
      return { n: row.n, message };
    },
    edit: (session, { target, content, at, raw }, now) => {
      const row = find(session, target, { strict: true });
      if (row === undefined) return "unknown";
      const message = toMessage(row, messages.context(session));
      if (message.status === "deleted" || at < (message.editedAt ?? 0)) return null;
      if (message.editedAt === at && message.content === content) return null;
      const edited: Message = {
        ...message,
        content,
        caption: message.caption === null ? null : content,
        editedAt: at,
      };
      setContent.run(content, restJson(edited), now.getTime(), row.n);
      if (raw !== null) writeRaw(row.n, raw);
      return { message: edited };
    },
    revoke: (session, { target, at }, now) => {
      const row = find(session, target, { strict: true });
      if (row === undefined) return "unknown";
      const message = toMessage(row, messages.context(session));
      if (message.status === "deleted") return null;
      const deleted: Message = { ...message, status: "deleted", deletedAt: at };
      setDeleted.run(statusNumber("deleted"), restJson(deleted), now.getTime(), row.n);
      return { message: deleted };
    },
    react: (session, { target, from, fromMe, emoji, atMs }, now) => {
      const row = find(session, target, { strict: false });
      if (row === undefined) return "unknown";
      const person = addresses.map(session.id, from);
      const reactions = reactionsOf(row);
      const isTheirs = (reaction: StoredReaction): boolean =>
        fromMe ? reaction.fromMe : !reaction.fromMe && addresses.map(session.id, reaction.from) === person;
      const before = reactions.find(isTheirs);
      if (before === undefined ? emoji === "" : before.atMs > atMs || before.emoji === emoji) return null;
      const after = [
        ...reactions.filter((reaction) => !isTheirs(reaction)),
        { from: person, fromMe, emoji, atMs },
      ];
      setReactions.run(toJson(after), now.getTime(), row.n);
      noteIfHidden(session.id, person);
      return {
        n: row.n,
        message: toMessage({ ...row, reactions: toJson(after) }, messages.context(session)),
      };
    },
    raise: (session, { chatId, id, status, isPlayed }, now) => {
      const row = findOwn(session, chatId, id);
      if (row === undefined) return "unknown";
      const current = statusOfNumber(row.status);
      const isRise = rises(current, status);
      if (!isRise && !(isPlayed && current === status)) return null;
      const before = toMessage(row, messages.context(session));
      if (!isRise && before.isPlayed) return null;
      const message = { ...before, status, isPlayed };
      if (isRise) setStatus.run(statusNumber(status), now.getTime(), row.n);
      if (isPlayed) setRest.run(restJson(message), now.getTime(), row.n);
      return { message };
    },
    completed: (session, id, { raw, media }, now) => {
      const row = byId.all(session.id, id).find(({ from_me }) => from_me === 1);
      if (row === undefined) return null;
      if (raw !== null) writeRaw(row.n, raw);
      const message = toMessage(row, messages.context(session));
      if (media !== null && message.media !== null)
        setRest.run(restJson({ ...message, media: { ...message.media, ...media } }), now.getTime(), row.n);
      return row.n;
    },
    context: ({ id, sessionId }) => ({ sessionId, map: (jid) => addresses.map(id, jid) }),
    rowsOfId: (session, id) => byId.all(session, id),
  };

  /** Addresses as the hub keeps them; an author only where there can be several. */
  function mapped(session: Session, message: Message): Message {
    const map = (jid: Jid): Jid => addresses.map(session.id, jid);
    const chatId = map(message.chatId);
    const hasAuthor = !message.fromMe && (isGroupJid(chatId) || isBroadcastJid(chatId));
    return {
      ...message,
      sessionId: session.sessionId,
      chatId,
      participant: hasAuthor && message.participant !== null ? map(message.participant) : null,
      mentions: message.mentions.map(map),
      reactions: message.reactions.map((reaction) => ({ ...reaction, from: map(reaction.from) })),
    };
  }

  /** `strict`: the author must be the one named, so that nobody changes the words of somebody else. */
  function find(
    session: Session,
    target: MessageRef,
    { strict }: { strict: boolean },
  ): MessageRow | undefined {
    const chatId = addresses.map(session.id, target.chatId);
    const rows = byId
      .all(session.id, target.id)
      .filter((row) => row.chat_jid === chatId)
      .filter((row) => target.fromMe === undefined || row.from_me === bit(target.fromMe));
    const { participant } = target;
    if (participant === undefined || participant === null) return rows[0];
    const author = addresses.map(session.id, participant);
    const byAuthor = rows.find((row) => row.participant === "" || row.participant === author);
    return byAuthor ?? (strict ? undefined : rows[0]);
  }

  /** Receipts may name a person by a hidden id whose phone we do not know: our own ids are ours alone. */
  function findOwn(session: Session, chat: Jid, id: string): MessageRow | undefined {
    const chatId = addresses.map(session.id, chat);
    const own = byId.all(session.id, id).filter((row) => row.from_me === 1);
    const exact = own.find((row) => row.chat_jid === chatId);
    return exact ?? (isLidJid(chatId) && own.length === 1 ? own[0] : undefined);
  }

  return messages;
}

const toStored = ({ from, fromMe, emoji, timestamp }: Message["reactions"][number]): StoredReaction => ({
  from,
  fromMe,
  emoji,
  atMs: timestamp * 1000,
});
