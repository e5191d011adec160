/** The documents of a Frappe site in memory, with what Frappe checks and changes when one is saved. */
import { randomBytes } from "node:crypto";
import { refuse } from "./frappe-site-errors.ts";

export type Doc = Record<string, unknown> & { name: string };

export interface SiteField {
  fieldname: string;
  fieldtype: string;
  options?: string;
  default?: string;
  reqd?: number;
  unique?: number;
  search_index?: number;
  ignore_xss_filter?: number;
}

export interface SiteDocType {
  name: string;
  autoname: string;
  istable: number;
  allow_rename: number;
  fields: SiteField[];
}

export interface SiteHooks {
  validate?(doc: Doc, store: SiteStore): void;
  saved?(doc: Doc, before: Doc | null, store: SiteStore): void;
}

export interface SiteStore {
  /** What was set over the types themselves: by type the leave to rename, by `type-field-reqd` whether it must be filled in. */
  setters: Map<string, number>;
  doctypes: Map<string, SiteDocType>;
  table(doctype: string): Map<string, Doc>;
  meta(doctype: string): SiteDocType;
  insert(doctype: string, given: Record<string, unknown>): Doc;
  save(doctype: string, name: string, given: Record<string, unknown>): Doc;
  remove(doctype: string, name: string): void;
  rename(doctype: string, from: string, into: string, merge: boolean): void;
  children(doc: Doc, field: SiteField): Doc[];
  /** What the request did until it failed is undone. */
  atomically<T>(work: () => T): T;
}

const LENGTH = 140;
const TEXT_TYPES = ["Data", "Small Text", "Text", "Long Text", "Text Editor"];
const LIMITED = ["Data", "Select", "Link"];
const LARGEST_INT = 2_147_483_647;
/** What the columns behind the longer types hold. */
const BYTES: Record<string, number> = { "Small Text": 65_535, Text: 65_535 };

export const plainText = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : "";

function checkSize(fieldname: string, fieldtype: string, value: unknown): void {
  if (fieldtype === "Int" && Math.abs(Number(value)) > LARGEST_INT)
    throw refuse.tooLong(fieldname, LARGEST_INT);
  const written = plainText(value);
  // Characters, not halves of them.
  if (LIMITED.includes(fieldtype) && Array.from(written).length > LENGTH)
    throw refuse.tooLong(fieldname, LENGTH);
  if (Buffer.byteLength(written) > (BYTES[fieldtype] ?? Infinity)) throw refuse.dataTooLong(fieldname);
}

/** A required text of blanks, or of nothing but tags, counts as missing. */
const hasContent = (value: unknown): boolean =>
  typeof value === "number" ||
  plainText(value)
    .replace(/<!--.*?-->|<[^>]*>/g, "")
    .trim() !== "";

/** MariaDB compares without regard to case. */
const folded = (value: unknown): string => plainText(value).toLowerCase();

