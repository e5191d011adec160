/** Lists of a Frappe site: twenty rows, only names, in no order, unless a caller asks for something else. */
import { createHash } from "node:crypto";
import { SiteError } from "./frappe-site-errors.ts";
import { plainText, type Doc, type SiteDocType, type SiteStore } from "./frappe-site-store.ts";

export interface ListArgs {
  fields?: unknown;
  filters?: unknown;
  order_by?: unknown;
  group_by?: unknown;
  limit_start?: unknown;
  limit_page_length?: unknown;
}

/** What a list says about a column that is not there: it differs between releases. */
export type UnknownField = "refused" | "sql error" | "left out";
/** How a list wants to be told what to count: as text until Frappe 15, as an object since 16. */
export type Functions = "text" | "objects";

export interface ListManners {
  unknownField: UnknownField;
  functions: Functions;
}

const STANDARD = [
  "name",
  "creation",
  "modified",
  "owner",
  "docstatus",
  "idx",
  "parent",
  "parenttype",
  "parentfield",
];
const AGGREGATE = /^(count|min|max)\((\w+)\) as (\w+)$/;

const sqlError = (doctype: string, field: string, where: string): SiteError =>
  new SiteError(500, "OperationalError", `(1054, "Unknown column 'tab${doctype}.${field}' in '${where}'")`);

export function listDocs(
  store: SiteStore,
  doctype: string,
  args: ListArgs,
  { unknownField, functions }: ListManners,
): Record<string, unknown>[] {
  const type = store.doctypes.get(doctype);
  if (type === undefined) throw new SiteError(404, "DoesNotExistError", `DocType ${doctype} not found`);
  const fields = fieldsOf(type, told(args.fields, functions), unknownField);
  const rows = matching(store, type, args.filters);
  checkOrder(type, args, fields);
  const grouped = typeof args.group_by === "string" && args.group_by !== "" ? args.group_by : null;
  const shown =
    grouped === null
      ? ordered(rows, args.order_by).map((row) => picked(row, fields))
      : ordered(groups(rows, grouped, fields), args.order_by);
  const limit = Number(args.limit_page_length ?? 20);
  const start = Number(args.limit_start ?? 0);
  return limit === 0 ? shown : shown.slice(start, start + limit);
}

/** What a list is ordered or grouped by is a column, or the name that an aggregate was given. */
function checkOrder(type: SiteDocType, { order_by, group_by }: ListArgs, fields: string[]): void {
  const aliases = fields.map((field) => AGGREGATE.exec(field)?.[3]);
  const parts = `${plainText(order_by)},${plainText(group_by)}`.split(",").map((part) => part.trim());
  for (const part of parts.filter((one) => one !== "")) {
    const [field = "", direction = "asc", ...rest] = part.split(/\s+/);
    if (rest.length > 0 || !["asc", "desc"].includes(direction.toLowerCase()))
      throw new SiteError(417, "DataError", `Illegal SQL Query: ${part}`);
    if (!hasColumn(type, field) && !aliases.includes(field)) throw sqlError(type.name, field, "ORDER BY");
  }
}

export const matching = (store: SiteStore, type: SiteDocType, filters: unknown): Doc[] => {
  const conditions = conditionsOf(filters);
  for (const [field] of conditions) if (!hasColumn(type, field)) throw sqlError(type.name, field, "WHERE");
  return [...store.table(type.name).values()].filter((row) =>
    conditions.every(([field, operator, value]) => holds(row[field], operator, value)),
  );
};

const hasColumn = (type: SiteDocType, field: string): boolean =>
  STANDARD.includes(field) ||
  type.fields.some(({ fieldname, fieldtype }) => fieldname === field && fieldtype !== "Table");

/** Fields as one kind of text, whatever the release wants to hear. */
function told(given: unknown, functions: Functions): unknown {
  const fields: unknown = typeof given === "string" ? JSON.parse(given) : given;
  if (!Array.isArray(fields)) return fields;
  return fields.map((field: unknown) => {
    if (typeof field !== "object" || field === null) {
      if (functions === "objects" && String(field).includes("("))
        throw new SiteError(
          417,
          "ValidationError",
          `SQL functions are not allowed as strings in SELECT: ${String(field)}. Use dict syntax like {'COUNT': '*'} instead.`,
        );
      return field;
    }
    if (functions === "text")
      throw new SiteError(500, "AttributeError", "'dict' object has no attribute 'lower'");
    const { as, ...work } = field as Record<string, string>;
    const [[name, column] = []] = Object.entries(work);
    return `${(name ?? "").toLowerCase()}(${column}) as ${as}`;
  });
}

