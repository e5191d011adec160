/** How many messages of an account may wait to leave. Whoever sends more is told to come again: nothing piles up unseen. */
import { HubError } from "../core/errors.ts";
import type { SendStore } from "../core/store.ts";
import type { SendLimits } from "./send-limits.ts";

/** Without a pace nothing is known about when there is room again. */
const USUAL_RETRY_SECONDS = 30;

export interface SendQueue {
  /** @throws HubError MESSAGE_RATE_LIMIT_EXCEEDED */
  refuseWhenFull(sessionId: string): Promise<void>;
  /** Runs `write`, which puts one more message into the queue, if it has room. @throws HubError as `refuseWhenFull` */
  enter<T>(sessionId: string, write: () => Promise<T>): Promise<T>;
}

export function createSendQueue({
  sends,
  limits: { queue, perMinute },
}: {
  sends: Pick<SendStore, "countWaiting">;
  limits: SendLimits;
}): SendQueue {
  /** Being written: not counted by the store yet. */
  const arriving = new Map<string, number>();
  const arrivingIn = (sessionId: string): number => arriving.get(sessionId) ?? 0;
  const retryAfterSeconds = perMinute === 0 ? USUAL_RETRY_SECONDS : Math.ceil(60 / perMinute);

  /** To be called in the turn in which the store counted. */
  const refuse = (sessionId: string, waiting: number): void => {
    if (queue === 0 || waiting + arrivingIn(sessionId) < queue) return;
    throw new HubError(
      "MESSAGE_RATE_LIMIT_EXCEEDED",
      "As many messages of this session wait to be sent as may; wait and repeat.",
      { retryAfterSeconds },
    );
  };
  const waitingIn = async (sessionId: string): Promise<number> =>
    queue === 0 ? 0 : sends.countWaiting(sessionId);

  return {
    refuseWhenFull: async (sessionId) => refuse(sessionId, await waitingIn(sessionId)),
    enter: async (sessionId, write) => {
      refuse(sessionId, await waitingIn(sessionId));
      arriving.set(sessionId, arrivingIn(sessionId) + 1);
      try {
        return await write();
      } finally {
        arriving.set(sessionId, arrivingIn(sessionId) - 1);
      }
    },
  };
}
