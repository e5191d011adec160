/** Documents from SQLite. Only field names that a plan has checked become SQL; every value is bound. */
import type { Condition } from "../embedded/document-conditions.ts";
import type { DocumentSource } from "../embedded/document-reader.ts";
import type { DocType, Row, Value } from "../embedded/doctypes.ts";
import type { Db } from "./connection.ts";

export function createSqliteDocuments(db: Db): DocumentSource {
  return {
    list: ({ type, fields, conditions, anyOf, orderBy, start, limit }) => {
      const { where, values } = whereOf(conditions, anyOf);
      // The number last, so that pages of equal records neither skip nor repeat one; in the direction of an index.
      const order = [...orderBy, { field: "n", direction: orderBy.at(-1)?.direction ?? "asc" }]
        .map(({ field, direction }) => `${field} ${direction}`)
        .join(", ");
      return db
        .prepare<Value[], Row>(
          `SELECT ${fields.join(", ")} FROM ${type.table} ${where} ORDER BY ${order} LIMIT ? OFFSET ?`,
        )
        .all(...values, limit, start);
    },
    count: (type: DocType, conditions) => {
      const { where, values } = whereOf(conditions, []);
      return (
        db.prepare<Value[], { n: number }>(`SELECT COUNT(*) AS n FROM ${type.table} ${where}`).get(...values)
          ?.n ?? 0
      );
    },
  };
}

function whereOf(conditions: Condition[], anyOf: Condition[]): { where: string; values: Value[] } {
  const parts = conditions.map(clauseOf);
  if (anyOf.length > 0) parts.push(joined(anyOf.map(clauseOf), " OR "));
  if (parts.length === 0) return { where: "", values: [] };
  const { sql, values } = joined(parts, " AND ");
  return { where: `WHERE ${sql}`, values };
}

const joined = (parts: Clause[], word: string): Clause => ({
  sql: parts.map(({ sql }) => `(${sql})`).join(word),
  values: parts.flatMap(({ values }) => values),
});

interface Clause {
  sql: string;
  values: Value[];
}

function clauseOf(condition: Condition): Clause {
  const { field } = condition;
  switch (condition.test) {
    case "set":
      return {
        sql: condition.not ? `${field} IS NULL OR ${field} = ''` : `${field} IS NOT NULL AND ${field} <> ''`,
        values: [],
      };
    case "equal":
      return turned({ sql: `${field} = ?`, values: [condition.value] }, condition);
    case "in":
      return turned(
        { sql: `${field} IN (${condition.values.map(() => "?").join(", ")})`, values: condition.values },
        condition,
      );
    case "like":
      return turned({ sql: `${field} LIKE ?`, values: [condition.pattern] }, condition);
    case "between":
      return { sql: `${field} BETWEEN ? AND ?`, values: [condition.low, condition.high] };
    case "compare":
      return { sql: `${field} ${condition.operator} ?`, values: [condition.value] };
  }
}

/** Turned round it also holds where there is no value. */
const turned = ({ sql, values }: Clause, { field, not }: { field: string; not: boolean }): Clause =>
  not ? { sql: `${field} IS NULL OR NOT (${sql})`, values } : { sql, values };