export function createSiteStore({
  now,
  hooks,
}: {
  now: () => string;
  hooks: Record<string, SiteHooks>;
}): SiteStore {
  const doctypes = new Map<string, SiteDocType>();
  let tables = new Map<string, Map<string, Doc>>();
  const series = new Map<string, number>();

  const table = (doctype: string): Map<string, Doc> => {
    const rows = tables.get(doctype) ?? new Map<string, Doc>();
    tables.set(doctype, rows);
    return rows;
  };
  const meta = (doctype: string): SiteDocType => {
    const found = doctypes.get(doctype);
    if (found === undefined) throw refuse.noModule(doctype);
    return found;
  };
  const byName = (doctype: string, name: string): Doc | undefined =>
    table(doctype).get(name) ?? [...table(doctype).values()].find((doc) => folded(doc.name) === folded(name));
  const nameFor = ({ autoname, name }: SiteDocType, given: Record<string, unknown>): string => {
    if (autoname.startsWith("field:")) return plainText(given[autoname.slice(6)]);
    const format = /^format:(.*)\{(#+)\}$/.exec(autoname);
    if (format === null) return randomBytes(5).toString("hex");
    const next = (series.get(name) ?? 0) + 1;
    series.set(name, next);
    return `${format[1] ?? ""}${String(next).padStart(format[2]?.length ?? 1, "0")}`;
  };
  const children = (doc: Doc, field: SiteField): Doc[] =>
    [...table(field.options ?? "").values()]
      .filter((child) => child["parent"] === doc.name && child["parentfield"] === field.fieldname)
      .sort((a, b) => Number(a["idx"]) - Number(b["idx"]));

  const validate = (type: SiteDocType, doc: Doc): void => {
    const missing = type.fields.filter(
      ({ fieldname, reqd }) =>
        (setters.get(`${type.name}-${fieldname}-reqd`) ?? reqd) === 1 && !hasContent(doc[fieldname]),
    );
    if (missing.length > 0)
      throw refuse.mandatory(
        type.name,
        missing.map(({ fieldname }) => fieldname),
      );
    for (const field of type.fields) validateField(field, doc);
    for (const field of type.fields.filter(({ unique }) => unique === 1)) {
      const value = doc[field.fieldname] ?? "";
      const isTaken = [...table(type.name).values()].some(
        (other) => other.name !== doc.name && folded(other[field.fieldname]) === folded(value),
      );
      if (value !== "" && isTaken) throw refuse.notUnique(field.fieldname);
    }
  };

  const validateField = (
    { fieldname, fieldtype, options = "", ignore_xss_filter }: SiteField,
    doc: Doc,
  ): void => {
    const value = doc[fieldname];
    checkSize(fieldname, fieldtype, value);
    if (typeof value !== "string" || value === "") return;
    if (fieldtype === "Link" && byName(options, value) === undefined) throw refuse.noLink(fieldname, value);
    if (fieldtype === "Select" && !options.split("\n").includes(value))
      throw refuse.badOption(fieldname, value);
    if (fieldtype === "Datetime" && !/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?$/.test(value))
      throw refuse.badOption(fieldname, value);
    if (TEXT_TYPES.includes(fieldtype) && ignore_xss_filter !== 1 && /[<>]/.test(value) && !isJson(value))
      doc[fieldname] = sanitised(value);
  };

  /** Columns only: what a type does not have is dropped without a word. */
  const columns = (type: SiteDocType, given: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(
      type.fields
        .filter(({ fieldname, fieldtype }) => fieldtype !== "Table" && fieldname in given)
        .map(({ fieldname, fieldtype }) => [fieldname, stored(fieldtype, given[fieldname])]),
    );

  const defaults = (type: SiteDocType): Record<string, unknown> =>
    Object.fromEntries(
      type.fields
        .filter(({ fieldtype }) => fieldtype !== "Table")
        .map(({ fieldname, fieldtype, default: value }) => [
          fieldname,
          ["Check", "Int"].includes(fieldtype) ? Number(value ?? 0) : (value ?? null),
        ]),
    );

  const writeChildren = (type: SiteDocType, doc: Doc, given: Record<string, unknown>): void => {
    for (const field of type.fields.filter(
      ({ fieldtype, fieldname }) => fieldtype === "Table" && fieldname in given,
    )) {
      const rows = given[field.fieldname];
      if (!Array.isArray(rows)) continue;
      const child = meta(field.options ?? "");
      for (const old of children(doc, field)) table(child.name).delete(old.name);
      rows.forEach((row: Record<string, unknown>, index) => {
        const name = typeof row["name"] === "string" ? row["name"] : nameFor(child, row);
        const made: Doc = {
          ...defaults(child),
          ...columns(child, row),
          name,
          parent: doc.name,
          parenttype: type.name,
          parentfield: field.fieldname,
          idx: index + 1,
          creation: now(),
          modified: now(),
        };
        validate(child, made);
        table(child.name).set(name, made);
      });
    }
  };

  const setters = new Map<string, number>();
  const store: SiteStore = {
    setters,
    doctypes,
    table,
    meta,
    children,
    insert: (doctype, given) => {
      const type = meta(doctype);
      const name = nameFor(type, given);
      const doc: Doc = {
        ...defaults(type),
        ...columns(type, given),
        name,
        creation: now(),
        modified: now(),
        owner: "api",
      };
      if (name !== "" && byName(doctype, name) !== undefined) throw refuse.duplicateName(doctype, name);
      hooks[doctype]?.validate?.(doc, store);
      validate(type, doc);
      table(doctype).set(name, doc);
      writeChildren(type, doc, given);
      hooks[doctype]?.saved?.(doc, null, store);
      return doc;
    },
    save: (doctype, name, given) => {
      const type = meta(doctype);
      const before = byName(doctype, name);
      if (before === undefined) throw refuse.notFound(doctype, name);
      if (typeof given["modified"] === "string" && given["modified"] !== before["modified"])
        throw refuse.changed();
      const doc: Doc = { ...before, ...columns(type, given), name: before.name, modified: now() };
      hooks[doctype]?.validate?.(doc, store);
      validate(type, doc);
      table(doctype).set(doc.name, doc);
      writeChildren(type, doc, given);
      hooks[doctype]?.saved?.(doc, before, store);
      return doc;
    },
    remove: (doctype, name) => {
      if (!table(meta(doctype).name).has(name)) throw refuse.notFound(doctype, name);
      for (const type of doctypes.values())
        for (const { fieldname, fieldtype, options } of type.fields)
          if (fieldtype === "Link" && options === doctype)
            for (const doc of table(type.name).values())
              if (doc[fieldname] === name) throw refuse.linked(type.name, doc.name);
      table(doctype).delete(name);
    },
    rename: (doctype, from, into, merge) => {
      const type = meta(doctype);
      const doc = table(doctype).get(from);
      if (doc === undefined) throw refuse.notFound(doctype, from);
      if ((setters.get(doctype) ?? type.allow_rename) !== 1) throw refuse.noRename(doctype);
      if (table(doctype).has(into) !== merge)
        throw merge ? refuse.notFound(doctype, into) : refuse.duplicateName(doctype, into);
      for (const { name, fields } of doctypes.values())
        for (const { fieldname } of fields.filter(
          (field) => field.fieldtype === "Link" && field.options === doctype,
        ))
          for (const other of table(name).values()) if (other[fieldname] === from) other[fieldname] = into;
      table(doctype).delete(from);
      if (merge) return;
      const keyField = type.autoname.startsWith("field:") ? { [type.autoname.slice(6)]: into } : {};
      table(doctype).set(into, { ...doc, ...keyField, name: into });
    },
    atomically: (work) => {
      const before = structuredClone(tables);
      try {
        return work();
      } catch (error) {
        tables = before;
        throw error;
      }
    },
  };
  return store;
}

function stored(fieldtype: string, value: unknown): unknown {
  if (fieldtype === "Check" || fieldtype === "Int") return Math.trunc(Number(value ?? 0));
  if (value === undefined || value === null) return null;
  if (fieldtype === "Datetime" && typeof value === "string") return value.replace(/\.0+$/, "");
  return typeof value === "object" ? JSON.stringify(value) : value;
}

/** Tags that are not harmless go, and what is left is escaped as HTML. */
const sanitised = (text: string): string =>
  text
    .replace(/<(script|style|iframe)\b[\s\S]*?<\/\1>/gi, "")
    .replace(/&(?!\w+;)/g, "&amp;")
    .replace(/<(?!\/?(?:b|i|p|br|div|strong|em)\b)/gi, "&lt;")
    .replace(/(^|[^a-z"'/])>/gi, "$1&gt;");

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // this is the question
  }
}
