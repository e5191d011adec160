/**
 * Whether a CRM lacks contacts or chats that a sync would bring. What it still lacked after everything was read (it
 * refused them, or keeps them under another session) is not counted again, or every sync would read everything.
 */
import type { Totals } from "../adapter.ts";
import type { SyncLimits } from "./budget.ts";

type Counts = Pick<Totals, "contacts" | "chats">;

export interface Shortfall {
  /** How many contacts and chats the CRM lacks beyond what is known to stay out of it. */
  missing(sessionId: string, hub: Counts, crm: Counts): Counts;
  /** Everything within the limits was just read and written. */
  accept(sessionId: string, hub: Counts, crm: Counts): void;
  forget(sessionId: string): void;
}

export function createShortfall(limits: Pick<SyncLimits, "contacts" | "chats">): Shortfall {
  const accepted = new Map<string, Counts>();
  const lacking = (hub: Counts, crm: Counts): Counts => ({
    contacts: Math.max(0, Math.min(hub.contacts, limits.contacts) - crm.contacts),
    chats: Math.max(0, Math.min(hub.chats, limits.chats) - crm.chats),
  });

  return {
    missing: (sessionId, hub, crm) => {
      const { contacts, chats } = lacking(hub, crm);
      const known = accepted.get(sessionId) ?? { contacts: 0, chats: 0 };
      return {
        contacts: Math.max(0, contacts - known.contacts),
        chats: Math.max(0, chats - known.chats),
      };
    },
    accept: (sessionId, hub, crm) => void accepted.set(sessionId, lacking(hub, crm)),
    forget: (sessionId) => void accepted.delete(sessionId),
  };
}
