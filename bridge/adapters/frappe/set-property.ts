/** One property of a document type that a site has already, or of a field of it, set in the way its own forms set it. */
import { CrmMisconfigured } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { text } from "./field-values.ts";
import { SiteRefusal } from "./site-answer.ts";
import type { SiteCalls } from "./site-calls.ts";
import type { Filter, SiteTables } from "./site-tables.ts";

export interface Property {
  doctype: string;
  /** Absent: the property is the type's own. */
  fieldname?: string;
  property: "allow_rename" | "reqd" | "search_index";
  isOn: boolean;
}

/**
 * Whether it was set now. A site may keep such changes from the bridge's user: then `refused` is said, with what a person can
 * do.
 */
export async function setProperty(
  { doctype, fieldname, property, isOn }: Property,
  { done, refused, advice }: { done: string; refused: string; advice: string },
  { calls, tables, log }: { calls: SiteCalls; tables: SiteTables; log: Log },
): Promise<boolean> {
  const facts = { doctype, ...(fieldname === undefined ? {} : { field: fieldname }) };
  const ofField: Filter[] = fieldname === undefined ? [] : [["field_name", "=", fieldname]];
  const value = isOn ? "1" : "0";
  try {
    const setters = await tables.list("Property Setter", {
      fields: ["value"],
      filters: [["doc_type", "=", doctype], ["property", "=", property], ...ofField],
      orderBy: "creation asc",
      limit: 1,
    });
    if (setters.some((row) => text(row, "value") === value)) return false;
    await calls.write("POST", "/api/resource/Property%20Setter", {
      doctype_or_field: fieldname === undefined ? "DocType" : "DocField",
      doc_type: doctype,
      ...(fieldname === undefined ? {} : { field_name: fieldname }),
      property,
      property_type: "Check",
      value,
    });
    log.info(facts, done);
    return true;
  } catch (error) {
    if (!(error instanceof CrmMisconfigured || error instanceof SiteRefusal)) throw error;
    log.warn({ ...facts, problem: error.name, advice }, refused);
    return false;
  }
}
