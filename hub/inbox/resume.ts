/**
 * What was accepted and did not leave, or left into a line that was dead already, sent at the next connection: oldest first, under
 * the ids it was accepted with. WhatsApp and who receives it take one id for one message, however often it comes.
 */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { SendStore } from "../core/store.ts";
import type { Relay } from "./relay.ts";
import { readOrder, type KeptOrder } from "./send-order.ts";

export interface Resume {
  /** Resolves when each of them left, failed, or has to wait again. */
  resume(sessionId: string): Promise<void>;
  /** The same over a new connection, with what the ones before it may not have carried. */
  resumeAnew(sessionId: string): Promise<void>;
  /** Resolves when a resumption that has begun put everything into its lane: what comes later goes behind it. */
  listed(sessionId: string): Promise<void>;
}

export interface ResumeParts {
  sends: Pick<SendStore, "waiting" | "waitsAgain">;
  relay: Relay;
  clock: Clock;
  log: Log;
}

export function createResume({ sends, relay, clock, log }: ResumeParts): Resume {
  const listing = new Map<string, Promise<Promise<void>[]>>();

  const list = async (sessionId: string): Promise<Promise<void>[]> => {
    const rows = (await sends.waiting(sessionId)).filter(
      ({ messageId }) => !relay.isHeld(sessionId, messageId),
    );
    if (rows.length > 0) log.info({ sessionId, count: rows.length }, "sends.resumed");
    return rows.flatMap(({ messageId, chatId, order: text, expiresAt, hasLeft }) => {
      const order = readable(text, { sessionId, messageId });
      return order === null ? [] : [relay.run({ sessionId, chatId, messageId, order, expiresAt, hasLeft })];
    });
  };

  /** An order that cannot be read, of another version perhaps, must not hold back the others; its time runs out. */
  const readable = (text: string, ids: { sessionId: string; messageId: string }): KeptOrder | null => {
    try {
      return readOrder(text);
    } catch (error) {
      log.error({ ...ids, err: error }, "send.order_unreadable");
      return null;
    }
  };

  const sendThose = async (sessionId: string, listed: Promise<Promise<void>[]>): Promise<void> => {
    listing.set(sessionId, listed);
    try {
      await Promise.all(await listed);
    } finally {
      if (listing.get(sessionId) === listed) listing.delete(sessionId);
    }
  };

  const listAnew = async (sessionId: string): Promise<Promise<void>[]> => {
    const count = await sends.waitsAgain(sessionId, clock.now());
    if (count > 0) log.info({ sessionId, count }, "sends.unconfirmed_again");
    return list(sessionId);
  };

  return {
    resume: (sessionId) => sendThose(sessionId, list(sessionId)),
    resumeAnew: (sessionId) => sendThose(sessionId, listAnew(sessionId)),
    listed: async (sessionId) => {
      await Promise.allSettled([listing.get(sessionId)]); // a failure is told to whoever resumed
    },
  };
}
