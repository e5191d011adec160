/** What was accepted and did not leave, sent at the next connection: oldest first, under the ids it was accepted with. */
import type { Log } from "../core/log.ts";
import type { SendStore } from "../core/store.ts";
import type { Relay } from "./relay.ts";
import { readOrder, type KeptOrder } from "./send-order.ts";

export interface Resume {
  /** Resolves when each of them left, failed, or has to wait again. */
  resume(sessionId: string): Promise<void>;
  /** Resolves when a resumption that has begun put everything into its lane: what comes later goes behind it. */
  listed(sessionId: string): Promise<void>;
}

export interface ResumeParts {
  sends: Pick<SendStore, "waiting">;
  relay: Relay;
  log: Log;
}

export function createResume({ sends, relay, log }: ResumeParts): Resume {
  const listing = new Map<string, Promise<Promise<void>[]>>();

  const list = async (sessionId: string): Promise<Promise<void>[]> => {
    const rows = (await sends.waiting(sessionId)).filter(
      ({ messageId }) => !relay.isHeld(sessionId, messageId),
    );
    if (rows.length > 0) log.info({ sessionId, count: rows.length }, "sends.resumed");
    return rows.flatMap(({ messageId, chatId, order: text, expiresAt }) => {
      const order = readable(text, { sessionId, messageId });
      return order === null ? [] : [relay.run({ sessionId, chatId, messageId, order, expiresAt })];
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

  return {
    resume: async (sessionId) => {
      const listed = list(sessionId);
      listing.set(sessionId, listed);
      try {
        await Promise.all(await listed);
      } finally {
        if (listing.get(sessionId) === listed) listing.delete(sessionId);
      }
    },
    listed: async (sessionId) => {
      await Promise.allSettled([listing.get(sessionId)]); // a failure is told to whoever resumed
    },
  };
}
