/**
 * Pictures of contacts that have none yet. The hub asks WhatsApp for each, so they come after everything else, a few at
 * a time, at most once a day per contact; a picture found reaches the CRM as the hub's `contact.updated`.
 */
import type { Clock } from "../clock.ts";
import { HubUnavailable } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import type { Contact } from "../records.ts";

const AT_ONCE = 4;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Contacts waiting to be asked for, per session: enough for days of hourly syncs. */
const MOST_WAITING = 5_000;
/** After so many failures in a row WhatsApp or the hub has other worries. */
const GIVE_UP_AFTER = 4;

export interface Avatars {
  /** Remembers which of these contacts have no picture. */
  notice(sessionId: string, contacts: Contact[]): void;
  /** Asks for the next ones. */
  bring(sessionId: string): Promise<void>;
  stop(): void;
}

export function createAvatars({
  hub,
  perSync,
  clock,
  log,
}: {
  hub: Pick<HubClient, "photo">;
  perSync: number;
  clock: Clock;
  log: Log;
}): Avatars {
  const waiting = new Map<string, Set<string>>();
  const askedAt = new Map<string, number>();
  let isStopped = false;

  const wasAskedToday = (key: string): boolean =>
    clock.now().getTime() - (askedAt.get(key) ?? -Infinity) < DAY_MS;

  /** Entries are in the order in which they were asked: the oldest come first. */
  const forgetOld = (): void => {
    for (const key of askedAt.keys()) {
      if (wasAskedToday(key)) return;
      askedAt.delete(key);
    }
  };

  function take(sessionId: string): string[] {
    const ids = [...(waiting.get(sessionId) ?? [])].slice(0, perSync);
    for (const id of ids) {
      waiting.get(sessionId)?.delete(id);
      askedAt.set(`${sessionId}|${id}`, clock.now().getTime());
    }
    return ids;
  }

  return {
    notice: (sessionId, contacts) => {
      const ids = waiting.get(sessionId) ?? new Set<string>();
      waiting.set(sessionId, ids);
      for (const { id, imgUrl } of contacts)
        if (imgUrl === null && ids.size < MOST_WAITING && !wasAskedToday(`${sessionId}|${id}`)) ids.add(id);
    },
    bring: async (sessionId) => {
      forgetOld();
      const left = take(sessionId);
      const counts = { asked: 0, failed: 0 };
      let failedInARow = 0;
      const work = async (): Promise<void> => {
        for (let id = left.shift(); id !== undefined; id = left.shift()) {
          if (isStopped || failedInARow >= GIVE_UP_AFTER) return;
          counts.asked += 1;
          try {
            await hub.photo(sessionId, id);
            failedInARow = 0;
          } catch (cause) {
            if (!(cause instanceof HubUnavailable)) throw cause;
            counts.failed += 1;
            failedInARow += 1;
          }
        }
      };
      if (left.length === 0) return;
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      log.info({ sessionId, ...counts }, "sync.pictures_asked");
    },
    stop: () => {
      isStopped = true;
    },
  };
}
