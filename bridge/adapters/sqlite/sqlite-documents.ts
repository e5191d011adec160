/** Documents from SQLite. Only field names that a plan has checked become SQL; every value is bound. */
import { constantOf, type Condition } from "../embedded/document-conditions.ts";
import type { DocumentSource } from "../embedded/document-reader.ts";
import type { DocType, Row, Value } from "../embedded/doctypes.ts";
import type { LikePart } from "../embedded/like.ts";
import type { Db } from "./connection.ts";

type Choice = Parameters<DocumentSource["count"]>[0];

export function createSqliteDocuments(db: Db): DocumentSource {
  return {
    list: (plan) => {
      const { type, fields, orderBy, start, limit } = plan;
      const { where, values } = whereOf(plan);
      // The number last, so that pages of equal records neither skip nor repeat one; in the direction of an index.
      const order = [...orderBy, { field: "n", direction: orderBy.at(-1)?.direction ?? "asc" }]
        .filter(({ field }) => constantOf(type, field) === undefined)
        // Records are numbered as they are made, and that order needs no index of its own.
        .map(({ field, direction }) => `${field === "creation" ? "n" : field} ${direction}`)
        .join(", ");
      const columns = fields.map((field) => `${columnOf(type, field)} AS ${field}`).join(", ");
      return db
        .prepare<Value[], Row>(
          `SELECT ${columns} FROM ${type.table} ${where} ORDER BY ${order} LIMIT ? OFFSET ?`,
        )
        .all(...values, limit, start);
    },
    count: (choice) => {
      const { where, values } = whereOf(choice);
      return (
        db
          .prepare<Value[], { n: number }>(`SELECT COUNT(*) AS n FROM ${choice.type.table} ${where}`)
          .get(...values)?.n ?? 0
      );
    },
  };
}

/** A field as SQL; what is the same of every record is in no table. */
function columnOf(type: DocType, field: string): string {
  const constant = constantOf(type, field);
  if (constant === undefined) return field;
  return typeof constant === "number" ? `(${constant})` : `('${constant.replaceAll("'", "''")}')`;
}

function whereOf({ type, conditions, anyOf }: Choice): { where: string; values: Value[] } {
  const clause = (condition: Condition): Clause =>
    clauseOf({ ...condition, field: columnOf(type, condition.field) });
  const parts = conditions.map(clause);
  if (anyOf.length > 0) parts.push(joined(anyOf.map(clause), " OR "));
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
      return turned(likeClause(field, condition.pattern), condition);
    case "between":
      return { sql: `${field} BETWEEN ? AND ?`, values: [condition.low, condition.high] };
    case "compare":
      return { sql: `${field} ${condition.operator} ?`, values: [condition.value] };
  }
}

/** LIKE knows the cases of ASCII only; GLOB knows none, but takes a choice of letters where one stands. */
function likeClause(field: string, pattern: LikePart[]): Clause {
  const isBeyond = pattern.some(
    (part) => isLetters(part) && part.length > 1 && part.some((one) => one > "\u007f"),
  );
  const write = isBeyond ? globPart : likePart;
  return { sql: `${field} ${isBeyond ? "GLOB" : "LIKE"} ?`, values: [pattern.map(write).join("")] };
}

const isLetters = (part: LikePart): part is string[] => typeof part !== "string";

function likePart(part: LikePart): string {
  if (isLetters(part)) return part[0] ?? "";
  return part === "any" ? "%" : "_";
}

function globPart(part: LikePart): string {
  // Between brackets nothing but ] and ^ means more than itself, and neither is special outside of them.
  if (isLetters(part))
    return part.length > 1 || "*?[".includes(part[0] ?? "") ? `[${part.join("")}]` : (part[0] ?? "");
  return part === "any" ? "*" : "?";
}

/** Turned round it also holds where there is no value. */
const turned = ({ sql, values }: Clause, { field, not }: { field: string; not: boolean }): Clause =>
  not ? { sql: `${field} IS NULL OR NOT (${sql})`, values } : { sql, values };
