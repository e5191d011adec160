/**
 * Sends on their way to the hub for callers that wait, by lane, numbered as they came. One that will be kept after all must not
 * be overtaken by a later one that was kept sooner.
 */
export interface Flights {
  begin(lane: string): { n: number; end(): void };
  /** Whether one that came before `n` is still on its way. */
  isBefore(lane: string, n: number): boolean;
}

/** `last`: the highest number given in earlier lives. */
export function createFlights(last: number): Flights {
  let count = last;
  const byLane = new Map<string, Set<number>>();
  return {
    begin: (lane) => {
      const n = ++count;
      const flying = byLane.get(lane) ?? new Set();
      byLane.set(lane, flying.add(n));
      return {
        n,
        end: () => {
          flying.delete(n);
          if (flying.size === 0 && byLane.get(lane) === flying) byLane.delete(lane);
        },
      };
    },
    isBefore: (lane, n) => [...(byLane.get(lane) ?? [])].some((other) => other < n),
  };
}
