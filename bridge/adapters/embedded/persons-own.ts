/** Fields that belong to the people who work with the records. No sync writes them; a merge carries them over. */
import type { Row } from "./doctypes.ts";

const OWN = ["assigned_to", "labels", "tags", "notes", "priority"];

const isFilled = (row: Row, field: string): boolean => (row[field] ?? "") !== "";

/** What `into` lacks of a person's own fields and `from` has. */
export const carriedOver = (from: Row, into: Row): Row =>
  Object.fromEntries(
    OWN.filter((field) => isFilled(from, field) && !isFilled(into, field)).map((field) => [
      field,
      from[field] ?? null,
    ]),
  );
