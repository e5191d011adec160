/**
 * Lanes whose head is on its way, or answered and not yet written down. Only remembered: one process sends, and a crash
 * forgets them all, so that what was on its way is sent again, in order.
 */
export interface Leases {
  /** Nothing of the lane may leave now. */
  isHeld(laneId: number): boolean;
  take(laneId: number): void;
  /** The head (`n`, event `seq`) has its final answer: the next may leave before that is on disk. */
  answered(laneId: number, n: number, seq: number): void;
  /** The result of `n` is on disk, or it was given back untried. */
  end(laneId: number, n?: number): void;
  /** Later than this must the next of the lane be, and so many before it wait for the disk. */
  answers(laneId: number): { after: number; count: number };
  /** `into` stays held as long as anything of `from` is open: the two became one queue while a head was on its way. */
  merge(from: number, into: number): void;
  count(): number;
}

interface Lease {
  isOnItsWay: boolean;
  answered: Set<number>;
  after: number;
  /** Open lanes that were merged into this one; and itself, when its own answers are older than what moved in. */
  heldBy: Set<number>;
  followers: number[];
}

const NO_ANSWERS = { after: 0, count: 0 };

export function createLeases(): Leases {
  const leases = new Map<number, Lease>();

  const leaseOf = (laneId: number): Lease => {
    const known = leases.get(laneId);
    if (known !== undefined) return known;
    const made: Lease = {
      isOnItsWay: false,
      answered: new Set(),
      after: 0,
      heldBy: new Set(),
      followers: [],
    };
    leases.set(laneId, made);
    return made;
  };

  const forgetIfOver = (laneId: number): void => {
    const lease = leases.get(laneId);
    if (lease === undefined || lease.isOnItsWay || lease.answered.size > 0) return;
    lease.heldBy.delete(laneId);
    const followers = lease.followers.splice(0);
    if (lease.heldBy.size === 0) leases.delete(laneId);
    for (const follower of followers) {
      leases.get(follower)?.heldBy.delete(laneId);
      forgetIfOver(follower);
    }
  };

  return {
    isHeld: (laneId) => {
      const lease = leases.get(laneId);
      return lease !== undefined && (lease.isOnItsWay || lease.heldBy.size > 0);
    },
    take: (laneId) => {
      leaseOf(laneId).isOnItsWay = true;
    },
    answered: (laneId, n, seq) => {
      const lease = leaseOf(laneId);
      lease.isOnItsWay = false;
      lease.answered.add(n);
      lease.after = seq;
    },
    end: (laneId, n) => {
      const lease = leases.get(laneId);
      if (lease === undefined) return;
      if (n === undefined || !lease.answered.delete(n)) lease.isOnItsWay = false;
      forgetIfOver(laneId);
    },
    answers: (laneId) => {
      const lease = leases.get(laneId);
      return lease === undefined ? NO_ANSWERS : { after: lease.after, count: lease.answered.size };
    },
    merge: (from, into) => {
      const source = leases.get(from);
      const target = leases.get(into);
      if (target !== undefined && target.answered.size > 0) target.heldBy.add(into);
      if (source === undefined) return;
      leaseOf(into).heldBy.add(from);
      source.followers.push(into);
    },
    count: () => leases.size,
  };
}
