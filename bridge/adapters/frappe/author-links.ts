/**
 * Messages of groups that came before their author's contact: linked when that is told, at once or in any later telling. The
 * bridge remembers those that it wrote itself; what was on the site before is asked for once of each contact, but not in a
 * session that the bridge has just made.
 */
import type { Message } from "../../records.ts";
import type { ByNumber } from "./by-number.ts";
import { text, type Row } from "./field-values.ts";
import { bounded, createNameLists } from "./memory.ts";
import { numberOf } from "./message-fields.ts";
import type { Sessions } from "./sessions.ts";
import { isPerson, MESSAGE, type Site } from "./site.ts";
import type { Filter } from "./site-tables.ts";

export interface Authors {
  /** The new document of a message; remembered while its author has no contact. */
  written(message: Message, row: Row): void;
  /** The bridge wrote messages of this author, who had no contact. */
  isLacking(id: string): boolean;
  /** These documents were of a hidden id, and wait for the contact of its person. */
  moved(names: string[], from: string, into: string): void;
  /** `told`: names of contacts by address, whether they were there before or not. */
  link(sessionName: string, told: Map<string, string>): Promise<void>;
}

const REMEMBERED = 20_000;

export function createAuthors(
  { tables, writes }: Pick<Site, "tables" | "writes">,
  { sessions, byNumber }: { sessions: Pick<Sessions, "isNew">; byNumber: ByNumber },
): Authors {
  const lacking = createNameLists(REMEMBERED);
  /** Contacts of which the site said already what it had before. */
  const asked = bounded<true>(REMEMBERED);

  /** Those that have no contact still, and are there. */
  const unlinked = (filter: Filter): Filter[] => [
    filter,
    ["direction", "=", "Incoming"],
    ["contact", "=", ""],
  ];
  const FIELDS = ["name", "from_number"];

  const named = (names: string[]): Promise<Row[]> =>
    tables.all(MESSAGE, { fields: FIELDS, filters: unlinked(["name", "in", names]), orderBy: "name asc" });

  /** `authors`: whose contact each document is to be linked to. Comes back with those that the site refused. */
  const linkAll = async (
    authors: Map<string, string>,
    told: Map<string, string>,
  ): Promise<{ id: string; name: string }[]> => {
    const links = [...authors].map(([name, id]) => ({ name, id, changes: { contact: told.get(id) } }));
    const results = await writes.updateAll(MESSAGE, links);
    return links.filter((_, index) => results[index]?.outcome === "rejected");
  };

  return {
    written: ({ participant }, row) => {
      if (participant === null || text(row, "contact") !== "") return;
      lacking.add(participant, text(row, "name"));
    },
    isLacking: (id) => lacking.of(id).length > 0,
    moved: (names, from, into) => {
      lacking.remove(from, names);
      for (const name of names) lacking.add(into, name);
    },
    link: async (sessionName, told) => {
      const waiting = new Map([...told.keys()].map((id) => [id, lacking.of(id)]));
      const names = [...waiting.values()].flat();
      const isOld = !sessions.isNew(sessionName);
      const unsure = [...told.keys()].filter(
        (id) => isPerson(id) && (!lacking.isWhole(id) || (isOld && asked.get(id) === undefined)),
      );
      if (names.length + unsure.length === 0) return;
      const rows = names.length === 0 ? [] : await named(names);
      const before =
        unsure.length === 0
          ? []
          : await byNumber.find(FIELDS, unlinked(["from_number", "in", unsure.map(numberOf)]));
      const idOf = new Map([...told.keys()].map((id) => [numberOf(id), id]));
      const authorOf = new Map([...waiting].flatMap(([id, all]) => all.map((name) => [name, id])));
      const authors = new Map(
        [...(before ?? []), ...rows].map((row) => {
          const name = text(row, "name");
          return [name, authorOf.get(name) ?? idOf.get(text(row, "from_number")) ?? ""];
        }),
      );
      const refused = await linkAll(authors, told);
      // What failed is found again by the next telling, and so is what was written meanwhile.
      for (const [id, linked] of waiting)
        if (before !== null || lacking.isWhole(id)) lacking.remove(id, linked);
      for (const { id, name } of refused) lacking.add(id, name);
      if (isOld && before !== null) for (const id of unsure) asked.set(id, true);
    },
  };
}
