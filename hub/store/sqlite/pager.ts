/** Pages of any list: by the key of the row before (costs the same at any depth), or by number for old clients. */
import type { Page, PageRequest } from "../../core/page.ts";
import { decodeCursor, encodeCursor, type CursorKey } from "./cursor.ts";
import type { Engine } from "./engine.ts";

type Value = string | number | null;

export interface Condition {
  sql: string;
  values: Value[];
}

/** A condition for each filter that is given; the value is bound once for each `?`. */
export function when(sql: string, value: string | number | boolean | undefined): Condition[] {
  if (value === undefined) return [];
  const bound = typeof value === "boolean" ? Number(value) : value;
  return [{ sql, values: Array.from(sql.matchAll(/\?/g), () => bound) }];
}

/** A search term, taken literally, in any of the columns. */
export function containing(columns: string[], term: string | undefined): Condition[] {
  if (term === undefined || term === "") return [];
  const pattern = `%${term.replace(/[\\%_]/g, (char) => `\\${char}`)}%`;
  return when(`(${columns.map((column) => `${column} LIKE ? ESCAPE '\\'`).join(" OR ")})`, pattern);
}

export interface PageQuery<Row, Item> {
  /** Name of the list. With `bound`, what a cursor belongs to: scope, filters and order. */
  list: string;
  bound: Record<string, unknown>;
  request: PageRequest;
  columns: string;
  from: string;
  /** What list it is, and what the caller narrowed it to. */
  scope: Condition[];
  filters: Condition[];
  /** Columns the list is ordered by; together unique, and the end of an index. */
  keys: string[];
  direction: "asc" | "desc";
  keyOf: (row: Row) => CursorKey[];
  /** How a value of a cursor is bound. */
  keyMark?: string;
  /** Total that is known without counting; null when it is not. */
  knownTotal: () => number | null;
  /** Counting stops there: the total of a list that may match half of everything. */
  countAtMost?: number;
  toItem: (row: Row) => Item;
}

export interface Pager {
  /** How many rows there are, counting no further than `atMost`. */
  count(from: string, conditions: Condition[], atMost?: number): number;
  read<Row, Item>(query: PageQuery<Row, Item>): Page<Item>;
}

export function createPager(engine: Engine): Pager {
  const count = (from: string, conditions: Condition[], atMost?: number): number => {
    const rows = `FROM ${from}${whereOf(conditions)}`;
    const counted = atMost === undefined ? rows : `FROM (SELECT 1 ${rows} LIMIT ${atMost})`;
    return (
      engine
        .query<Value[], { total: number }>(`SELECT COUNT(*) AS total ${counted}`)
        .get(...valuesOf(conditions))?.total ?? 0
    );
  };

  return {
    count,
    read: <Row, Item>(query: PageQuery<Row, Item>): Page<Item> => {
      const { list, bound, request, keys, direction, keyOf, scope, filters } = query;
      const limit = Math.max(1, request.limit);
      const conditions = [...scope, ...filters];
      const after = request.cursor === undefined ? [] : [afterCursor(request.cursor, query)];
      const offset = request.cursor === undefined ? Math.max(0, request.page - 1) * limit : 0;
      const order = keys.map((key) => `${key} ${direction.toUpperCase()}`).join(", ");
      const rows = engine
        .query<Value[], Row>(
          `SELECT ${query.columns} FROM ${query.from}${whereOf([...conditions, ...after])} ORDER BY ${order} LIMIT ? OFFSET ?`,
        )
        .all(...valuesOf([...conditions, ...after]), limit + 1, offset);
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return {
        items: shown.map(query.toItem),
        total: query.knownTotal() ?? count(query.from, conditions, query.countAtMost),
        nextCursor:
          rows.length > limit && last !== undefined ? encodeCursor(keyOf(last), { list, bound }) : null,
      };
    },
  };
}

function afterCursor<Row, Item>(
  cursor: string,
  { list, bound, keys, direction, keyMark = "?" }: PageQuery<Row, Item>,
): Condition {
  const sign = direction === "asc" ? ">" : "<";
  return {
    sql: `(${keys.join(", ")}) ${sign} (${keys.map(() => keyMark).join(", ")})`,
    values: decodeCursor(cursor, { list, bound, keys: keys.length }),
  };
}

export const whereOf = (conditions: Condition[]): string =>
  conditions.length === 0 ? "" : ` WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}`;
export const valuesOf = (conditions: Condition[]): Value[] => conditions.flatMap(({ values }) => values);
