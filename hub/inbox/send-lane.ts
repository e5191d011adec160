/** One ordered lane per chat: what a person is sent leaves in the order it was accepted, however slow one send is. */

export interface SendLanes {
  /** Runs `work` after everything given for this lane before; a failure of one does not stop the next. */
  run<T>(lane: string, work: () => Promise<T>): Promise<T>;
  /** Resolves when no lane has anything left to do. */
  idle(): Promise<void>;
}

export function createSendLanes(): SendLanes {
  const tails = new Map<string, Promise<unknown>>();

  return {
    run: (lane, work) => {
      const before = tails.get(lane) ?? Promise.resolve();
      const result = before.then(work);
      const tail = result.then(
        () => undefined,
        () => undefined, // the caller of `run` gets the failure; the lane only needs to know that it is over
      );
      tails.set(lane, tail);
      void tail.then(() => {
        if (tails.get(lane) === tail) tails.delete(lane);
      });
      return result;
    },
    idle: async () => {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  };
}
