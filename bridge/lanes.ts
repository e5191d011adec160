/**
 * Work of one name runs one after the other. A webhook, the feed and a sync may carry the same chat at once: two first
 * messages written side by side would make two conversations in a CRM that cannot forbid it.
 */
export interface Lanes {
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createLanes(): Lanes {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run: (name, work) => {
      const before = tails.get(name) ?? Promise.resolve();
      const result = before.then(work, work);
      const tail = result
        .catch(() => undefined)
        .finally(() => {
          if (tails.get(name) === tail) tails.delete(name);
        });
      tails.set(name, tail);
      return result;
    },
  };
}

/** Holds all of these names at once. Whoever holds several asks in the order of the names, or two could wait for each other. */
export function runInAll<T>(lanes: Lanes, names: string[], work: () => Promise<T>): Promise<T> {
  const [first, ...rest] = [...new Set(names)].sort();
  return first === undefined ? work() : lanes.run(first, () => runInAll(lanes, rest, work));
}

export const chatLane = (sessionId: string, chatId: string): string => `${sessionId}|${chatId}`;
export const sessionLane = (sessionId: string): string => `${sessionId}|*`;
