/** Conversations: rows, changes, pages. The name shown is the contact's where there is one. */
import type { Chat } from "../../../core/chat.ts";
import type { ChatChange } from "../../../core/facts.ts";
import { isGroupJid, isLidJid, type Jid } from "../../../core/jid.ts";
import type { MessageType } from "../../../core/message.ts";
import type { Page } from "../../../core/page.ts";
import type { Session } from "../../../core/session.ts";
import type { ChatQuery } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import { LID_OF } from "./addresses.ts";
import { bit } from "../json.ts";
import { containing, createPager, when } from "../pager.ts";
import { readTally } from "../tally.ts";
import type { ContactNames } from "./contacts.ts";

interface ChatRow {
  id: number;
  jid: Jid;
  name: string | null;
  unread_count: number;
  message_count: number;
  removed_count: number;
  heard: number;
  written: number;
  archived: number;
  pinned: number;
  mute_expiration: number;
  is_read_only: number;
  first_at: number | null;
  last_at: number;
  last_message: number | null;
  last_ts: number;
  past: number;
  updated_at: number;
}

interface ShownRow extends ChatRow {
  k_name: string | null;
  k_verified_name: string | null;
  k_push_name: string | null;
  lid: Jid | null;
  m_id: string | null;
  m_content: string;
  m_ts: number;
  m_from_me: number;
  m_type: MessageType;
}

const COLUMNS = `c.*, k.name AS k_name, k.verified_name AS k_verified_name, k.push_name AS k_push_name,
  m.id AS m_id, m.content AS m_content, m.ts AS m_ts, m.from_me AS m_from_me, m.type AS m_type,
  ${LID_OF("c")} AS lid`;
const FROM = `chat c LEFT JOIN message m ON m.n = c.last_message
  LEFT JOIN contact k ON k.session = c.session AND k.jid = c.jid`;

/** A message as far as its chat looks at it. */
interface Arrival {
  n: number;
  ts: number;
  live: boolean;
  /** Adds to the unread count. */
  unread: boolean;
}

export interface Chats {
  find(session: number, jid: Jid): ChatRow | undefined;
  /** The row of this chat, made when there is none. */
  ensure(session: number, jid: Jid, now: Date): number;
  get(session: Session, jid: Jid): Chat | null;
  /** One that is not read yet marks the chat: its count is told a moment later, see `untold-chats.ts`. */
  arrived(chat: number, message: Arrival, now: Date): void;
  /** Its contact is called otherwise: where that changes its shown name, this is told a moment later as well. */
  contactRenamed(
    session: number,
    jid: Jid,
    names: { before: ContactNames; after: ContactNames },
    now: Date,
  ): void;
  /** Marks a chat whose change is still to be told. */
  mark(chat: number): void;
  /** Something inside it changed. */
  touch(chat: number, now: Date): void;
  /** Creates or changes; null when nothing changed. */
  change(
    session: Session,
    jid: Jid,
    change: ChatChange,
    options: { live: boolean; now: Date },
  ): { chat: Chat; archived: boolean; others: boolean } | null;
  page(query: ChatQuery): Page<Chat>;
}

