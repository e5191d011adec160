/** What would really change: an update that changes nothing is not written. */
import type { Row } from "./doctypes.ts";

/** Those of `wanted` that differ from `row`; null when none does. */
export function differences(row: Row, wanted: Row): Row | null {
  const changes: Row = {};
  for (const [field, value] of Object.entries(wanted)) if (value !== row[field]) changes[field] = value;
  return Object.keys(changes).length === 0 ? null : changes;
}
