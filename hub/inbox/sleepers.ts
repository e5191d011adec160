/** Messages that wait at the gate, by what wakes them: time, news of their session, word from their chat, the end of the hub. */
import type { Clock } from "../core/clock.ts";
import type { Jid } from "../core/jid.ts";
import type { Schedule } from "./send-limits.ts";

/** Timers count no more than 24 days; looking again costs nothing. */
const LONGEST_SLEEP_MS = 3_600_000;
const SOON_MS = 1_000;

interface Sleeper {
  chatId: Jid;
  rise: () => void;
}

export interface Sleepers {
  /** Resolves on time, at the end of the hub, and, unless it keeps its place, when something changed. */
  sleep(of: { sessionId: string; chatId: Jid }, until: number, keepsPlace?: boolean): Promise<void>;
  /** All of the session. */
  wake(sessionId: string): void;
  /** Those of these chats, within a second: much may happen in one. */
  wakeSoon(sessionId: string, chats: Iterable<Jid>): void;
  stop(): void;
}

export function createSleepers({ clock, schedule }: { clock: Clock; schedule: Schedule }): Sleepers {
  const bySession = new Map<string, Set<Sleeper>>();
  const placed = new Set<Sleeper>();
  const heard = new Map<string, Set<Jid>>();
  let isStopped = false;

  const setOf = (sessionId: string): Set<Sleeper> => {
    const known = bySession.get(sessionId) ?? new Set();
    bySession.set(sessionId, known);
    return known;
  };
  const rouse = (all: Iterable<Sleeper>): void => {
    for (const { rise } of [...all]) rise();
  };

  return {
    sleep: ({ sessionId, chatId }, until, keepsPlace = false) => {
      const ms = Math.min(until - clock.now().getTime(), LONGEST_SLEEP_MS);
      if (ms <= 0 || isStopped) return Promise.resolve();
      const all = keepsPlace ? placed : setOf(sessionId);
      return new Promise((resolve) => {
        const sleeper = {
          chatId,
          rise: () => {
            cancel();
            all.delete(sleeper);
            resolve();
          },
        };
        const cancel = schedule(ms, sleeper.rise);
        all.add(sleeper);
      });
    },
    wake: (sessionId) => rouse(bySession.get(sessionId) ?? []),
    wakeSoon: (sessionId, chats) => {
      if ((bySession.get(sessionId)?.size ?? 0) === 0) return;
      const meant = heard.get(sessionId);
      if (meant !== undefined) {
        for (const chatId of chats) meant.add(chatId);
        return;
      }
      const first = new Set(chats);
      if (first.size === 0) return;
      heard.set(sessionId, first);
      schedule(SOON_MS, () => {
        heard.delete(sessionId);
        rouse([...(bySession.get(sessionId) ?? [])].filter(({ chatId }) => first.has(chatId)));
      });
    },
    stop: () => {
      isStopped = true;
      rouse(placed);
      for (const all of bySession.values()) rouse(all);
    },
  };
}
