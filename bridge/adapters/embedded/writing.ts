/** What every writer of the embedded CRM needs, and how all of them bring a held record up to date. */
import type { Position, WriteResult } from "../../adapter.ts";
import { differences } from "./differences.ts";
import type { Row } from "./doctypes.ts";
import { isHiddenId } from "./people.ts";
import { laterOf } from "./positions.ts";
import type { Rows, Table } from "./rows.ts";

export interface Writing {
  rows: Rows;
  /** The moment, as rows keep it. */
  now: () => string;
}

/** The id under which a record is kept: a hidden id may have turned out to be somebody. */
export const resolver =
  ({ aliases }: Pick<Rows, "aliases">, session: string) =>
  (id: string): string =>
    isHiddenId(id) ? (aliases.of(session, id)?.into ?? id) : id;

/**
 * Writes what differs. The position is remembered even when nothing does: otherwise a state between the two would still
 * be taken for news. `alongside` is written only together with a difference.
 */
export function reviseRow(
  table: { update: Table<never>["update"] },
  held: Row & { name: string; position: number | null },
  wanted: Row,
  { position, now, alongside = {} }: { position: Position; now: string; alongside?: Row },
): WriteResult {
  const changes = differences(held, wanted);
  const later = laterOf(held.position, position);
  if (changes !== null) {
    table.update(held.name, { ...changes, ...alongside, position: later, modified: now });
    return { outcome: "updated", id: held.name };
  }
  if (later !== held.position) table.update(held.name, { position: later });
  return unchanged(held.name);
}

export const unchanged = (id: string): WriteResult => ({ outcome: "unchanged", id });
