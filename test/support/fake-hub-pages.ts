/** Pages as the hub makes them: by the key of the row before, with cursors that belong to their list and filters. */
import { HubUnavailable } from "../../bridge/errors.ts";
import type { HubPage } from "../../bridge/hub-client.ts";

type Key = (string | number)[];

interface Listing<T> {
  /** In the list's order. */
  rows: T[];
  keyOf: (row: T) => Key;
  /** Compares keys in the list's order. */
  compare: (a: Key, b: Key) => number;
  /** Name, scope and filters: what a cursor belongs to. */
  bound: unknown;
  limit: number;
  cursor: string | undefined;
  position: number;
}

/** The hub brings a limit into this range. */
const LARGEST = 1000;

export function pageOf<T>({ rows, keyOf, compare, bound, limit, cursor, position }: Listing<T>): HubPage<T> {
  const name = JSON.stringify(bound);
  const after = cursor === undefined ? null : keyIn(cursor, name);
  const rest = after === null ? rows : rows.filter((row) => compare(keyOf(row), after) > 0);
  const items = rest.slice(0, Math.min(LARGEST, Math.max(1, limit)));
  const last = items.at(-1);
  const nextCursor =
    last !== undefined && rest.length > items.length ? JSON.stringify({ name, key: keyOf(last) }) : null;
  return { items: items.map((item) => structuredClone(item)), total: rows.length, nextCursor, position };
}

function keyIn(cursor: string, name: string): Key {
  // It was made above: a string of another shape fails the check of its name.
  const parsed = JSON.parse(cursor) as { name: string; key: Key };
  if (parsed.name !== name)
    throw new HubUnavailable("The cursor belongs to another list.", {
      code: "VALIDATION_ERROR",
      status: 400,
    });
  return parsed.key;
}

export const ascending = (a: Key, b: Key): number => {
  for (const [index, one] of a.entries()) {
    const other = b[index];
    if (other === undefined || one === other) continue;
    return one < other ? -1 : 1;
  }
  return 0;
};

export const descending = (a: Key, b: Key): number => ascending(b, a);
