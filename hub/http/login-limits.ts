/**
 * How often a login may be tried: five times a minute for one account from one address, and more often, but not much, for one
 * account from anywhere and from one address for anybody. Who goes on is locked out for a minute, then two, then four …
 * Strangers who try an account must not lock its owner out: a place from where it was logged in before is not held to what
 * is tried from anywhere.
 */
import ipaddr from "ipaddr.js";
import { canonicalIp } from "../core/address-ranges.ts";
import { HubError } from "../core/errors.ts";

const WINDOW_MS = 60_000;
const OF_BOTH = 5;
/** Behind a proxy all people come from one address. */
const OF_ONE = 30;
const LONGEST_LOCK_MS = 60 * 60_000;
/** So many are remembered; a stranger must not fill the memory with names. */
const MOST_KEPT = 10_000;

interface Tries {
  since: number;
  count: number;
  /** How often in a row it came to a lock. */
  locks: number;
  lockedUntil: number;
}

export interface Trier {
  address: string;
  account: string;
  /** The account was logged in from there before. */
  isKnown: boolean;
}

export interface LoginLimits {
  /** Counts a try, before anything is done for it. @throws HubError `RATE_LIMIT_EXCEEDED` */
  count(who: Trier, now: Date): void;
  /** It was the right password: what came before were mistakes. */
  succeeded(who: Trier): void;
}

export function createLoginLimits(): LoginLimits {
  const kept = new Map<string, Tries>();

  /** Milliseconds for which it is locked already; a clock that was set back does not make them more. */
  const lockedFor = (name: string, at: number): number => {
    const left = (kept.get(name)?.lockedUntil ?? 0) - at;
    return left <= LONGEST_LOCK_MS ? left : 0;
  };

  /** Counts a try; milliseconds for which it is locked from now on. */
  const lockAfter = (name: string, most: number, at: number): number => {
    const known = kept.get(name);
    const tries = known === undefined || isOver(known, at) ? fresh(at) : known;
    // The newest are at the end: those that go for want of room are the oldest.
    kept.delete(name);
    kept.set(name, tries);
    if (at - tries.since >= WINDOW_MS) Object.assign(tries, { since: at, count: 0 });
    tries.count++;
    // After a lock one more try is enough for the next.
    if (tries.count <= (tries.locks === 0 ? most : 1)) return 0;
    const lockMs = Math.min(LONGEST_LOCK_MS, WINDOW_MS * 2 ** tries.locks);
    Object.assign(tries, { locks: tries.locks + 1, lockedUntil: at + lockMs, since: at + lockMs, count: 0 });
    return lockMs;
  };

  const makeRoom = (): void => {
    for (const name of kept.keys()) {
      if (kept.size <= MOST_KEPT) return;
      kept.delete(name);
    }
  };

  return {
    count: ({ address, account, isKnown }, now) => {
      const at = now.getTime();
      const network = networkOf(address);
      const limits: [name: string, most: number][] = [
        [pairOf(network, account), OF_BOTH],
        [`address ${network}`, OF_ONE],
        ...(isKnown ? [] : [[`account ${account}`, OF_ONE] satisfies [string, number]]),
      ];
      // Whoever is locked out by one limit does not use up the others, which are other people's as well.
      refuseFor(Math.max(...limits.map(([name]) => lockedFor(name, at))));
      const locks = limits.map(([name, most]) => lockAfter(name, most, at));
      makeRoom();
      refuseFor(Math.max(...locks));
    },
    succeeded: ({ address, account, isKnown }) => {
      kept.delete(pairOf(networkOf(address), account));
      // What strangers tried meanwhile was not its owner's mistake.
      if (!isKnown) kept.delete(`account ${account}`);
    },
  };
}

function refuseFor(waitMs: number): void {
  if (waitMs > 0)
    throw new HubError("RATE_LIMIT_EXCEEDED", "Too many tries to log in; wait and repeat.", {
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    });
}

const pairOf = (network: string, account: string): string => `both ${network} ${account}`;

const fresh = (at: number): Tries => ({ since: at, count: 0, locks: 0, lockedUntil: 0 });

/** A lock is forgotten after as long again as the longest one. */
const isOver = ({ since, lockedUntil, locks }: Tries, at: number): boolean =>
  at - Math.max(since, lockedUntil) >= (locks === 0 ? WINDOW_MS : LONGEST_LOCK_MS);

/** One household of IPv6 has more addresses than anybody can count. */
export function networkOf(address: string): string {
  const ip = canonicalIp(address);
  if (ip === null || ip.family === "ipv4") return ip?.address ?? address;
  return ipaddr.parse(ip.address).toNormalizedString().split(":").slice(0, 4).join(":");
}
