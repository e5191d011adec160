/** "Look now": wakes loops that would otherwise look at their next tick. Losing a ring costs a second, never a message. */
export interface Nudge {
  ring(): void;
  /** Calls `listener` after each ring; returns the function that stops it. */
  onRing(listener: () => void): () => void;
}

export function createNudge(): Nudge {
  const listeners = new Set<() => void>();
  return {
    ring: () => {
      for (const listener of listeners) listener();
    },
    onRing: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
