/** Queues of the sessions: how many accounts may connect at once over the whole hub, and work that keeps its order. */
import PQueue from "p-queue";

/** Who goes first when more accounts want to connect than may: a person waiting, then a pairing, then the rest. */
export const URGENCY = { background: 0, ordered: 1, finishing: 2 } as const;
export type Urgency = (typeof URGENCY)[keyof typeof URGENCY];

const CONNECTING_AT_ONCE = 5;

/** Places for accounts that are connecting; a place is taken for as long as `work` lasts. */
export interface Slots {
  take(work: () => Promise<void>, urgency: Urgency): Promise<void>;
  /** No place is given while `work` lasts; who asks meanwhile gets one afterwards, the most urgent first. */
  closedDuring(work: () => Promise<void>): Promise<void>;
}

export function createSlots(atOnce = CONNECTING_AT_ONCE): Slots {
  const queue = new PQueue({ concurrency: atOnce });
  return {
    take: (work, urgency) => queue.add(work, { priority: urgency }),
    closedDuring: async (work) => {
      queue.pause();
      try {
        await work();
      } finally {
        queue.start();
      }
    },
  };
}

/** One piece of work at a time, first come first served; a failed one does not stop the next. */
export interface InOrder {
  add<T>(work: () => Promise<T>): Promise<T>;
  idle(): Promise<void>;
  isIdle(): boolean;
}

export function createInOrder(): InOrder {
  const queue = new PQueue({ concurrency: 1 });
  return {
    add: (work) => queue.add(work),
    idle: () => queue.onIdle(),
    isIdle: () => queue.size === 0 && queue.pending === 0,
  };
}
