/** How many chats an account may open: WhatsApp's own number where it gives one, else ours. */
import type { Jid } from "../core/jid.ts";
import type { NewChatAllowance } from "../core/whatsapp.ts";

const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;
/** The rest of WhatsApp's number is for the people at the phone. */
const OUR_SHARE = 0.9;

/** As WhatsApp said it at `at` (Unix milliseconds). */
export interface KnownAllowance extends NewChatAllowance {
  at: number;
}

export interface Opened {
  chatId: Jid;
  at: number;
}

/** What is still true of it: a cycle that is over says nothing about the next. */
export const stillTrue = (allowance: KnownAllowance | null, now: number): KnownAllowance | null =>
  allowance === null || (allowance.until !== null && allowance.until.getTime() <= now) ? null : allowance;

/** WhatsApp takes no message to anybody who never answered: until when (Unix milliseconds), or null. */
export const closedUntil = (allowance: KnownAllowance | null): number | null =>
  allowance?.isReached === true ? (allowance.until?.getTime() ?? allowance.at + HOUR_MS) : null;

/**
 * When the next chat may be opened, or null when it may be now. `opened`: of the last 24 hours, oldest first; `openedSince`:
 * how many of them WhatsApp cannot have counted yet when it gave its number.
 */
export function freeAt(
  opened: Opened[],
  {
    allowance,
    perDay,
    openedSince,
  }: { allowance: KnownAllowance | null; perDay: number; openedSince: number },
): number | null {
  if (allowance !== null && allowance.total !== null) {
    if (allowance.used + openedSince < Math.floor(allowance.total * OUR_SHARE)) return null;
    return allowance.until?.getTime() ?? allowance.at + DAY_MS;
  }
  if (perDay === 0 || opened.length < perDay) return null;
  const leaves = opened[opened.length - perDay];
  return leaves === undefined ? null : leaves.at + DAY_MS;
}

/** The same chat counts once, when it was opened first. */
export function openedLately(all: Opened[], now: number): Opened[] {
  const first = new Map<Jid, number>();
  for (const { chatId, at } of all)
    if (at > now - DAY_MS) first.set(chatId, Math.min(at, first.get(chatId) ?? at));
  return [...first].map(([chatId, at]) => ({ chatId, at })).sort((one, other) => one.at - other.at);
}

export const lastDay = (now: number): Date => new Date(now - DAY_MS);
