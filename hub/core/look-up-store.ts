/** Who of a session's contacts is still to be looked up at WhatsApp, and how much it was asked. */
import type { Jid } from "./jid.ts";

export interface LookUpStore {
  /**
   * Everybody of this session, or the `most` most recently active, shall be looked up: kept until `done`. The widest word
   * counts: who ordered fewer takes nothing from others. Answers what is wanted now.
   */
  want(sessionId: string, most: number | null): Promise<number | null>;
  done(sessionId: string): Promise<void>;
  /** All that was wanted and is not done. */
  wanted(): Promise<{ sessionId: string; most: number | null }[]>;
  /**
   * Those of the next contacts that were never looked up: who has the chat with the newest message comes first, who has none
   * by name at the end. Looks at no more than `limit` contacts after `place` (null: from the start), tells how many of them it
   * saw for the first time and where to go on; null at the end.
   */
  page(query: { sessionId: string; place: LookUpPlace | null; limit: number }): Promise<LookUpPage>;
  /** WhatsApp was asked about somebody and gave no answer. */
  failed(sessionId: string, jid: Jid, at: Date): Promise<void>;
  /** A question leaves for WhatsApp. */
  asking(sessionId: string, at: Date): Promise<void>;
  /** How many left on that day (UTC). */
  asked(sessionId: string, day: Date): Promise<number>;
}

/** Where a walk through the contacts stands: at a chat (Unix seconds and number), or behind all of them at a name. */
export type LookUpPlace = { lastAt: number; chat: number } | { name: string; contact: number };

export interface LookUpPage {
  contacts: { jid: Jid; askedAt: number | null }[];
  seen: number;
  place: LookUpPlace | null;
}
