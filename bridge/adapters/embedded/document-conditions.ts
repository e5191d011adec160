/** Filters as clients write them → conditions over known fields, or the reason why not. Pure. */
import type { DocumentQuery } from "../../adapter.ts";
import { BridgeError } from "../../errors.ts";
import type { DocType, Kind } from "./doctypes.ts";
import { likeParts, type LikePart } from "./like.ts";
import { dayEnd, momentOfText } from "./moment-text.ts";

export type Operand = string | number;

/** `not` turns a test round; records without a value then count as "not". */
export type Condition = { field: string } & (
  | { test: "compare"; operator: ">" | ">=" | "<" | "<="; value: Operand }
  | { test: "equal"; value: Operand; not: boolean }
  | { test: "like"; pattern: LikePart[]; not: boolean }
  | { test: "in"; values: Operand[]; not: boolean }
  | { test: "between"; low: Operand; high: Operand }
  | { test: "set"; not: boolean }
);

const MAX_CONDITIONS = 50;
const MAX_VALUES = 1000;
const MAX_PATTERN = 1000;
const STANDARD: Record<string, Kind> = {
  name: "key",
  creation: "moment",
  modified: "moment",
  owner: "key",
  modified_by: "key",
  docstatus: "int",
  idx: "int",
};
/** Frappe's standard fields that say the same of every record here: one user writes them all, and none is submitted. */
const CONSTANTS: Record<string, Operand> = {
  owner: "Administrator",
  modified_by: "Administrator",
  docstatus: 0,
  idx: 0,
};

const invalid = (problem: string): BridgeError => new BridgeError("VALIDATION_ERROR", problem);

export const shownFields = (type: DocType): string[] => [
  ...new Set([...Object.keys(STANDARD), ...Object.keys(type.fields)]),
];

/** What a field says of every record of the type; undefined where each has its own. */
export const constantOf = (type: DocType, field: string): Operand | undefined =>
  field in type.fields ? undefined : CONSTANTS[field];

/** @throws BridgeError when the document type has no such field */
export function kindOf(type: DocType, field: string): Kind {
  // Own keys only: "constructor" is no field.
  const kind = new Map(Object.entries({ ...STANDARD, ...type.fields })).get(field);
  if (kind === undefined) throw invalid(`${type.doctype} has no field "${field.slice(0, 140)}".`);
  return kind;
}

/** @throws BridgeError `VALIDATION_ERROR` */
export function conditionsOf(type: DocType, filters: DocumentQuery["filters"]): Condition[] {
  if (filters.length > MAX_CONDITIONS) throw invalid(`Use at most ${MAX_CONDITIONS} filters.`);
  return filters.map(([field, operator, value]) => {
    const make = OPERATORS.get(operator.trim().toLowerCase());
    const column = { field, kind: kindOf(type, field) };
    if (make === undefined) throw invalid(`There is no operator "${operator.slice(0, 20)}".`);
    return make(column, value);
  });
}

interface Column {
  field: string;
  kind: Kind;
}
type Make = (column: Column, value: unknown) => Condition;

const equal =
  (not: boolean): Make =>
  (column, value) =>
    isNothing(value)
      ? { field: column.field, test: "set", not: !not }
      : { field: column.field, test: "equal", value: operandOf(column, value), not };

const compare =
  (operator: ">" | ">=" | "<" | "<="): Make =>
  (column, value) => ({
    field: column.field,
    test: "compare",
    operator,
    value: operandOf(column, value),
  });

const like =
  (not: boolean): Make =>
  ({ field }, value) => ({ field, test: "like", pattern: likeParts(patternOf(field, value)), not });

const oneOf =
  (not: boolean): Make =>
  (column, value) => ({
    field: column.field,
    test: "in",
    values: listOf(column.field, value).map((item) => operandOf(column, item)),
    not,
  });

const between: Make = (column, value) => {
  const { field } = column;
  const [low, high, ...rest] = listOf(field, value);
  if (isNothing(low) || isNothing(high) || rest.length > 0)
    throw invalid(`"${field}" is between two values.`);
  return {
    field,
    test: "between",
    low: operandOf(column, low),
    high: operandOf(column, isTime(column.kind) ? dayEnd(high) : high),
  };
};

const is: Make = ({ field }, value) => {
  const word = typeof value === "string" ? value.trim().toLowerCase() : "";
  if (word !== "set" && word !== "not set") throw invalid(`"${field}" is "set" or "not set".`);
  return { field, test: "set", not: word === "not set" };
};

const OPERATORS = new Map<string, Make>([
  ["=", equal(false)],
  ["!=", equal(true)],
  [">", compare(">")],
  [">=", compare(">=")],
  ["<", compare("<")],
  ["<=", compare("<=")],
  ["like", like(false)],
  ["not like", like(true)],
  ["in", oneOf(false)],
  ["not in", oneOf(true)],
  ["between", between],
  ["is", is],
]);

const isNothing = (value: unknown): boolean => value === null || value === undefined || value === "";
const isTime = (kind: Kind): boolean => kind === "time" || kind === "moment";
const isNumber = (kind: Kind): boolean => kind === "int" || kind === "check";

function patternOf(field: string, value: unknown): string {
  if (typeof value !== "string" && typeof value !== "number")
    throw invalid(`"${field}" is like a text with % and _.`);
  const pattern = String(value);
  if (pattern.length > MAX_PATTERN) throw invalid(`Use patterns of at most ${MAX_PATTERN} characters.`);
  return pattern;
}

/** A list, or what Frappe's clients write for one: values separated by commas. */
function listOf(field: string, value: unknown): unknown[] {
  const items: unknown = typeof value === "string" ? value.split(",").map((item) => item.trim()) : value;
  if (!Array.isArray(items)) throw invalid(`"${field}" is in a list of values.`);
  if (items.length > MAX_VALUES) throw invalid(`Use lists of at most ${MAX_VALUES} values.`);
  return items;
}

/** A value as the column holds it, so that text and numbers compare as what they mean. */
function operandOf({ field, kind }: Column, value: unknown): Operand {
  const given = typeof value === "boolean" ? Number(value) : (value ?? "");
  if (typeof given !== "string" && typeof given !== "number")
    throw invalid(`"${field}" is compared with a value.`);
  if (isTime(kind)) return momentOperand(field, String(given));
  return isNumber(kind) ? numberOperand(field, given) : String(given);
}

function momentOperand(field: string, given: string): string {
  const moment = momentOfText(given);
  if (moment === null) throw invalid(`"${field}" is a moment such as 2026-01-31 10:00:00.`);
  return moment;
}

function numberOperand(field: string, given: Operand): number {
  const number = Number(given);
  if (!Number.isFinite(number) || given === "") throw invalid(`"${field}" is a number.`);
  return number;
}
