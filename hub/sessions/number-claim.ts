/** A phone number belongs to one session of a hub. */
import type { Session } from "../core/session.ts";
import type { SessionStore } from "../core/store.ts";
import type { InOrder } from "./slots.ts";

/** Whose it is already; null when it was free, and `take` wrote down that it is this session's. */
export const claimNumber = (
  phoneNumber: string,
  {
    sessionId,
    store,
    numbers,
    take,
  }: {
    sessionId: string;
    store: Pick<SessionStore, "holderOf">;
    /** Claims, one after the other over the whole hub: two sessions that scan one number at once must not both get it. */
    numbers: InOrder;
    take: () => Promise<void>;
  },
): Promise<Session | null> =>
  numbers.add(async () => {
    const holder = await store.holderOf(phoneNumber, sessionId);
    if (holder === null) await take();
    return holder;
  });
