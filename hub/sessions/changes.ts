/** Waiting for a session to get somewhere, for at most so long. */
import type { Schedule } from "./schedule.ts";

export interface Changes {
  /** Something changed: those who wait look again. */
  announce(): void;
  /** Resolves with true as soon as `isSo` holds, with false after `ms`. */
  until(isSo: () => boolean, ms: number): Promise<boolean>;
}

export function createChanges(schedule: Schedule): Changes {
  const listeners = new Set<() => void>();
  return {
    announce: () => {
      for (const listener of [...listeners]) listener();
    },
    until: (isSo, ms) => {
      if (isSo() || ms <= 0) return Promise.resolve(isSo());
      return new Promise((resolve) => {
        const end = (result: boolean) => {
          cancel();
          listeners.delete(look);
          resolve(result);
        };
        const look = () => {
          if (isSo()) end(true);
        };
        const cancel = schedule(ms, () => end(isSo()));
        listeners.add(look);
      });
    },
  };
}
