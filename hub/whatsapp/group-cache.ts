/** Members of groups in memory, so that a message to a group does not look for who is in it. Stale ones go with the news. */
import type { GroupMetadata } from "./baileys.ts";
import { createQueryBrake, type QueryBrake } from "./query-brake.ts";
import { createSmallCache } from "./small-cache.ts";

const MAX_GROUPS = 100;
const TTL_MS = 10 * 60_000;

export interface GroupCache {
  get(jid: string, fetch: (jid: string) => Promise<GroupMetadata>): Promise<GroupMetadata>;
  forget(jid: string): void;
  /** For the questions it is filled by. */
  brake: QueryBrake;
}

export function createGroupCache(): GroupCache {
  const groups = createSmallCache<Promise<GroupMetadata>>({ max: MAX_GROUPS, ttlMs: TTL_MS });
  return {
    get: (jid, fetch) => {
      const known = groups.get(jid);
      if (known !== undefined) return known;
      // One question for sends at the same time; a failed one is asked again.
      const asked = fetch(jid);
      groups.set(jid, asked);
      asked.catch(() => groups.delete(jid));
      return asked;
    },
    forget: (jid) => groups.delete(jid),
    brake: createQueryBrake(),
  };
}
