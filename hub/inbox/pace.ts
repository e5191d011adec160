/** When the next message of an account may leave: so many a minute, a few at once, a breath between two to one chat. Pure. */
import type { Jid } from "../core/jid.ts";

export interface PaceLimits {
  /** 0: as many as come. */
  perMinute: number;
  /** How many may leave at once after a rest. */
  burst: number;
  /** Between two to the same chat, and up to half as much again: machines are regular, people are not. 0: none. */
  chatGapMs: number;
}

export interface Pace {
  /** Takes the next place and says when it is; places are given in the order in which they are asked for. */
  reserve(chatId: Jid, now: number): number;
  /** When a place would be, for a chat that was not written to lately. */
  next(now: number): number;
}

const JITTER = 0.5;
const MINUTE_MS = 60_000;
/** Beyond this the chats whose breath is over are forgotten. */
const MANY_CHATS = 500;

export function createPace({ perMinute, burst, chatGapMs }: PaceLimits, random: () => number): Pace {
  const everyMs = perMinute === 0 ? 0 : MINUTE_MS / perMinute;
  const slackMs = everyMs * (Math.max(1, burst) - 1);
  /** When the account would be at its even pace again. */
  let evenAt = 0;
  const freeAt = new Map<Jid, number>();

  const next = (now: number): number => Math.max(now, evenAt - slackMs);
  const forgetOld = (now: number): void => {
    if (freeAt.size < MANY_CHATS) return;
    for (const [chatId, at] of freeAt) if (at <= now) freeAt.delete(chatId);
  };

  return {
    next,
    reserve: (chatId, now) => {
      const at = Math.max(next(now), freeAt.get(chatId) ?? 0);
      evenAt = Math.max(evenAt, now) + everyMs;
      if (chatGapMs > 0) {
        forgetOld(now);
        freeAt.set(chatId, at + chatGapMs * (1 + JITTER * random()));
      }
      return at;
    },
  };
}
