/** Requests on their way, counted over all endpoints; whoever found none free is called when one is given back. */
export interface Slots {
  free(): number;
  take(): void;
  give(): void;
  /** Calls `wake` once, when a slot is free again; the longest waiting first. */
  await(wake: () => void): void;
}

export function createSlots(total: number): Slots {
  let taken = 0;
  const waiting = new Set<() => void>();
  return {
    free: () => total - taken,
    take: () => {
      taken += 1;
    },
    give: () => {
      taken -= 1;
      const [first] = waiting;
      if (first === undefined) return;
      waiting.delete(first);
      first();
    },
    await: (wake) => void waiting.add(wake),
  };
}
