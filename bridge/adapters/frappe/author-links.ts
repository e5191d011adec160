/**
 * Messages of groups that came before their author's contact: linked when that is told, at once or in any later telling. The
 * bridge remembers those that it wrote itself; what was on the site before is asked for once of each contact, but not in a
 * session that the bridge has just made.
 */
import type { Message } from "../../records.ts";
import { text, type Row } from "./field-values.ts";
import { bounded, createNameLists } from "./memory.ts";
import { numberOf } from "./message-fields.ts";
import type { Sessions } from "./sessions.ts";
import { isPerson, MESSAGE, type Site } from "./site.ts";
import type { Filter } from "./site-tables.ts";

export interface Authors {
  /** The new document of a message; remembered while its author has no contact. */
  written(message: Message, row: Row): void;
  /** `told`: names of contacts by address, whether they were there before or not. */
  link(sessionName: string, told: Map<string, string>): Promise<void>;
}

const REMEMBERED = 20_000;

export function createAuthors(
  { tables, writes }: Pick<Site, "tables" | "writes">,
  sessions: Pick<Sessions, "isNew">,
): Authors {
  const lacking = createNameLists(REMEMBERED);
  /** Contacts of which the site said already what it had before. */
  const asked = bounded<true>(REMEMBERED);

  /** Those that have no contact still, and are there. */
  const unlinked = (filter: Filter): Promise<Row[]> =>
    tables.all(MESSAGE, {
      fields: ["name", "from_number"],
      filters: [filter, ["direction", "=", "Incoming"], ["contact", "=", ""]],
      orderBy: "name asc",
    });

  return {
    written: ({ participant }, row) => {
      if (participant === null || text(row, "contact") !== "") return;
      lacking.add(participant, text(row, "name"));
    },
    link: async (sessionName, told) => {
      const waiting = new Map([...told.keys()].map((id) => [id, lacking.of(id)]));
      const names = [...waiting.values()].flat();
      const isOld = !sessions.isNew(sessionName);
      const unsure = [...told.keys()].filter(
        (id) => isPerson(id) && (!lacking.isWhole(id) || (isOld && asked.get(id) === undefined)),
      );
      if (names.length + unsure.length === 0) return;
      const rows = [
        ...(names.length === 0 ? [] : await unlinked(["name", "in", names])),
        ...(unsure.length === 0 ? [] : await unlinked(["from_number", "in", unsure.map(numberOf)])),
      ];
      const byNumber = new Map([...told].map(([id, name]) => [numberOf(id), name]));
      const contacts = new Map(
        rows.map((row) => [text(row, "name"), byNumber.get(text(row, "from_number"))]),
      );
      await writes.updateAll(
        MESSAGE,
        [...contacts].map(([name, contact]) => ({ name, changes: { contact } })),
      );
      // What failed is found again by the next telling, and so is what was written meanwhile.
      for (const [id, linked] of waiting) lacking.remove(id, linked);
      if (isOld) for (const id of unsure) asked.set(id, true);
    },
  };
}
