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
  const isSame = messages >= chat.totalMessages && (messages === 0 || endsOf({ chat, held }) === null);
  if (isSame && !isHidden({ chat, held })) return { ask: "same" };
  if (messages >= chat.totalMessages) return { ask: "newest" };
  const least = rank < limits.messageChats ? Math.min(chat.totalMessages, limits.messagesPerChat) : 0;
  return messages < least ? { ask: "newest" } : rangeOf(held, oldestBefore);
}

/** As many as the hub ever had: what it let go for its age is still the CRM's. */
export const everStored = ({ totalMessages, removedMessages = 0 }: ChatSides["chat"]): number =>
  totalMessages + removedMessages;

/** The CRM has some of those that the hub let go: they may make up for others that it lacks. */
const isHidden = ({ chat, held }: Pick<ChatSides, "chat" | "held">): boolean =>
  chat.totalMessages > 0 && (held?.messages ?? 0) < everStored(chat) && chat.totalMessages < everStored(chat);

/** Null where both have the same last moment, else how they stand: it is another one as soon as either moves. */
function endsOf({ chat, held }: Pick<ChatSides, "chat" | "held">): string | null {
  const last = chat.lastMessage?.timestamp ?? chat.lastMessageAt;
  const newest = held?.newest ?? null;
  if (last === newest) return null;
  return isAhead({ chat, held })
    ? [held?.messages, chat.totalMessages, last, newest].join()
    : `${last},${newest}`;
}

/** The CRM has a later one: of its own, or one that came while the two were asked. */
function isAhead({ chat, held }: Pick<ChatSides, "chat" | "held">): boolean {
  const last = chat.lastMessage?.timestamp ?? chat.lastMessageAt;
  return typeof held?.newest === "number" && held.newest > (last ?? 0);
}

export function rangeOf(held: ChatDigest | undefined, oldestBefore: number | undefined): ChatQuestion {
  const since = earlier(held?.oldest ?? undefined, oldestBefore);
  return since === undefined ? { ask: "same" } : { ask: "range", since };
}

export const earlier = (a: number | undefined, b: number | undefined): number | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
};

/** How a chat stood when it was looked at: what is no worse the next time was looked into already. */
export interface Look {
  question: ChatQuestion;
  /**
   * What the CRM lacks of all that the hub ever had, without what it is known to refuse; below zero where it has more. New
   * messages do not change it, nor those that the hub lets go. Infinity: not known.
   */
  lacks: number;
  refused: number;
  ends: string | null;
}

/**
 * `refused`: messages of the chat that the CRM would not have. `before`: the last look, where there was one. `isSteady`: neither side
 * moved while they were asked.
 */
export function lookAt(
  sides: ChatSides,
  {
    refused,
    before,
    isSteady = false,
    limits,
  }: { refused: number; before: Look | undefined; isSteady?: boolean; limits: Limits },
): Look {
  const { chat, held } = sides;
  const ends = endsOf(sides);
  const lacks = everStored(chat) - (held?.messages ?? 0) - refused;
  // One that came in between would count as one too many now, and be missed the next time.
  const isCertain = isSteady || !isAhead(sides) || before?.ends === ends;
  return {
    question: questionOf(sides, limits),
    lacks: isCertain ? lacks : (before?.lacks ?? Number.POSITIVE_INFINITY),
    refused,
    ends,
  };
}

/** How many more the CRM lacks than before. */
export const grown = (before: Look | undefined, now: Look): number =>
  before === undefined || now.lacks <= before.lacks ? 0 : now.lacks - before.lacks;

/** Nothing is asked, or what is was asked before and nothing got worse since. */
export function isAnswered(before: Look | undefined, now: Look, held: ChatDigest | undefined): boolean {
  if (now.question.ask === "same") return held === undefined || grown(before, now) === 0;
  if (before === undefined || grown(before, now) > 0) return false;
  return (now.ends === null || now.ends === before.ends) && isSameQuestion(before.question, now.question);
}

const isSameQuestion = (a: ChatQuestion, b: ChatQuestion): boolean =>
  a.ask === "range" && b.ask === "range" ? a.since === b.since : a.ask === b.ask;
