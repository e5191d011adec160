/** Rows of one document type in memory, found again by the keys they are asked for. */
import { nameOf, type DocType, type Named, type Row } from "../embedded/doctypes.ts";
import type { Table } from "../embedded/rows.ts";

export interface MemoryTable<R extends Row & Named> extends Table<R> {
  /** In the order in which they were inserted. */
  by(index: string, key: string): R[];
  named(name: string): R | undefined;
  all(): R[];
}

/** Parts of a key never contain this. */
export const keyOf = (...parts: (string | number)[]): string => parts.join("\0");

export function createMemoryTable<R extends Row & Named>(
  type: DocType,
  indexes: Record<string, (row: R) => string>,
): MemoryTable<R> {
  const byName = new Map<string, R>();
  const maps = Object.entries(indexes).map(([index, key]) => ({
    index,
    key,
    names: new Map<string, Set<string>>(),
  }));
  let last = 0;

  const enter = (row: R): void => {
    byName.set(row.name, row);
    for (const { key, names } of maps) {
      const held = names.get(key(row));
      if (held === undefined) names.set(key(row), new Set([row.name]));
      else held.add(row.name);
    }
  };
  const leave = (row: R): void => {
    for (const { key, names } of maps) {
      const held = names.get(key(row));
      held?.delete(row.name);
      if (held?.size === 0) names.delete(key(row));
    }
  };

  return {
    insert: (values) => {
      last += 1;
      const [ownName = ""] = Object.keys(type.fields);
      const name = type.series === null ? String((values as Row)[ownName]) : nameOf(type, last);
      // Everything but the name was given; the compiler does not add the two up.
      enter({ ...values, name } as unknown as R);
      return name;
    },
    update: (name, changes) => {
      const held = byName.get(name);
      if (held === undefined) return;
      leave(held);
      enter({ ...held, ...changes });
    },
    remove: (name) => {
      const held = byName.get(name);
      if (held === undefined) return;
      leave(held);
      byName.delete(name);
    },
    by: (index, key) => {
      const names = maps.find((map) => map.index === index)?.names.get(key) ?? [];
      return [...names].flatMap((name) => byName.get(name) ?? []);
    },
    named: (name) => byName.get(name),
    all: () => [...byName.values()],
  };
}
