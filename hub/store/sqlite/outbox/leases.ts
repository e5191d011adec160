/**
 * Lanes whose head is on its way. Only remembered: one process sends, and a crash frees them all, so that what was on
 * its way is sent again.
 */
export interface Leases {
  has(laneId: number): boolean;
  /** `delivery` is the head that leaves. */
  take(laneId: number, delivery: number): void;
  end(laneId: number): void;
  /** `into` stays taken as long as `from` is: the two became one queue while a head was on its way. */
  merge(from: number, into: number): void;
  count(): number;
  /** Numbers of the deliveries that are on their way. */
  sending(): ReadonlySet<number>;
}

export function createLeases(): Leases {
  const held = new Map<number, number>();
  const followers = new Map<number, number[]>();
  return {
    has: (laneId) => held.has(laneId),
    take: (laneId, delivery) => void held.set(laneId, delivery),
    end: (laneId) => {
      held.delete(laneId);
      for (const follower of followers.get(laneId) ?? []) held.delete(follower);
      followers.delete(laneId);
    },
    merge: (from, into) => {
      const delivery = held.get(from);
      if (delivery === undefined || held.has(into)) return;
      held.set(into, delivery);
      followers.set(from, [...(followers.get(from) ?? []), into]);
    },
    count: () => held.size,
    sending: () => new Set(held.values()),
  };
}
