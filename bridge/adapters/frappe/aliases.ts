/**
 * Hidden ids that turned out to be somebody. What still names one is written to the person. Remembered in the contact, and
 * read from there once per session, when the first hidden id comes by.
 */
import { text } from "./field-values.ts";
import { readState, STATE_FIELD } from "./hub-state.ts";
import { bounded } from "./memory.ts";
import { CONTACT } from "./site.ts";
import type { SiteTables } from "./site-tables.ts";

export interface Aliases {
  /** The id under which each of `ids` is kept. */
  resolver(sessionId: string, ids: (string | null)[]): Promise<(id: string) => string>;
  get(sessionId: string, lid: string): string | undefined;
  learn(sessionId: string, lid: string, id: string): void;
}

const REMEMBERED = 50_000;

export const isHidden = (id: string): boolean => id.endsWith("@lid");
/** As a contact remembers it: another session's hidden id is another matter. */
export const lidMark = (sessionId: string, lid: string): string => `${sessionId}|${lid}`;

export function createAliases(tables: SiteTables): Aliases {
  const known = bounded<string>(REMEMBERED);
  const loaded = new Map<string, Promise<void>>();

  const load = async (sessionId: string): Promise<void> => {
    if (tables.lacks(CONTACT, STATE_FIELD)) return;
    const start = lidMark(sessionId, "");
    const rows = await tables.all(CONTACT, {
      fields: ["contact_id", STATE_FIELD],
      filters: [[STATE_FIELD, "like", `%"${start}%`]],
      orderBy: "name asc",
    });
    for (const row of rows)
      for (const mark of readState(row[STATE_FIELD]).lids ?? [])
        if (mark.startsWith(start)) known.set(mark, text(row, "contact_id"));
  };

  return {
    resolver: async (sessionId, ids) => {
      if (ids.some((id) => id !== null && isHidden(id))) {
        const loading = loaded.get(sessionId) ?? load(sessionId);
        loaded.set(sessionId, loading);
        await loading.catch((error: unknown) => {
          loaded.delete(sessionId);
          throw error;
        });
      }
      return (id) => (isHidden(id) ? (known.get(lidMark(sessionId, id)) ?? id) : id);
    },
    get: (sessionId, lid) => known.get(lidMark(sessionId, lid)),
    learn: (sessionId, lid, id) => known.set(lidMark(sessionId, lid), id),
  };
}
