/** What a reader asks for → a plan made only of known fields and comparisons, or the reason why not. Pure. */
import type { DocumentQuery } from "../../adapter.ts";
import { BridgeError } from "../../errors.ts";
import { conditionsOf, kindOf, shownFields, type Condition } from "./document-conditions.ts";
import { DOCTYPES, type DocType } from "./doctypes.ts";

export interface Plan {
  type: DocType;
  fields: string[];
  conditions: Condition[];
  /** One of them must hold, where there are any. */
  anyOf: Condition[];
  orderBy: DocumentQuery["orderBy"];
  start: number;
  limit: number;
}

/** @throws BridgeError `DOCTYPE_NOT_FOUND` */
export function typeNamed(doctype: string): DocType {
  const type = DOCTYPES.find((known) => known.doctype === doctype);
  if (type === undefined)
    throw new BridgeError("DOCTYPE_NOT_FOUND", `There is no document type "${doctype.slice(0, 140)}".`);
  return type;
}

/** @throws BridgeError `DOCTYPE_NOT_FOUND`, `VALIDATION_ERROR` */
export function planOf(query: DocumentQuery): Plan {
  const type = typeNamed(query.doctype);
  return {
    type,
    fields: fieldsOf(type, query.fields),
    conditions: conditionsOf(type, query.filters),
    anyOf: conditionsOf(type, query.orFilters ?? []),
    orderBy: query.orderBy.map(({ field, direction }) => {
      kindOf(type, field);
      return { field, direction };
    }),
    start: query.start,
    limit: query.limit,
  };
}

function fieldsOf(type: DocType, asked: string[]): string[] {
  const fields = asked.length === 0 ? ["name"] : asked;
  if (fields.includes("*")) return shownFields(type);
  for (const field of fields) kindOf(type, field);
  return [...new Set(fields)];
}
