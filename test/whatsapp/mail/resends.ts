/** Messages that may be asked for again, by a retry receipt or (later) from the phone: kept until they are acknowledged. */
import type { Envelope } from "./envelope.ts";

export interface Resends {
  keep(account: string, envelope: Envelope): void;
  find(account: string, id: string): Envelope | undefined;
  forget(account: string, id: string): void;
  size(): number;
  clear(account?: string): void;
}

export function createResends(): Resends {
  const kept = new Map<string, Envelope>();
  const key = (account: string, id: string): string => `${account}:${id}`;
  return {
    keep: (account, envelope) => void kept.set(key(account, envelope.id), envelope),
    find: (account, id) => kept.get(key(account, id)),
    forget: (account, id) => void kept.delete(key(account, id)),
    size: () => kept.size,
    clear(account) {
      for (const name of [...kept.keys()])
        if (account === undefined || name.startsWith(`${account}:`)) kept.delete(name);
    },
  };
}
