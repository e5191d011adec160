/** The inbox's part of the door to storage: what was said and who said it, and the questions lists ask. */
import type { Chat, Contact } from "./chat.ts";
import type { Fact, MessageRef } from "./facts.ts";
import type { Jid } from "./jid.ts";
import type { Message } from "./message.ts";
import type { Page, PageRequest } from "./page.ts";

/** What was said, and who said it. */
export interface InboxStore {
  /**
   * Applies facts in order, in one transaction: rows, their events, a delivery for each endpoint that wants one, and the
   * intake rows closed. Facts already known change nothing. Returns what became new.
   */
  record(entry: { sessionId: string; facts: Fact[]; closes: Uint8Array[]; now: Date }): Promise<Recorded>;
  contacts(query: ContactQuery): Promise<Page<Contact>>;
  contact(sessionId: string, jid: Jid): Promise<Contact | null>;
  contactStats(sessionId: string): Promise<ContactStats>;
  chats(query: ChatQuery): Promise<Page<Chat>>;
  chat(sessionId: string, jid: Jid): Promise<Chat | null>;
  /** Messages of a page come without `raw`; `message` has it. */
  messages(query: MessageQuery): Promise<Page<Message>>;
  /** Newest match of a bare WhatsApp id; `chatId` narrows. */
  message(sessionId: string, id: string, chatId?: Jid): Promise<Message | null>;
  /** How far back the hub knows a session. */
  coverage(sessionId: string): Promise<HistoryCoverage>;
  /**
   * Oldest message of each chat whose past may be longer than what is stored, chats with the newest message first. Only
   * of one chat, or only of chats that begin later than `laterThan` (Unix seconds), when asked so.
   */
  beginnings(query: {
    sessionId: string;
    chatId?: Jid | undefined;
    laterThan?: number | undefined;
    limit: number;
  }): Promise<MessagePlace[]>;
  /**
   * Removes messages written before `before`, with all that is kept of them but their bytes on disk (`MediaStore.left`);
   * chats and people stay. Looks at no more than `limit` of them, oldest first, after the place `after` (null: from the
   * start), and answers where to go on; null at the end. Those stay that came or changed after `settledBefore`, that are
   * on their way to WhatsApp, or of which a webhook has still to be told.
   */
  removeOld(query: {
    sessionId: string;
    before: Date;
    settledBefore: Date;
    after: MessageAge | null;
    limit: number;
  }): Promise<{ removed: number; place: MessageAge | null }>;
  /** Makes at most `limit` messages findable by their words; returns how many. A search does so itself for a few. */
  indexWords(limit: number): Promise<number>;
  /** Writes `chat.updated` for at most `limit` chats whose unread count moved with what arrived; returns how many. */
  tellChats(limit: number, now: Date): Promise<number>;
  /** Incoming messages of a chat that are not read yet, newest first, at most `limit`. */
  unreadOf(sessionId: string, chatId: Jid, limit: number): Promise<MessageRef[]>;
  /** When messages of others were written (Unix seconds), newest first, none before `since`, at most `limit`. */
  arrivals(sessionId: string, since: number, limit: number): Promise<number[]>;
  /** What there is of a session; costs nothing, unlike all of `stats`. */
  totals(sessionId: string): Promise<InboxTotals>;
  stats(
    sessionId: string,
    range: { since?: number; until?: number; dayStart: number },
  ): Promise<MessageStats>;
  /** Both addresses of a person, as far as known. */
  addresses(sessionId: string, jid: Jid): Promise<{ phone: Jid | null; lid: Jid | null }>;
  /** Which of the ambiguous readings of `resolveJid` this session knows. */
  knows(sessionId: string, jid: Jid): Promise<boolean>;
}

export interface InboxTotals {
  contacts: number;
  chats: number;
  messages: number;
  /** Unread messages of all chats. */
  unread: number;
}

export interface HistoryCoverage {
  /** Unix seconds of the oldest and the newest message; null without any. */
  oldest: number | null;
  newest: number | null;
  chats: number;
  messages: number;
  /** The import that began when the account was linked has come to its end. */
  complete: boolean;
  /** Chats of which the phone said that it has older messages. */
  chatsWithOlder: number;
}

/** Where a message stands in the order of time: Unix seconds, and its number in the store. */
export interface MessageAge {
  ts: number;
  n: number;
}

/** A stored message as WhatsApp names it, and when it was written. */
export interface MessagePlace {
  chatId: Jid;
  id: string;
  fromMe: boolean;
  participant: Jid | null;
  timestamp: number;
}

export interface Recorded {
  messages: Message[];
  /** Highest `seq` given, or null when no event was made. */
  lastSeq: number | null;
}

export interface ContactQuery extends PageRequest {
  /** That one contact. */
  contactId?: string | undefined;
  sessionId: string;
  search?: string | undefined;
  /** Unix milliseconds. */
  updatedAfter?: number | undefined;
  isGroup?: boolean | undefined;
}

export interface ChatQuery extends PageRequest {
  /** That one chat. */
  chatId?: string | undefined;
  sessionId: string;
  search?: string | undefined;
  archived?: boolean | undefined;
  unread?: boolean | undefined;
  updatedAfter?: number | undefined;
}

export interface MessageQuery extends PageRequest {
  sessionId: string;
  chatId?: Jid | undefined;
  /** WhatsApp's id: the messages of this id, almost always one. */
  id?: string | undefined;
  order: "asc" | "desc";
  /** Unix seconds. */
  since?: number | undefined;
  until?: number | undefined;
  type?: string | undefined;
  fromMe?: boolean | undefined;
  /** Words that all occur, whatever their case and accents, the last one also as a beginning. Totals end at 10,000. */
  search?: string | undefined;
  updatedAfter?: number | undefined;
  /** By when they last changed, instead of when they were sent; their total ends at 10,000. A search has its own order. */
  orderBy?: "updated" | undefined;
}

export interface ContactStats {
  total: number;
  users: number;
  groups: number;
  business: number;
  withName: number;
  withPicture: number;
}

export interface MessageStats {
  total: number;
  sent: number;
  received: number;
  delivered: number;
  read: number;
  failed: number;
  pending: number;
  unread: number;
  chats: number;
  contacts: number;
  today: { sent: number; received: number };
}
