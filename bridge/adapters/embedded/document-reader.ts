/** Reads the embedded CRM's records as documents, whichever engine keeps them. */
import type { DocumentReader } from "../../adapter.ts";
import { BridgeError } from "../../errors.ts";
import { shownFields } from "./document-conditions.ts";
import { choiceOf, planOf, typeNamed, type Plan } from "./document-plan.ts";
import { DOCTYPES, MEDIA, MESSAGE, type DocType, type Row } from "./doctypes.ts";
import type { Storage } from "./storage.ts";

/** What an engine must answer; it gets nothing but known fields. */
export interface DocumentSource {
  list(plan: Plan): Row[];
  count(plan: Pick<Plan, "type" | "conditions" | "anyOf">): number;
}

export function createDocumentReader(
  source: DocumentSource,
  { read }: Pick<Storage, "read">,
): DocumentReader {
  const whole = (type: DocType, field: string, value: string, orderBy: string): Row[] =>
    source.list({
      type,
      fields: shownFields(type),
      conditions: [{ field, test: "equal", value, not: false }],
      anyOf: [],
      orderBy: [{ field: orderBy, direction: "asc" }],
      start: 0,
      limit: 1000,
    });

  return {
    doctypes: DOCTYPES.map(({ doctype }) => doctype),
    list: (query) => read(() => source.list(planOf(query))),
    count: (query) => read(() => source.count(choiceOf(query))),
    get: (doctype, name) =>
      read(() => {
        const type = typeNamed(doctype);
        const [row] = whole(type, "name", name, "name");
        if (row === undefined)
          throw new BridgeError("DOCUMENT_NOT_FOUND", `There is no ${doctype} "${name.slice(0, 140)}".`);
        const children =
          type === MESSAGE
            ? { media_items: whole(MEDIA, "parent", name, "idx").map((child) => documentOf(MEDIA, child)) }
            : {};
        return { ...documentOf(type, row), ...children };
      }),
  };
}

const documentOf = ({ doctype }: DocType, row: Row): Record<string, unknown> => ({ doctype, ...row });
