/**
 * Lanes whose head is on its way. Only remembered: one process sends, and a crash frees them all, so that what was on
 * its way is sent again.
 */
export interface Leases {
  has(laneId: number): boolean;
  /** `delivery` is the head that leaves. */
  take(laneId: number, delivery: number): void;
  end(laneId: number): void;
  /** `into` stays taken until what is on its way of both is back: the two became one queue meanwhile. */
  merge(from: number, into: number): void;
  count(): number;
  /** Numbers of the deliveries that are on their way. */
  sending(): ReadonlySet<number>;
}

export function createLeases(): Leases {
  const held = new Map<number, number>();
  /** For a lane that others were joined to: those with a head on its way. */
  const joined = new Map<number, Set<number>>();
  return {
    has: (laneId) => held.has(laneId) || joined.has(laneId),
    take: (laneId, delivery) => void held.set(laneId, delivery),
    end: (laneId) => {
      held.delete(laneId);
      for (const [into, lanes] of joined) if (lanes.delete(laneId) && lanes.size === 0) joined.delete(into);
    },
    merge: (from, into) => {
      const out = [...(held.has(from) ? [from] : []), ...(joined.get(from) ?? [])];
      if (out.length > 0) joined.set(into, new Set([...(joined.get(into) ?? []), ...out]));
    },
    count: () => held.size,
    sending: () => new Set(held.values()),
  };
}
