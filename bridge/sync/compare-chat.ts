/** Decides what to ask about one chat so that hub and CRM agree on its messages, within what a sync may bring. Pure. */
import type { ChatDigest } from "../adapter.ts";
import type { Chat } from "../records.ts";
import type { SyncLimits } from "./budget.ts";

/**
 * same    nothing to ask
 * newest  the CRM has fewer messages than a sync brings, or others than the hub: the newest ones are read
 * range   what the CRM has from `since` on is counted against the hub, and read where it is less
 */
export type ChatQuestion = { ask: "same" } | { ask: "newest" } | { ask: "range"; since: number };

export interface ChatSides {
  chat: Pick<Chat, "totalMessages" | "removedMessages" | "lastMessage" | "lastMessageAt">;
  /** 0: the chat with the newest message. */
  rank: number;
  held: ChatDigest | undefined;
  /** Oldest message the CRM ever had here, as far as is remembered: shows that the oldest rows were deleted. */
  oldestBefore: number | undefined;
}

type Limits = Pick<SyncLimits, "messageChats" | "messagesPerChat">;

export function questionOf({ chat, rank, held, oldestBefore }: ChatSides, limits: Limits): ChatQuestion {
  const messages = held?.messages ?? 0;
  // As many, and the same one is the last: they are the same ones. More, and it is: what the hub has is there, too.
  const isSame = messages >= chat.totalMessages && (messages === 0 || isSameEnd(chat, held));
  if (isSame && !isHidden({ chat, held })) return { ask: "same" };
  if (messages >= chat.totalMessages) return { ask: "newest" };
  const least = rank < limits.messageChats ? Math.min(chat.totalMessages, limits.messagesPerChat) : 0;
  return messages < least ? { ask: "newest" } : rangeOf(held, oldestBefore);
}

const isSameEnd = (
  { lastMessage, lastMessageAt }: Pick<Chat, "lastMessage" | "lastMessageAt">,
  held: ChatDigest | undefined,
): boolean => (lastMessage?.timestamp ?? lastMessageAt) === (held?.newest ?? null);

/** As many as the hub ever had: what it let go for its age is still the CRM's. */
export const everStored = ({ totalMessages, removedMessages = 0 }: ChatSides["chat"]): number =>
  totalMessages + removedMessages;

/** The CRM has some of those that the hub let go: they may make up for others that it lacks. */
const isHidden = ({ chat, held }: Pick<ChatSides, "chat" | "held">): boolean =>
  chat.totalMessages > 0 && (held?.messages ?? 0) < everStored(chat) && chat.totalMessages < everStored(chat);

/**
 * How both stand where the CRM has as many or more: read once, it tells nothing new before one of them moves. A number says
 * how many the CRM lacks of all that the hub ever had, which neither new messages change nor those that go for their age.
 */
export type Standing = string | number;

/** Null where the CRM has fewer. */
export function standingOf({ chat, held }: Pick<ChatSides, "chat" | "held">): Standing | null {
  if (held === undefined || held.messages < chat.totalMessages) return null;
  return isHidden({ chat, held }) && isSameEnd(chat, held)
    ? everStored(chat) - held.messages
    : [held.messages, held.newest, chat.totalMessages, chat.lastMessageAt].join();
}

/** The CRM lacks more than when it was last looked at: some of what the hub still has must be missing there. */
export const lacksMore = (before: Standing | undefined, now: Standing | null): boolean =>
  typeof before === "number" && typeof now === "number" && now > before;

/** Once the CRM got what was brought. */
export const afterBringing = (standing: Standing, created: number): Standing =>
  typeof standing === "number" ? standing - created : standing;

export function rangeOf(held: ChatDigest | undefined, oldestBefore: number | undefined): ChatQuestion {
  const since = earlier(held?.oldest ?? undefined, oldestBefore);
  return since === undefined ? { ask: "same" } : { ask: "range", since };
}

export const earlier = (a: number | undefined, b: number | undefined): number | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
};
