/**
 * A phone number belongs to one session of a hub: to the one that has a login of it. A row alone proves nothing, as it may say a
 * number whose login is gone; and an account that was up with its number never makes room for another session.
 */
import { isOpen } from "../core/session-state.ts";
import type { Session } from "../core/session.ts";
import type { SessionStore } from "../core/store.ts";
import type { WhatsAppConnector } from "../core/whatsapp.ts";
import type { InOrder } from "./slots.ts";

interface Parts {
  store: Pick<SessionStore, "holdersOf">;
  connector: Pick<WhatsAppConnector, "isPaired">;
}

/** Whose it is already; null when it may be `session`'s, and `take` wrote down that it is. */
export const claimNumber = (
  phoneNumber: string,
  {
    session,
    numbers,
    take,
    ...parts
  }: Parts & {
    session: Session;
    /** Claims, one after the other over the whole hub: two sessions that scan one number at once must not both get it. */
    numbers: InOrder;
    take: () => Promise<void>;
  },
): Promise<Session | null> =>
  numbers.add(async () => {
    const linked = await linkedWith(phoneNumber, session.sessionId, parts);
    const holder = linked.find((other) => comesBefore(other, session, phoneNumber)) ?? null;
    if (holder === null) await take();
    return holder;
  });

/** Sessions, other than `except`, that have a login of this number. */
export async function linkedWith(
  phoneNumber: string,
  except: string,
  { store, connector }: Parts,
): Promise<Session[]> {
  const linked: Session[] = [];
  for (const other of await store.holdersOf(phoneNumber, except))
    if (isOpen(other.state) || (await connector.isPaired(other.sessionId))) linked.push(other);
  return linked;
}

/**
 * Where both have a login, the one that has had the number keeps it from one that scans it. Two that both had it are left from
 * a session that was deleted and came back: there the one that works goes on, and of two at rest whoever connects first.
 */
function comesBefore(other: Session, claimant: Session, phoneNumber: string): boolean {
  if (claimant.phoneNumber !== phoneNumber) return true;
  return isUp(other) && !isUp(claimant);
}

/** Open, or lost and on its way back: what is only starting was not up since it was ordered to. */
const isUp = ({ state }: Session): boolean => isOpen(state) || state === "reconnecting";