function fieldsOf(type: SiteDocType, fields: unknown, unknownField: UnknownField): string[] {
  if (!Array.isArray(fields) || fields.length === 0) return ["name"];
  const wanted = fields.map(String);
  const columnOf = (field: string): string => AGGREGATE.exec(field)?.[2] ?? field;
  for (const field of wanted) {
    if (field === "*" || hasColumn(type, columnOf(field))) continue;
    if (unknownField === "refused")
      throw new SiteError(417, "DataError", `Field not permitted in query: ${columnOf(field)}`);
    if (unknownField === "sql error") throw sqlError(type.name, columnOf(field), "SELECT");
  }
  return wanted.filter((field) => field === "*" || hasColumn(type, columnOf(field)));
}

type Condition = [field: string, operator: string, value: unknown];

function conditionsOf(given: unknown): Condition[] {
  const filters: unknown = typeof given === "string" ? JSON.parse(given) : (given ?? []);
  if (Array.isArray(filters))
    return filters.map((filter: unknown[]): Condition => {
      const [field, operator, value] = filter.length === 4 ? filter.slice(1) : filter;
      return [String(field), String(operator).toLowerCase(), value];
    });
  return Object.entries(filters as Record<string, unknown>).map(([field, value]): Condition =>
    Array.isArray(value) ? [field, String(value[0]), value[1]] : [field, "=", value],
  );
}

const folded = (value: unknown): string =>
  plainText(value)
    .toLowerCase()
    .replace(/^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})\.0+$/, "$1");

function holds(stored: unknown, operator: string, value: unknown): boolean {
  const [one, other] = [folded(stored), folded(value)];
  switch (operator) {
    case "=":
      return one === other;
    case "!=":
      return one !== other;
    case "in":
      return (Array.isArray(value) ? value : String(value).split(",")).map(folded).includes(one);
    case "like":
      return likePattern(other).test(one);
    case ">":
      return one > other;
    case "<":
      return one < other;
    default:
      throw new SiteError(417, "ValidationError", `Operator ${operator} is not known here`);
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Any characters for %, any one for _: ids of sessions have those. */
const likePattern = (text: string): RegExp =>
  new RegExp(`^${escaped(text).replaceAll("%", ".*").replaceAll("_", ".")}$`, "su");

function ordered<T extends Record<string, unknown>>(rows: T[], orderBy: unknown): T[] {
  // Whatever the database finds first: nobody may rely on it, so it is shuffled the same way every time.
  if (typeof orderBy !== "string" || orderBy.trim() === "")
    return rows.toSorted((a, b) => (hash(String(a["name"])) < hash(String(b["name"])) ? -1 : 1));
  const keys = orderBy.split(",").map((part) => part.trim().split(/\s+/));
  return rows.toSorted((a, b) => {
    for (const [field = "", direction = "asc"] of keys) {
      const [x, y] = [plainText(a[field]), plainText(b[field])];
      if (x !== y) return (x < y ? -1 : 1) * (direction.toLowerCase() === "desc" ? -1 : 1);
    }
    return 0;
  });
}

const hash = (text: string): string => createHash("sha1").update(text).digest("hex");

function groups(rows: Doc[], by: string, fields: string[]): Record<string, unknown>[] {
  const members = new Map<string, Doc[]>();
  for (const row of rows) members.set(String(row[by]), [...(members.get(String(row[by])) ?? []), row]);
  return [...members.values()].map((group) =>
    Object.fromEntries(
      fields.map((field): [string, unknown] => {
        const [, kind, column = "", alias = ""] = AGGREGATE.exec(field) ?? [];
        if (kind === undefined) return [field, group[0]?.[field] ?? null];
        if (kind === "count") return [alias, group.length];
        const values = group.map((row) => String(row[column])).sort();
        return [alias, kind === "min" ? values[0] : values.at(-1)];
      }),
    ),
  );
}

const picked = (row: Doc, fields: string[]): Record<string, unknown> =>
  fields.includes("*") ? { ...row } : Object.fromEntries(fields.map((field) => [field, row[field] ?? null]));
