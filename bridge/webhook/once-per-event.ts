/** One apply per event: copies that arrive while it runs wait for it, copies that arrive later are known. */

export interface OncePerEvent<T> {
  /**
   * Runs `work` unless this id is being worked on or was done not long ago: then that run's result. Only results for
   * which `isDone` says so are remembered: everything else may be tried again. `again`: also what was done is done anew.
   */
  run(
    id: string,
    work: () => Promise<T>,
    options?: { again: boolean },
  ): { result: Promise<T>; isRepeat: boolean };
  /** Resolves when nothing is being worked on. */
  idle(): Promise<void>;
}

export function createOncePerEvent<T>({
  most,
  isDone,
}: {
  /** How many ids are remembered; the least recently seen is forgotten first. */
  most: number;
  isDone: (result: T) => boolean;
}): OncePerEvent<T> {
  const running = new Map<string, Promise<T>>();
  const done = new Map<string, T>();

  const remember = (id: string, result: T): void => {
    done.delete(id);
    done.set(id, result);
    if (done.size <= most) return;
    for (const [oldest] of done) {
      done.delete(oldest);
      return;
    }
  };

  const start = async (id: string, work: () => Promise<T>): Promise<T> => {
    try {
      const result = await work();
      if (isDone(result)) remember(id, result);
      return result;
    } finally {
      running.delete(id);
    }
  };

  return {
    run: (id, work, { again } = { again: false }) => {
      const known = again ? undefined : done.get(id);
      if (known !== undefined) {
        remember(id, known);
        return { result: Promise.resolve(known), isRepeat: true };
      }
      const already = running.get(id);
      if (already !== undefined) return { result: already, isRepeat: true };
      const result = start(id, work);
      running.set(id, result);
      return { result, isRepeat: false };
    },
    idle: async () => {
      while (running.size > 0) await Promise.allSettled(running.values());
    },
  };
}
