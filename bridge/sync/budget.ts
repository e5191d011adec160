/** What a sync may still fetch: counts per kind of record, and time. Pure. */

export interface SyncLimits {
  contacts: number;
  chats: number;
  messagesPerChat: number;
  /** Messages are brought for so many chats, the ones with the newest message. */
  messageChats: number;
  timeoutMs: number;
}

export const DEFAULT_LIMITS: SyncLimits = {
  contacts: 1000,
  chats: 100,
  messagesPerChat: 50,
  messageChats: 20,
  timeoutMs: 600_000,
};

/**
 * A page of this size is one short answer of the hub and one short transaction of a CRM. Records of larger pages live so long that
 * the collector takes them for lasting ones, and the process grows.
 */
const LARGEST_PAGE = 100;

/** How many records the next page may have; 0: the limit is reached. */
export const pageSize = (limit: number, read: number): number =>
  Math.max(0, Math.min(LARGEST_PAGE, limit - read));

export const isTimeUp = (passedMs: number, { timeoutMs }: Pick<SyncLimits, "timeoutMs">): boolean =>
  passedMs >= timeoutMs;

/** Records a whole pass would bring, for the time it will take. */
export interface SyncPlan {
  contacts: number;
  chats: number;
  messages: number;
}

/** Until the chats are known nobody knows how many messages they have: the limit is the best guess. */
export function planOf(hub: { contacts: number; chats: number }, limits: SyncLimits): SyncPlan {
  const messageChats = Math.min(hub.chats, limits.messageChats);
  return {
    contacts: Math.min(hub.contacts, limits.contacts),
    chats: Math.min(hub.chats, limits.chats),
    messages: messageChats * limits.messagesPerChat,
  };
}
