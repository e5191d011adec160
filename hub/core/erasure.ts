/**
 * Forgetting for good what was said in a chat, or all of a session: it leaves the database and its log, byte by byte, and the
 * disk. Chats that are erased stay, without a word, and tell how many of their messages went.
 */
import type { Jid } from "./jid.ts";

/** What is to be forgotten: a chat, or (null) all of a session with the people in it. */
export interface ErasureScope {
  sessionId: string;
  chatId: Jid | null;
}

/** So much went. */
export interface Erased {
  messages: number;
  files: number;
  events: number;
  stanzas: number;
}

export interface Erasure {
  /**
   * Looks whether it can be done; it is done when the answer is called.
   * @throws HubError STATE_CONFLICT while a message is on its way to WhatsApp, or a webhook has still to be told of one
   */
  prepare(scope: ErasureScope): Promise<() => Promise<Erased>>;
}

/**
 * The store's part, in steps of at most `limit` rows: each looks from the place `after` on (0: from the start) and answers
 * where to go on; null at the end.
 */
export interface ErasureStore {
  /** What stands in the way: messages on their way to WhatsApp. */
  countOnTheirWay(scope: ErasureScope): Promise<number>;
  /** What stands in the way: deliveries that are owed or parked. */
  countOwed(step: ErasureStep): Promise<{ count: number; place: number | null }>;
  /** Messages, with their words and files (see `MediaStore.left`); answers how many, 0 when none is left. */
  eraseMessages(scope: ErasureScope, limit: number): Promise<{ messages: number; files: number }>;
  /** Events with their deliveries and attempts; those that are owed or parked stay. */
  eraseEvents(step: ErasureStep): Promise<{ removed: number; place: number | null }>;
  /** Stanzas as WhatsApp sent them, and what was read in them. That they came is remembered. */
  eraseStanzas(step: ErasureStep): Promise<{ removed: number; place: number | null }>;
  /** Changes that wait for their message; of a session also its chats and people. True: there may be more. */
  eraseRest(scope: ErasureScope, limit: number): Promise<boolean>;
  /** Words of messages that went leave the index of search, a part of it at a time. True: there is more. */
  eraseWords(isFirst: boolean): Promise<boolean>;
  /** Whether words of messages that went still stand in the index of search: no more once `eraseWords` has come to its end. */
  areWordsLeft(): Promise<boolean>;
  /** Empties the log of the database, in which pages stand as they were; false while somebody reads it. */
  emptyLog(): Promise<boolean>;
}

export interface ErasureStep {
  scope: ErasureScope;
  after: number;
  limit: number;
}
