/**
 * Pictures of contacts that have none yet. The hub is told whom to look up and asks WhatsApp in its own time, slowly; a picture
 * that it finds reaches the CRM as its `contact.updated`. Told after a sync, at most once a day per contact.
 */
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";
import { HubUnavailable } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import type { Contact } from "../records.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Contacts waiting to be asked for, per session: enough for days of hourly syncs. */
const MOST_WAITING = 5_000;
/** After so many failures in a row the hub has other worries. */
const GIVE_UP_AFTER = 4;

export interface Avatars {
  /** Remembers which of these contacts have no picture. */
  notice(sessionId: string, contacts: Contact[]): void;
  /** Asks for the next ones; those that could not be asked for, or whose turn did not come, wait for the next time. */
  bring(sessionId: string): Promise<void>;
  stop(): void;
}

export function createAvatars({
  hub,
  perSync,
  clock,
  log,
}: {
  hub: Pick<HubClient, "lookUp">;
  perSync: number;
  clock: Clock;
  log: Log;
}): Avatars {
  const elapsed = createElapsed(clock);
  const waiting = new Map<string, Set<string>>();
  const askedAt = new Map<string, number>();
  /** Sessions whose contacts are being asked for: another sync that ends meanwhile leaves them alone. */
  const asking = new Set<string>();
  let isStopped = false;

  const wasAskedToday = (key: string): boolean => elapsed() - (askedAt.get(key) ?? -Infinity) < DAY_MS;

  /** Entries are in the order in which they were asked: the oldest come first. */
  const forgetOld = (): void => {
    for (const key of askedAt.keys()) {
      if (wasAskedToday(key)) return;
      askedAt.delete(key);
    }
  };

  /** False when the hub did not take it: it is asked for again, after those that wait. */
  const ask = async (sessionId: string, id: string): Promise<boolean> => {
    const ids = waiting.get(sessionId);
    ids?.delete(id);
    ids?.add(id);
    try {
      await hub.lookUp(sessionId, id);
    } catch (cause) {
      if (!(cause instanceof HubUnavailable)) throw cause;
      return false;
    }
    ids?.delete(id);
    askedAt.set(`${sessionId}|${id}`, elapsed());
    return true;
  };

  const askForSome = async (sessionId: string): Promise<void> => {
    const ids = [...(waiting.get(sessionId) ?? [])].slice(0, perSync);
    const counts = { asked: 0, failed: 0 };
    let failedInARow = 0;
    for (const id of ids) {
      if (isStopped || failedInARow >= GIVE_UP_AFTER) break;
      counts.asked += 1;
      const isTaken = await ask(sessionId, id);
      counts.failed += isTaken ? 0 : 1;
      failedInARow = isTaken ? 0 : failedInARow + 1;
    }
    if (ids.length > 0) log.info({ sessionId, ...counts }, "sync.pictures_asked");
  };

  return {
    notice: (sessionId, contacts) => {
      const ids = waiting.get(sessionId) ?? new Set<string>();
      waiting.set(sessionId, ids);
      for (const { id, imgUrl } of contacts)
        if (imgUrl === null && ids.size < MOST_WAITING && !wasAskedToday(`${sessionId}|${id}`)) ids.add(id);
    },
    bring: async (sessionId) => {
      if (asking.has(sessionId)) return;
      forgetOld();
      asking.add(sessionId);
      await askForSome(sessionId).finally(() => asking.delete(sessionId));
    },
    stop: () => {
      isStopped = true;
    },
  };
}
