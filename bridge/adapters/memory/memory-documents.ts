/** Documents of the memory CRM: the comparisons of a plan, one record at a time. */
import { constantOf, type Condition, type Operand } from "../embedded/document-conditions.ts";
import type { DocumentSource } from "../embedded/document-reader.ts";
import type { DocType, Row, Value } from "../embedded/doctypes.ts";
import type { LikePart } from "../embedded/like.ts";

export function createMemoryDocuments(rowsOf: (type: DocType) => Row[]): DocumentSource {
  const meeting = ({ type, conditions, anyOf }: Parameters<DocumentSource["count"]>[0]): Row[] =>
    rowsOf(type).filter((row) => {
      const isMet = (condition: Condition): boolean => meets(valueOf(type, row, condition.field), condition);
      return conditions.every(isMet) && (anyOf.length === 0 || anyOf.some(isMet));
    });
  return {
    list: (plan) => {
      const { type, fields, orderBy, start, limit } = plan;
      const rows = meeting(plan);
      // Equal records keep the order in which they were made, in the direction of the last field.
      return (orderBy.at(-1)?.direction === "desc" ? rows.reverse() : rows)
        .sort((a, b) => {
          for (const { field, direction } of orderBy) {
            const order = compare(valueOf(type, a, field), valueOf(type, b, field));
            if (order !== 0) return direction === "asc" ? order : -order;
          }
          return 0;
        })
        .slice(start, start + limit)
        .map((row) => Object.fromEntries(fields.map((field) => [field, valueOf(type, row, field)])));
    },
    count: (choice) => meeting(choice).length,
  };
}

const valueOf = (type: DocType, row: Row, field: string): Value =>
  constantOf(type, field) ?? row[field] ?? null;

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

/** Goes back to the last % only, so it is fast. */
function isLike(given: string, pattern: LikePart[]): boolean {
  const text = Array.from(given);
  let at = 0;
  let next = 0;
  let retry: { at: number; next: number } | null = null;
  while (at < text.length) {
    const part = pattern[next];
    if (part === "any") {
      retry = { at, next };
      next += 1;
    } else if (part === "one" || part?.includes(text[at] ?? "") === true) {
      at += 1;
      next += 1;
    } else if (retry === null) return false;
    else {
      retry = { at: retry.at + 1, next: retry.next };
      at = retry.at;
      next = retry.next + 1;
    }
  }
  return pattern.slice(next).every((part) => part === "any");
}
