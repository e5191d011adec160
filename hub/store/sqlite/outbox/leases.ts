/**
 * Lanes whose head is on its way. Only remembered: one process sends, and a crash frees them all, so that what was on
 * its way is sent again.
 */
export interface Leases {
  has(laneId: number): boolean;
  take(laneId: number): void;
  end(laneId: number): void;
  /** `into` stays taken as long as `from` is: the two became one queue while a head was on its way. */
  merge(from: number, into: number): void;
  count(): number;
}

export function createLeases(): Leases {
  const held = new Set<number>();
  const followers = new Map<number, number[]>();
  return {
    has: (laneId) => held.has(laneId),
    take: (laneId) => void held.add(laneId),
    end: (laneId) => {
      held.delete(laneId);
      for (const follower of followers.get(laneId) ?? []) held.delete(follower);
      followers.delete(laneId);
    },
    merge: (from, into) => {
      if (!held.has(from) || held.has(into)) return;
      held.add(into);
      followers.set(from, [...(followers.get(from) ?? []), into]);
    },
    count: () => held.size,
  };
}
