/**
 * Every message says again who its author is: both addresses and the name. Told once to the store, it is left out until it
 * changes, which saves two reads per message.
 */
import type { Fact } from "../core/facts.ts";
import { createSmallCache } from "./small-cache.ts";

const MAX_PEOPLE = 2000;
const TTL_MS = 6 * 3_600_000;

/** One per connection: if what it let through was not recorded, the connection has ended. */
export function createNews(): (facts: Fact[]) => Fact[] {
  const told = createSmallCache<string>({ max: MAX_PEOPLE, ttlMs: TTL_MS });
  const isNew = (key: string, value: string): boolean => {
    if (told.get(key) === value) return false;
    told.set(key, value);
    return true;
  };
  return (facts) =>
    facts.filter((fact) => {
      if (fact.kind === "lid") return isNew(`lid ${fact.lid}`, fact.phone);
      // A picture may go, come and go again.
      if (fact.kind === "contact" && fact.change.pictureToken === undefined)
        return isNew(`contact ${fact.jid}`, JSON.stringify(fact.change));
      return true;
    });
}
