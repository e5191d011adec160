/** From where each user logged in, for as long as marks are kept: as a hash, because addresses are nobody's business. */
import type { MarkStore } from "../core/store.ts";
import { hashOf } from "./api-keys.ts";
import { networkOf } from "./login-limits.ts";

export interface LoginPlaces {
  isKnown(userId: string, address: string): Promise<boolean>;
  remember(userId: string, address: string, now: Date): Promise<void>;
}

export function createLoginPlaces(marks: Pick<MarkStore, "get" | "set">): LoginPlaces {
  return {
    isKnown: async (userId, address) => (await marks.get(markOf(userId, address))) !== null,
    remember: (userId, address, now) => marks.set(markOf(userId, address), now),
  };
}

const markOf = (userId: string, address: string): string =>
  `login:${hashOf(`${userId} ${networkOf(address)}`)}`;
