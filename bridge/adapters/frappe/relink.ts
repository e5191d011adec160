/**
 * One document becomes another. Frappe's own rename does it in one request, whatever points at the document; a site that
 * does not let documents of the type be renamed gets every link moved one by one.
 */
import { CrmMisconfigured } from "../../errors.ts";
import { DOCTYPES } from "./doctypes.ts";
import { text, type Row } from "./field-values.ts";
import { sentAt } from "./message-fields.ts";
import { SiteRefusal } from "./site-answer.ts";
import { CLIENT, MESSAGE, type Site } from "./site.ts";

export interface Relinks {
  /** Whatever pointed at `from` points at `into`, and `from` is gone. Both exist. */
  join(doctype: string, from: string, into: string): Promise<void>;
  /** The name it has from now on: its own where the site renames nothing. */
  rename(doctype: string, from: string, into: string): Promise<string>;
}

/** Fields that point at documents of a type. A client is linked by phone number, and nothing that goes away has one. */
const linksTo = (doctype: string): { of: string; field: string }[] =>
  DOCTYPES.filter(({ name }) => name !== CLIENT).flatMap(({ name, fields }) =>
    fields
      .filter(({ fieldtype, options }) => fieldtype === "Link" && options === doctype)
      .map(({ fieldname }) => ({ of: name, field: fieldname })),
  );

/** In whatever language: a site says it by the exception all refusals of its rules have. */
const mayNotRename = (error: unknown): boolean =>
  error instanceof SiteRefusal && error.excType === "ValidationError";

/** Something of the site's own points at it, or the key may delete nothing: it stays, and nothing of ours is in it. */
const mustStay = (error: unknown): error is Error =>
  error instanceof CrmMisconfigured || (error instanceof SiteRefusal && error.excType === "LinkExistsError");

export function createRelinks({ tables, time, log }: Pick<Site, "tables" | "time" | "log">): Relinks {
  const moveLinks = async (of: string, field: string, from: string, into: string): Promise<void> => {
    const rows = await tables.all(of, {
      fields: of === MESSAGE ? ["name", "direction", "sent_at", "timestamp"] : ["name"],
      filters: [[field, "=", from]],
      orderBy: "name asc",
    });
    const at = await time();
    const beside = (row: Row) => (of === MESSAGE ? sentAt(row, at) : {});
    for (const row of rows)
      await tables.update(of, { name: text(row, "name"), changes: { [field]: into, ...beside(row) } });
  };

  return {
    join: async (doctype, from, into) => {
      try {
        await tables.rename(doctype, from, into, true);
        return;
      } catch (error) {
        if (!mayNotRename(error)) throw error;
      }
      for (const { of, field } of linksTo(doctype)) await moveLinks(of, field, from, into);
      try {
        await tables.remove(doctype, from);
      } catch (error) {
        if (!mustStay(error)) throw error;
        log.warn({ doctype, problem: error.name }, "frappe.emptied_document_stays");
      }
    },
    rename: async (doctype, from, into) => {
      if (from === into) return from;
      try {
        await tables.rename(doctype, from, into, false);
        return into;
      } catch (error) {
        if (!mayNotRename(error)) throw error;
        return from;
      }
    },
  };
}
