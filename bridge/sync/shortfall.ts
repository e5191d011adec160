/**
 * Whether a CRM lacks contacts or chats that a sync would bring. What it still lacked after everything was read (it
 * refused them, or keeps them under another session) is not counted again, or every sync would read everything. What it has
 * beyond the hub is counted as well: it hides nothing that goes later.
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

const NONE: Counts = { contacts: 0, chats: 0 };

export function createShortfall(limits: Pick<SyncLimits, "contacts" | "chats">): Shortfall {
  /** Per session, what the CRM lacks and is not read for; below zero where it has more. */
  const accepted = new Map<string, Counts>();
  const lacking = (hub: Counts, crm: Counts): Counts => ({
    contacts: Math.min(hub.contacts, limits.contacts) - crm.contacts,
    chats: Math.min(hub.chats, limits.chats) - crm.chats,
  });

  return {
    missing: (sessionId, hub, crm) => {
      const now = lacking(hub, crm);
      const before = accepted.get(sessionId) ?? NONE;
      const known = {
        contacts: Math.min(now.contacts, before.contacts),
        chats: Math.min(now.chats, before.chats),
      };
      accepted.set(sessionId, known);
      return { contacts: now.contacts - known.contacts, chats: now.chats - known.chats };
    },
    accept: (sessionId, hub, crm) => void accepted.set(sessionId, lacking(hub, crm)),
    forget: (sessionId) => void accepted.delete(sessionId),
  };
}
