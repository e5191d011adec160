/** One round of removing old messages: of every session that is set so, in small batches. */
import type { Clock } from "../core/clock.ts";
import type { InboxStore, MessageAge, SessionStore } from "../core/store.ts";

const DAY_MS = 86_400_000;
/**
 * What came late, or was fetched from the phone's past, is old when it comes: whoever is told of it has so long to read it
 * and its file. As long as the address of a file is good, and as phones ask for sent messages again.
 */
const SETTLED_MS = 7 * DAY_MS;
/** A message takes its words, counts and files along: fewer at once than of other things. */
const BATCH = 200;

export interface OldMessageParts {
  sessions: Pick<SessionStore, "list">;
  inbox: Pick<InboxStore, "removeOld">;
  /** For sessions that say nothing themselves; null: their messages stay. */
  retentionDays: number | null;
  clock: Clock;
  /** True: the hub ends, and what is left is done at another time. */
  isStopped: () => boolean;
}

/** Answers how many went. */
export async function removeOldMessages(parts: OldMessageParts): Promise<number> {
  const { sessions, retentionDays: hubDays } = parts;
  let total = 0;
  for (const { sessionId, settings } of await sessions.list({ includeDeleted: true })) {
    const days = settings.retentionDays ?? hubDays;
    if (days !== null && !parts.isStopped()) total += await removeOldOf(sessionId, days, parts);
  }
  return total;
}

async function removeOldOf(
  sessionId: string,
  days: number,
  { inbox, clock, isStopped }: OldMessageParts,
): Promise<number> {
  const now = clock.now().getTime();
  const before = new Date(now - days * DAY_MS);
  const settledBefore = new Date(now - SETTLED_MS);
  let total = 0;
  let after: MessageAge | null = null;
  do {
    const { removed, place } = await inbox.removeOld({
      ...{ sessionId, before, settledBefore, after, limit: BATCH },
    });
    total += removed;
    after = place;
    await turn();
  } while (after !== null && !isStopped());
  return total;
}

/** For everybody else, in between. */
const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
