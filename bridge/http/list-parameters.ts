/** Frappe's parameters of a list, as its clients write them → one query of the adapter's reader. Pure. */
import type { DocumentQuery } from "../adapter.ts";
import { BridgeError } from "../errors.ts";

const DEFAULT_LIMIT = 20;
/** Frappe takes 0 for "all"; nobody gets more than this at once. */
const MAX_LIMIT = 10_000;

type Filter = DocumentQuery["filters"][number];

const invalid = (problem: string): BridgeError => new BridgeError("VALIDATION_ERROR", problem);

/** @throws BridgeError `VALIDATION_ERROR` naming the parameter */
export function listParameters(doctype: string, given: Record<string, unknown>): DocumentQuery {
  const limit = whole(given["limit_page_length"] ?? given["limit"], "limit_page_length") ?? DEFAULT_LIMIT;
  const isAll = limit === 0;
  return {
    doctype,
    fields: fieldsOf(given["fields"]),
    filters: filtersOf(given["filters"]),
    orFilters: filtersOf(given["or_filters"], "or_filters"),
    orderBy: orderOf(given["order_by"]),
    // Frappe itself ignores the start of a list without a limit.
    start: isAll ? 0 : (whole(given["limit_start"], "limit_start") ?? 0),
    limit: isAll ? MAX_LIMIT : Math.min(limit, MAX_LIMIT),
  };
}

const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && value !== "[]";

function whole(value: unknown, name: string): number | undefined {
  if (!isGiven(value)) return undefined;
  if (!/^\d{1,9}$/.test(String(value))) throw invalid(`${name} must be a whole number.`);
  return Number(value);
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

function fieldsOf(value: unknown): string[] {
  if (!isGiven(value)) return ["name"];
  const text = typeof value === "string" ? value.trim() : null;
  const fields = text !== null && !text.startsWith("[") ? text.split(",") : jsonOf(value, "fields");
  if (!isList(fields) || fields.length === 0) throw invalid("fields must be a list of names.");
  return fields.map((field) => (field === "*" ? "*" : columnOf(field, "fields")));
}

const COLUMN = /^(?:`?tab[^`.]+`?\.)?`?([A-Za-z_][A-Za-z0-9_]{0,139})`?$/;

/** `name`, `` `name` `` and `` `tabWhatsApp Message`.`name` `` name the same column. */
function columnOf(value: unknown, where: string): string {
  const [, column] = typeof value === "string" ? (COLUMN.exec(value.trim()) ?? []) : [];
  if (column === undefined) throw invalid(`${where} names something that is not a field.`);
  return column;
}

export function filtersOf(value: unknown, name = "filters"): Filter[] {
  if (!isGiven(value)) return [];
  const filters = jsonOf(value, name);
  if (isList(filters)) {
    const isOne = filters.length > 0 && filters.every((part) => !isList(part) && !isObject(part));
    return (isOne ? [filters] : filters).flatMap((filter) =>
      isObject(filter) ? ofObject(filter) : [ofList(filter)],
    );
  }
  if (isObject(filters)) return ofObject(filters);
  throw invalid(`${name} must be a list or an object.`);
}

const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `{"status": "Read"}`, `{"timestamp": [">", "2026-01-01"]}` */
const ofObject = (filters: Record<string, unknown>): Filter[] =>
  Object.entries(filters).map(([field, value]) => {
    const [operator, operand] = isList(value) ? value : ["=", value];
    return [columnOf(field, "filters"), operatorOf(operator), operand];
  });

/** `["status", "=", "Read"]`, `["WhatsApp Message", "status", "=", "Read"]`, `["status", "Read"]` */
function ofList(filter: unknown): Filter {
  if (!isList(filter)) throw invalid("A filter must be a list.");
  const parts = filter.length === 4 ? filter.slice(1) : filter;
  if (parts.length === 2) return [columnOf(parts[0], "filters"), "=", parts[1]];
  if (parts.length !== 3) throw invalid("A filter must be [field, operator, value].");
  return [columnOf(parts[0], "filters"), operatorOf(parts[1]), parts[2]];
}

function operatorOf(value: unknown): string {
  if (typeof value !== "string" || value.length > 20)
    throw invalid("The operator of a filter must be a word.");
  return value.trim().toLowerCase();
}

function orderOf(value: unknown): DocumentQuery["orderBy"] {
  if (!isGiven(value)) return [];
  if (typeof value !== "string") throw invalid("order_by must be text.");
  return value.split(",").map((part) => {
    const [column = "", direction = "asc", ...rest] = part.trim().split(/\s+(?=(?:asc|desc)$)/i);
    const lower = direction.toLowerCase();
    if (rest.length > 0 || (lower !== "asc" && lower !== "desc"))
      throw invalid("order_by must be like `modified desc`.");
    return { field: columnOf(column, "order_by"), direction: lower };
  });
}
