/**
 * Hidden ids that turned out to be somebody. What still names one is written to the person. Remembered in the contact, and
 * read from there once per session.
 */
import type { Position } from "../../adapter.ts";
import { text } from "./field-values.ts";
import { readState, STATE_FIELD } from "./hub-state.ts";
import { bounded, createPositions } from "./memory.ts";
import { CONTACT, type Site } from "./site.ts";
import { SiteRefusal } from "./site-answer.ts";

export interface Aliases {
  /** The id under which a person of this session is kept. */
  resolver(sessionId: string): Promise<(id: string) => string>;
  /** False when the hidden id is somebody else's, and that was told later. What is told again is known for longer. */
  isTimely(told: Told): Promise<boolean>;
  /** This bridge saw that no contact or chat is left under `lid`. What a contact remembers alone may be of a merge cut short. */
  isSettled(sessionId: string, lid: string, id: string): boolean;
  settle(told: Told): void;
  /** This bridge saw the whole merge done: nothing at all is left under `lid`. */
  isMerged(sessionId: string, lid: string, id: string): boolean;
  merged(sessionId: string, lid: string, id: string): void;
}

/** As in a merge: `from`, the hidden id, is `into`. */
export interface Told {
  sessionId: string;
  from: string;
  into: string;
  position: Position;
}

const REMEMBERED = 50_000;

export const isHidden = (id: string): boolean => id.endsWith("@lid");
/** As a contact remembers it: another session's hidden id is another matter. */
export const lidMark = (sessionId: string, lid: string): string => `${sessionId}|${lid}`;

export function createAliases({ tables }: Pick<Site, "tables">): Aliases {
  // Of their own: those of messages are many, and would push them out.
  const positions = createPositions();
  const known = bounded<string>(REMEMBERED);
  const settled = bounded<string>(REMEMBERED);
  const merged = bounded<string>(REMEMBERED);
  const loaded = new Map<string, Promise<boolean>>();

  const keyOf = (mark: string): string => `lid|${mark}`;

  /** Two remember the same where a merge was cut short. */
  const read = (mark: string, id: string, position: Position): void => {
    if (!positions.isStale(keyOf(mark), position, undefined)) known.set(mark, id);
    positions.shown(keyOf(mark), position);
  };

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
      for (const row of rows) {
        const { lids = [], lidsAt = {} } = readState(row[STATE_FIELD]);
        for (const mark of lids.filter((one) => one.startsWith(start)))
          read(mark, text(row, "contact_id"), lidsAt[mark] ?? null);
      }
      return true;
    } catch (error) {
      if (error instanceof SiteRefusal && tables.lacks(CONTACT, STATE_FIELD)) return false;
      throw error;
    }
  };

  const resolver: Aliases["resolver"] = async (sessionId) => {
    const loading = loaded.get(sessionId) ?? load(sessionId);
    loaded.set(sessionId, loading);
    const isLoaded = await loading.catch((error: unknown) => {
      loaded.delete(sessionId);
      throw error;
    });
    if (!isLoaded) loaded.delete(sessionId);
    return (id) => (isHidden(id) ? (known.get(lidMark(sessionId, id)) ?? id) : id);
  };

  return {
    resolver,
    isTimely: async ({ sessionId, from, into, position }) => {
      const held = (await resolver(sessionId))(from);
      const key = keyOf(lidMark(sessionId, from));
      if (held === into) positions.shown(key, position);
      return held === from || held === into || !positions.isStale(key, position, undefined);
    },
    isSettled: (sessionId, lid, id) => settled.get(lidMark(sessionId, lid)) === id,
    isMerged: (sessionId, lid, id) => merged.get(lidMark(sessionId, lid)) === id,
    merged: (sessionId, lid, id) => merged.set(lidMark(sessionId, lid), id),
    settle: ({ sessionId, from, into, position }) => {
      const mark = lidMark(sessionId, from);
      known.set(mark, into);
      settled.set(mark, into);
      positions.shown(keyOf(mark), position);
    },
  };
}
