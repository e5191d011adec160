/** How long a caller waits for WhatsApp's word: a fixed time, cut short so that the whole call stays in its budget. */
import type { AckOutcome, AckWaiter } from "./ack-waiters.ts";

const ACK_WAIT_MS = 20_000;
/** A send answers within 25 s, a slow source of its file included; clients give up at 30 s. */
const CALL_BUDGET_MS = 24_000;
const SHORTEST_WAIT_MS = 1_000;

export interface AnswerWait {
  /** The outcome, or null when it did not come in time; `budgetMs` is for the whole call. */
  of(waiter: AckWaiter, startedAt: number, budgetMs?: number): Promise<AckOutcome | null>;
  /** Everybody who waits gets null now, and so does everybody from now on. */
  stop(): void;
}

export function createAnswerWait({ ackWaitMs = ACK_WAIT_MS } = {}): AnswerWait {
  const leave = new Set<() => void>();
  let stopped = false;

  return {
    of: async (waiter, startedAt, budgetMs = CALL_BUDGET_MS) => {
      if (stopped) return null;
      const left = budgetMs - (performance.now() - startedAt);
      const waitMs = Math.min(ackWaitMs, Math.max(SHORTEST_WAIT_MS, left));
      let timer: NodeJS.Timeout | undefined;
      let giveUp: () => void = () => undefined;
      const late = new Promise<null>((resolve) => {
        giveUp = () => resolve(null);
        timer = setTimeout(giveUp, waitMs);
      });
      leave.add(giveUp);
      try {
        return await Promise.race([waiter.outcome, late]);
      } finally {
        clearTimeout(timer);
        leave.delete(giveUp);
      }
    },
    stop: () => {
      stopped = true;
      for (const giveUp of leave) giveUp();
    },
  };
}
