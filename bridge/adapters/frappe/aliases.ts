/**
 * Hidden ids that turned out to be somebody. What still names one is written to the person. Remembered in the contact, and
 * read from there once per session.
 */
import { text } from "./field-values.ts";
import { readState, STATE_FIELD } from "./hub-state.ts";
import { bounded } from "./memory.ts";
import { CONTACT } from "./site.ts";
import { SiteRefusal } from "./site-answer.ts";
import type { SiteTables } from "./site-tables.ts";

export interface Aliases {
  /** The id under which a person of this session is kept. */
  resolver(sessionId: string): Promise<(id: string) => string>;
  /** This bridge saw that no contact or chat is left under `lid`. What a contact remembers alone may be of a merge cut short. */
  isSettled(sessionId: string, lid: string, id: string): boolean;
  settle(sessionId: string, lid: string, id: string): void;
  /** This bridge saw the whole merge done: nothing at all is left under `lid`. */
  isMerged(sessionId: string, lid: string, id: string): boolean;
  merged(sessionId: string, lid: string, id: string): void;
}

const REMEMBERED = 50_000;

export const isHidden = (id: string): boolean => id.endsWith("@lid");
/** As a contact remembers it: another session's hidden id is another matter. */
export const lidMark = (sessionId: string, lid: string): string => `${sessionId}|${lid}`;

export function createAliases(tables: SiteTables): Aliases {
  const known = bounded<string>(REMEMBERED);
  const settled = bounded<string>(REMEMBERED);
  const merged = bounded<string>(REMEMBERED);
  const loaded = new Map<string, Promise<boolean>>();

  /** False while the site has no field for it: it may get one. */
  const load = async (sessionId: string): Promise<boolean> => {
    if (tables.lacks(CONTACT, STATE_FIELD)) return false;
    const start = lidMark(sessionId, "");
    try {
      const rows = await tables.all(CONTACT, {
        fields: ["contact_id", STATE_FIELD],
        filters: [[STATE_FIELD, "like", `%"${start}%`]],
        orderBy: "name asc",
      });
      for (const row of rows)
        for (const mark of readState(row[STATE_FIELD]).lids ?? [])
          if (mark.startsWith(start)) known.set(mark, text(row, "contact_id"));
      return true;
    } catch (error) {
      if (error instanceof SiteRefusal && tables.lacks(CONTACT, STATE_FIELD)) return false;
      throw error;
    }
  };

  return {
    resolver: async (sessionId) => {
      const loading = loaded.get(sessionId) ?? load(sessionId);
      loaded.set(sessionId, loading);
      const isLoaded = await loading.catch((error: unknown) => {
        loaded.delete(sessionId);
        throw error;
      });
      if (!isLoaded) loaded.delete(sessionId);
      return (id) => (isHidden(id) ? (known.get(lidMark(sessionId, id)) ?? id) : id);
    },
    isSettled: (sessionId, lid, id) => settled.get(lidMark(sessionId, lid)) === id,
    isMerged: (sessionId, lid, id) => merged.get(lidMark(sessionId, lid)) === id,
    merged: (sessionId, lid, id) => merged.set(lidMark(sessionId, lid), id),
    settle: (sessionId, lid, id) => {
      known.set(lidMark(sessionId, lid), id);
      settled.set(lidMark(sessionId, lid), id);
    },
  };
}
