/** What a reader asks for → a plan made only of known fields and comparisons, or the reason why not. Pure. */
import type { DocumentQuery } from "../../adapter.ts";
import { BridgeError } from "../../errors.ts";
import { conditionsOf, kindOf, shownFields, type Condition } from "./document-conditions.ts";
import { DOCTYPES, type DocType } from "./doctypes.ts";

export interface Plan {
  type: DocType;
  fields: string[];
  conditions: Condition[];
  /** One of these must hold too, where there are any. */
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

/** Which records are meant. @throws BridgeError `DOCTYPE_NOT_FOUND`, `VALIDATION_ERROR` */
export function choiceOf({
  doctype,
  filters,
  orFilters = [],
}: Pick<DocumentQuery, "doctype" | "filters" | "orFilters">): Pick<Plan, "type" | "conditions" | "anyOf"> {
  const type = typeNamed(doctype);
  return { type, conditions: conditionsOf(type, filters), anyOf: conditionsOf(type, orFilters) };
}

/** @throws BridgeError `DOCTYPE_NOT_FOUND`, `VALIDATION_ERROR` */
export function planOf(query: DocumentQuery): Plan {
  const choice = choiceOf(query);
  const { type } = choice;
  return {
    ...choice,
    fields: fieldsOf(type, query.fields),
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
