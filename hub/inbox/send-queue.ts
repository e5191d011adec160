/**
 * How many messages of an account may wait to leave. Whoever sends more is told to come again: nothing piles up unseen.
 * Those to people who never wrote may be held for days, so they have a queue of their own, and fill nobody else's.
 */
import { HubError } from "../core/errors.ts";
import type { Jid } from "../core/jid.ts";
import type { SendStore } from "../core/store.ts";
import type { ColdSends } from "./cold-sends.ts";
import type { SendLimits } from "./send-limits.ts";

/** Without a pace nothing is known about when there is room again. */
const USUAL_RETRY_SECONDS = 30;

export interface SendQueue {
  /** @throws HubError MESSAGE_RATE_LIMIT_EXCEEDED */
  refuseWhenFull(sessionId: string, chatId: Jid): Promise<void>;
  /** Runs `write`, which puts one more message into the queue, if it has room. @throws HubError as `refuseWhenFull` */
  enter<T>(sessionId: string, chatId: Jid, write: () => Promise<T>): Promise<T>;
}

export function createSendQueue({
  sends,
  cold,
  limits: { queue, perMinute },
}: {
  sends: Pick<SendStore, "countWaiting" | "countWaitingBy">;
  cold: Pick<ColdSends, "isStranger">;
  limits: SendLimits;
}): SendQueue {
  /** Being written: not counted by the store yet. */
  const arriving = new Map<string, number>();
  const retryAfterSeconds = perMinute === 0 ? USUAL_RETRY_SECONDS : Math.ceil(60 / perMinute);

  const nameOf = (sessionId: string, isStranger: boolean): string =>
    `${isStranger ? "stranger" : "known"} ${sessionId}`;
  const arrivingIn = (name: string): number => arriving.get(name) ?? 0;

  const refusal = (isStranger: boolean): HubError =>
    new HubError(
      "MESSAGE_RATE_LIMIT_EXCEEDED",
      isStranger
        ? "As many messages of this session to people who never wrote wait as may; wait and repeat."
        : "As many messages of this session wait to be sent as may; wait and repeat.",
      { retryAfterSeconds },
    );

  /** Calls `found` with the name of the queue that has room, in the turn in which the store counted. */
  async function inRoom<T>(
    sessionId: string,
    chatId: Jid,
    found: (name: string) => T | Promise<T>,
  ): Promise<T> {
    const isStranger = await cold.isStranger(sessionId, chatId);
    const name = nameOf(sessionId, isStranger);
    if (queue === 0) return found(name);
    const all = await sends.countWaiting(sessionId);
    // Who waits for what is asked only when it matters.
    if (all + arrivingIn(name) + arrivingIn(nameOf(sessionId, !isStranger)) < queue) return found(name);
    const waiting = await sends.countWaitingBy(sessionId);
    const before = isStranger ? waiting.strangers : waiting.others;
    if (before + arrivingIn(name) >= queue) throw refusal(isStranger);
    return found(name);
  }

  return {
    refuseWhenFull: (sessionId, chatId) => inRoom(sessionId, chatId, () => undefined),
    enter: (sessionId, chatId, write) =>
      inRoom(sessionId, chatId, async (name) => {
        arriving.set(name, arrivingIn(name) + 1);
        try {
          return await write();
        } finally {
          const others = arrivingIn(name) - 1;
          if (others > 0) arriving.set(name, others);
          else arriving.delete(name);
        }
      }),
  };
}