export function createChats(engine: Engine): Chats {
  const { db } = engine;
  const find = db.prepare<[number, Jid], ChatRow>("SELECT * FROM chat WHERE session = ? AND jid = ?");
  const findId = db.prepare<[number, Jid], { id: number }>(
    "SELECT id FROM chat WHERE session = ? AND jid = ?",
  );
  const show = db.prepare<[number, Jid], ShownRow>(
    `SELECT ${COLUMNS} FROM ${FROM} WHERE c.session = ? AND c.jid = ?`,
  );
  const insert = db.prepare("INSERT INTO chat(session, jid, updated_at) VALUES(?, ?, ?)");
  const arrived = db.prepare<[Record<"n" | "ts" | "live" | "unread" | "chat" | "now", number>]>(
    `UPDATE chat SET
       last_message = CASE WHEN last_message IS NULL OR @ts > last_ts OR (@ts = last_ts AND @live) THEN @n ELSE last_message END,
       last_ts = max(last_ts, @ts), last_at = max(last_at, @ts), first_at = min(coalesce(first_at, @ts), @ts),
       unread_count = unread_count + @unread, updated_at = @now
     WHERE id = @chat`,
  );
  const update = db.prepare(
    `UPDATE chat SET name = ?, unread_count = ?, archived = ?, pinned = ?, mute_expiration = ?, is_read_only = ?,
       last_at = ?, past = ?, updated_at = ? WHERE id = ?`,
  );
  const mark = db.prepare("INSERT OR IGNORE INTO untold_chat(chat) VALUES(?)");
  const unmark = db.prepare("DELETE FROM untold_chat WHERE chat = ?");
  const touched = db.prepare("UPDATE chat SET updated_at = ? WHERE id = ?");
  const pages = createPager(engine);

  const write = (row: ChatRow, now: Date): void => {
    update.run(
      row.name,
      row.unread_count,
      row.archived,
      row.pinned,
      row.mute_expiration,
      row.is_read_only,
      row.last_at,
      row.past,
      now.getTime(),
      row.id,
    );
  };

  const chats: Chats = {
    find: (session, jid) => find.get(session, jid),
    ensure: (session, jid, now) =>
      findId.get(session, jid)?.id ?? Number(insert.run(session, jid, now.getTime()).lastInsertRowid),
    get: ({ id, sessionId }, jid) => {
      const row = show.get(id, jid);
      return row === undefined ? null : toChat(row, sessionId);
    },
    arrived: (chat, { n, ts, live, unread }, now) => {
      arrived.run({ n, ts, live: bit(live), unread: bit(unread), chat, now: now.getTime() });
      if (unread) mark.run(chat);
    },
    contactRenamed: (session, jid, { before, after }, now) => {
      const row = find.get(session, jid);
      if (row === undefined || shownName(row, before) === shownName(row, after)) return;
      chats.touch(row.id, now);
      mark.run(row.id);
    },
    mark: (chat) => {
      mark.run(chat);
    },
    touch: (chat, now) => {
      touched.run(now.getTime(), chat);
    },
    change: (session, jid, change, { live, now }) => {
      const known = find.get(session.id, jid);
      chats.ensure(session.id, jid, now);
      const before = known ?? find.get(session.id, jid);
      if (before === undefined) throw new Error("the chat was not inserted");
      const after = changed(before, change, live);
      const archived = before.archived !== after.archived;
      const others = OTHERS.some((column) => before[column] !== after[column]);
      const silent = SILENT.some((column) => before[column] !== after[column]);
      if (known !== undefined && !archived && !others && !silent) return null;
      write(after, now);
      // What is told of it now tells the count as well.
      if (others && live) unmark.run(after.id);
      const chat = chats.get(session, jid);
      return chat === null ? null : { chat, archived, others };
    },
    page: (query) => {
      const { sessionId, chatId, search, archived, unread, updatedAfter } = query;
      const { id: session } = engine.session(sessionId);
      const filters = [
        ...containing(
          ["c.name", "k.name", "k.push_name", "k.verified_name", "c.jid"],
          search?.replace(/^\+/, ""),
        ),
        ...when("c.jid = ?", chatId),
        ...when("c.archived = ?", archived),
        ...when("(c.unread_count > 0) = ?", unread),
        ...when("c.updated_at > ?", updatedAfter),
      ];
      return pages.read<ShownRow, Chat>({
        list: "chats",
        bound: { sessionId, chatId, search, archived, unread, updatedAfter },
        request: query,
        columns: COLUMNS,
        from: FROM,
        scope: when("c.session = ?", session),
        filters,
        keys: ["c.last_at", "c.id"],
        direction: "desc",
        keyOf: (row) => [row.last_at, row.id],
        knownTotal: () => (filters.length === 0 ? readTally(engine, session).chats : null),
        toItem: (row) => toChat(row, sessionId),
      });
    },
  };
  return chats;
}

/** Columns whose change is told as `chat.updated`. */
const OTHERS = ["name", "unread_count", "pinned", "mute_expiration", "is_read_only"] as const;
/** Columns that nobody is told of. */
const SILENT = ["last_at", "past"] as const;
/** Of the column `past`; 0 until the phone says something. */
const HAS_OLDER = 1;
export const NOTHING_OLDER = 2;

/**
 * History is a picture of the past: its unread count may miss live messages that came before it, so the higher one
 * stays, and its last time never goes back.
 */
function changed(row: ChatRow, change: ChatChange, live: boolean): ChatRow {
  const unread = change.unreadCount ?? row.unread_count;
  return {
    ...row,
    name: change.name === undefined ? row.name : change.name,
    unread_count: live ? unread : Math.max(unread, row.unread_count),
    archived: change.archived === undefined ? row.archived : bit(change.archived),
    pinned: change.pinned === undefined ? row.pinned : bit(change.pinned),
    mute_expiration: change.muteExpiration ?? row.mute_expiration,
    is_read_only: change.isReadOnly === undefined ? row.is_read_only : bit(change.isReadOnly),
    last_at: Math.max(row.last_at, change.lastMessageAt ?? 0),
    past: change.hasOlder === undefined ? row.past : change.hasOlder ? HAS_OLDER : NOTHING_OLDER,
  };
}

const toChat = (row: ShownRow, sessionId: string): Chat => ({
  sessionId,
  chatId: row.jid,
  lid: isLidJid(row.jid) ? row.jid : row.lid,
  conversationId: row.id,
  name: nameOf(row),
  unreadCount: row.unread_count,
  messageCount: row.message_count,
  removedMessages: row.removed_count,
  archived: row.archived === 1,
  pinned: row.pinned === 1,
  muteExpiration: row.mute_expiration,
  isReadOnly: row.is_read_only === 1,
  firstMessageTime: row.first_at,
  lastMessageAt: row.last_at === 0 ? null : row.last_at,
  lastMessage:
    row.m_id === null
      ? null
      : {
          messageId: row.m_id,
          content: row.m_content,
          timestamp: row.m_ts,
          fromMe: row.m_from_me === 1,
          type: row.m_type,
        },
  updatedAt: row.updated_at,
});

const nameOf = (row: ShownRow): string | null =>
  shownName(row, { name: row.k_name, verifiedName: row.k_verified_name, pushName: row.k_push_name });

/** What a chat is called, which its contact has a say in. */
function shownName({ jid, name }: Pick<ChatRow, "jid" | "name">, contact: ContactNames): string | null {
  if (isGroupJid(jid)) return name ?? contact.name;
  return contact.name ?? name ?? contact.verifiedName ?? contact.pushName;
}
