/** Frappe's parameters of a list, as its clients write them → one query of the adapter's reader. Pure. */
import type { DocumentQuery } from "../adapter.ts";
import { BridgeError } from "../errors.ts";
import { FLAG_ADVICE, flagNamed, isNoFlag } from "../flag.ts";

const DEFAULT_LIMIT = 20;
/** Frappe takes 0 for "all"; nobody gets more than this at once. */
const MAX_LIMIT = 10_000;

type Filter = DocumentQuery["filters"][number];

const invalid = (problem: string): BridgeError => new BridgeError("VALIDATION_ERROR", problem);

/** @throws BridgeError `VALIDATION_ERROR` naming the parameter */
export function listParameters(doctype: string, given: Record<string, unknown>): DocumentQuery {
  const limit = whole(given["limit_page_length"] ?? given["limit"], "limit_page_length") ?? DEFAULT_LIMIT;
  const isAll = limit === 0;
  const plucked = pluckedOf(doctype, given);
  refuseUnsupported(given);
  flagOf(given, "as_dict");
  return {
    ...filtersGiven(doctype, given),
    fields: plucked === null ? fieldsOf(doctype, given["fields"]) : [plucked],
    orderBy: orderOf(doctype, given["order_by"]),
    // Frappe itself ignores the start of a list without a limit.
    start: isAll ? 0 : (whole(given["limit_start"], "limit_start") ?? 0),
    limit: isAll ? MAX_LIMIT : Math.min(limit, MAX_LIMIT),
  };
}

/** Which records are meant: of a list, and of a count. */
export function filtersGiven(
  doctype: string,
  given: Record<string, unknown>,
): Pick<DocumentQuery, "doctype" | "filters" | "orFilters"> {
  return {
    doctype,
    filters: filtersOf(given["filters"], { doctype, name: "filters" }),
    orFilters: filtersOf(given["or_filters"], { doctype, name: "or_filters" }),
  };
}

/** Answering without them would be an answer to another question. */
export function refuseUnsupported(given: Record<string, unknown>): void {
  const asked = [isGiven(given["group_by"]) && "group_by", flagOf(given, "distinct") === true && "distinct"];
  for (const name of asked)
    if (name !== false) throw invalid(`${name} is not supported here: leave it out, and group what comes.`);
}

/** The rows as Frappe gives them: objects, with `as_dict=0` lists of values, with `pluck` one field's values. */
export function shaped(rows: Record<string, unknown>[], given: Record<string, unknown>): unknown[] {
  if (isGiven(given["pluck"])) return rows.flatMap((row) => Object.values(row).slice(-1));
  return flagOf(given, "as_dict") === false ? rows.map((row) => Object.values(row)) : rows;
}

const pluckedOf = (doctype: string, given: Record<string, unknown>): string | null =>
  isGiven(given["pluck"]) ? columnOf(given["pluck"], { doctype, name: "pluck" }) : null;

const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && value !== "[]";

function whole(value: unknown, name: string): number | undefined {
  if (!isGiven(value)) return undefined;
  if (!/^\d{1,9}$/.test(String(value))) throw invalid(`${name} must be a whole number.`);
  return Number(value);
}

function flagOf(given: Record<string, unknown>, name: string): boolean | undefined {
  if (isNoFlag(given[name])) return undefined;
  const flag = flagNamed(given[name]);
  if (flag === undefined) throw invalid(`${name}: ${FLAG_ADVICE}.`);
  return flag;
}

/** Clients send JSON text in the query, or the value itself in a JSON body. */
function jsonOf(value: unknown, name: string): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new BridgeError("VALIDATION_ERROR", `${name} must be JSON.`, { cause });
  }
}

function fieldsOf(doctype: string, value: unknown): string[] {
  if (!isGiven(value)) return ["name"];
  const text = typeof value === "string" ? value.trim() : null;
  const fields = text !== null && !text.startsWith("[") ? text.split(",") : jsonOf(value, "fields");
  if (!isList(fields) || fields.length === 0) throw invalid("fields must be a list of names.");
  return fields.map((field) => (field === "*" ? "*" : columnOf(field, { doctype, name: "fields" })));
}

/** Of which list, and by which parameter. */
interface Place {
  doctype: string;
  name: string;
}

const COLUMN = /^(?:`?tab([^`.]+)`?\.)?`?([A-Za-z_][A-Za-z0-9_]{0,139})`?$/;

/** `name`, `` `name` `` and `` `tabWhatsApp Message`.`name` `` name the same column. */
function columnOf(value: unknown, place: Place): string {
  const [, table, column] = typeof value === "string" ? (COLUMN.exec(value.trim()) ?? []) : [];
  if (column === undefined) throw invalid(`${place.name} names something that is not a field.`);
  if (table !== undefined) checkDoctype(table, place);
  return column;
}

/** Records of one DocType are not found by the fields of another here. */
function checkDoctype(given: unknown, { doctype, name }: Place): void {
  if (given === doctype) return;
  const named = typeof given === "string" ? `"${given.slice(0, 140)}"` : "no DocType";
  throw invalid(
    `${name} names ${named} in a list of ${doctype.slice(0, 140)}: only its own fields can be asked for.`,
  );
}

function filtersOf(value: unknown, place: Place): Filter[] {
  if (!isGiven(value)) return [];
  const { name } = place;
  const filters = jsonOf(value, name);
  if (isList(filters)) {
    const isOne = filters.length > 0 && filters.every((part) => !isList(part) && !isObject(part));
    return (isOne ? [filters] : filters).flatMap((filter) =>
      isObject(filter) ? ofObject(filter, place) : [ofList(filter, place)],
    );
  }
  if (isObject(filters)) return ofObject(filters, place);
  throw invalid(`${name} must be a list or an object.`);
}

const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `{"status": "Read"}`, `{"timestamp": [">", "2026-01-01"]}` */
const ofObject = (filters: Record<string, unknown>, place: Place): Filter[] =>
  Object.entries(filters).map(([field, value]) => {
    const [operator, operand] = isList(value) ? value : ["=", value];
    return [columnOf(field, place), operatorOf(operator), operand];
  });

/** `["status", "Read"]`, `["status", "=", "Read"]`; `["WhatsApp Message", "status", "=", "Read", false]` with or without its end */
function ofList(filter: unknown, place: Place): Filter {
  if (!isList(filter)) throw invalid("A filter must be a list.");
  const isNamed = filter.length === 4 || filter.length === 5;
  if (isNamed) checkDoctype(filter[0], place);
  const parts = isNamed ? filter.slice(1, 4) : filter;
  if (parts.length === 2) return [columnOf(parts[0], place), "=", parts[1]];
  if (parts.length !== 3) throw invalid("A filter must be [field, operator, value].");
  return [columnOf(parts[0], place), operatorOf(parts[1]), parts[2]];
}

function operatorOf(value: unknown): string {
  if (typeof value !== "string" || value.length > 20)
    throw invalid("The operator of a filter must be a word.");
  return value.trim().toLowerCase();
}

function orderOf(doctype: string, value: unknown): DocumentQuery["orderBy"] {
  if (!isGiven(value)) return [{ field: "creation", direction: "desc" }];
  if (typeof value !== "string") throw invalid("order_by must be text.");
  return value.split(",").map((part) => {
    const [column = "", direction = "asc", ...rest] = part.trim().split(/\s+(?=(?:asc|desc)$)/i);
    const lower = direction.toLowerCase();
    if (rest.length > 0 || (lower !== "asc" && lower !== "desc"))
      throw invalid("order_by must be like `modified desc`.");
    return { field: columnOf(column, { doctype, name: "order_by" }), direction: lower };
  });
}
