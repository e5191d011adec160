/**
 * Messages of groups that came before their author's contact: linked when that is made. The bridge remembers those that it
 * wrote itself; what was on the site before is asked for, but not in a session that the bridge has just made.
 */
import type { Message } from "../../records.ts";
import { text, type Row } from "./field-values.ts";
import { bounded } from "./memory.ts";
import { numberOf } from "./message-fields.ts";
import type { Sessions } from "./sessions.ts";
import { MESSAGE, type Site } from "./site.ts";
import type { Filter } from "./site-tables.ts";

export interface Authors {
  /** The new document of a message; remembered while its author has no contact. */
  written(message: Message, row: Row): void;
  /** `made`: names of contacts by address that were not there before. */
  link(sessionName: string, made: Map<string, string>): Promise<void>;
}

const REMEMBERED = 20_000;

export function createAuthors(
  { tables, writes }: Pick<Site, "tables" | "writes">,
  sessions: Pick<Sessions, "isNew">,
): Authors {
  const lacking = bounded<string[]>(REMEMBERED);

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
      lacking.set(participant, [...(lacking.get(participant) ?? []), text(row, "name")]);
    },
    link: async (sessionName, made) => {
      if (made.size === 0) return;
      const byNumber = new Map([...made].map(([id, name]) => [numberOf(id), name]));
      const written = [...made.keys()].flatMap((id) => lacking.get(id) ?? []);
      const rows = [
        ...(written.length === 0 ? [] : await unlinked(["name", "in", written])),
        ...(sessions.isNew(sessionName) ? [] : await unlinked(["from_number", "in", [...byNumber.keys()]])),
      ];
      const contacts = new Map(
        rows.map((row) => [text(row, "name"), byNumber.get(text(row, "from_number"))]),
      );
      await writes.updateAll(
        MESSAGE,
        [...contacts].map(([name, contact]) => ({ name, changes: { contact } })),
      );
      for (const id of made.keys()) lacking.delete(id);
    },
  };
}
