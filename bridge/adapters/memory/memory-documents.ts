/** Documents of the memory CRM: the comparisons of a plan, one record at a time. */
import type { Condition, Operand } from "../embedded/document-conditions.ts";
import type { DocumentSource } from "../embedded/document-reader.ts";
import type { DocType, Row, Value } from "../embedded/doctypes.ts";

export function createMemoryDocuments(rowsOf: (type: DocType) => Row[]): DocumentSource {
  const meeting = (type: DocType, conditions: Condition[], anyOf: Condition[]): Row[] =>
    rowsOf(type).filter((row) => {
      const isMet = (condition: Condition): boolean => meets(row[condition.field] ?? null, condition);
      return conditions.every(isMet) && (anyOf.length === 0 || anyOf.some(isMet));
    });
  return {
    list: ({ type, fields, conditions, anyOf, orderBy, start, limit }) => {
      const rows = meeting(type, conditions, anyOf);
      // Equal records keep the order in which they were made, in the direction of the last field.
      return (orderBy.at(-1)?.direction === "desc" ? rows.reverse() : rows)
        .sort((a, b) => {
          for (const { field, direction } of orderBy) {
            const order = compare(a[field] ?? null, b[field] ?? null);
            if (order !== 0) return direction === "asc" ? order : -order;
          }
          return 0;
        })
        .slice(start, start + limit)
        .map((row) => Object.fromEntries(fields.map((field) => [field, row[field] ?? null])));
    },
    count: (type, conditions) => meeting(type, conditions, []).length,
  };
}

/** Nothing comes first. */
function compare(one: Value, other: Value): number {
  if (one === other) return 0;
  if (one === null || (other !== null && one < other)) return -1;
  return 1;
}

/** No value meets nothing but a "not". */
function meets(value: Value, condition: Condition): boolean {
  const isMet = value !== null && holds(value, condition);
  return "not" in condition && condition.not ? !isMet : isMet;
}

function holds(value: Operand, condition: Condition): boolean {
  switch (condition.test) {
    case "set":
      return value !== "";
    case "equal":
      return value === condition.value;
    case "in":
      return condition.values.includes(value);
    case "like":
      return isLike(String(value), condition.pattern);
    case "between":
      return value >= condition.low && value <= condition.high;
    case "compare":
      return COMPARES[condition.operator](value, condition.value);
  }
}

const COMPARES: Record<">" | ">=" | "<" | "<=", (value: Operand, other: Operand) => boolean> = {
  ">": (value, other) => value > other,
  ">=": (value, other) => value >= other,
  "<": (value, other) => value < other,
  "<=": (value, other) => value <= other,
};

/** SQL's LIKE: % is any text, _ one character, letters a-z in either case. Goes back to the last % only, so it is fast. */
function isLike(given: string, wanted: string): boolean {
  const text = Array.from(lower(given));
  const pattern = Array.from(lower(wanted));
  let at = 0;
  let next = 0;
  let retry: { at: number; next: number } | null = null;
  while (at < text.length) {
    if (pattern[next] === "%") {
      retry = { at, next };
      next += 1;
    } else if (pattern[next] === "_" || pattern[next] === text[at]) {
      at += 1;
      next += 1;
    } else if (retry === null) return false;
    else {
      retry = { at: retry.at + 1, next: retry.next };
      at = retry.at;
      next = retry.next + 1;
    }
  }
  return pattern.slice(next).every((character) => character === "%");
}

const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
