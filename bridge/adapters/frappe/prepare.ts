/** Makes a site ready: missing document types are created, existing ones get the fields they lack, and roles their rights. Safe to repeat. */
import { z } from "zod";
import type { Log } from "../../log.ts";
import { DOCTYPES, type DocTypeDefinition, type FieldDefinition } from "./doctypes.ts";
import { isSet, text, type Row } from "./field-values.ts";
import { prepareRoles } from "./roles.ts";
import { setProperty } from "./set-property.ts";
import { CLIENT } from "./site.ts";
import { isDuplicate, SiteRefusal } from "./site-answer.ts";
import type { SiteCalls } from "./site-calls.ts";
import type { SiteTables } from "./site-tables.ts";

export async function prepareSite({
  calls,
  tables,
  log,
}: {
  calls: SiteCalls;
  tables: SiteTables;
  log: Log;
}): Promise<void> {
  const existing = await tables.list("DocType", {
    fields: ["name"],
    filters: [["name", "in", DOCTYPES.map(({ name }) => name)]],
    orderBy: "name asc",
    limit: DOCTYPES.length,
  });
  const names = new Set(existing.map((row) => text(row, "name")));
  for (const doctype of DOCTYPES) {
    if (names.has(doctype.name)) await complete(doctype);
    else if (await created(() => createDocType(doctype)))
      log.info({ doctype: doctype.name }, "frappe.doctype_created");
  }
  await prepareRoles({ calls, tables, log });
  tables.forgetMissing();

  async function complete(doctype: DocTypeDefinition): Promise<void> {
    const document = await tables.get("DocType", doctype.name);
    await addMissingFields(doctype, document);
    if (doctype.istable !== 1 && document !== null && !isSet(document, "allow_rename"))
      await allowRename(doctype.name);
    if (doctype.name === CLIENT && isRequired(document, "external_id"))
      await freeField(CLIENT, "external_id");
  }

  /** Renamed documents keep all that points at them. Without leave the links are moved one by one, those that are known. */
  function allowRename(doctype: string): Promise<void> {
    return setProperty(
      { doctype, property: "allow_rename", isOn: true },
      {
        done: "frappe.rename_allowed",
        refused: "frappe.rename_not_allowed",
        advice: "tick Allow Rename in its form",
      },
      { calls, tables, log },
    );
  }

  /** An earlier bridge made it so that only clients of the directory could be saved, and none that a person enters. */
  function freeField(doctype: string, fieldname: string): Promise<void> {
    return setProperty(
      { doctype, fieldname, property: "reqd", isOn: false },
      {
        done: "frappe.field_freed",
        refused: "frappe.field_not_freed",
        advice: "untick Mandatory of this field in the form of its document type",
      },
      { calls, tables, log },
    );
  }

  async function addMissingFields({ name, fields }: DocTypeDefinition, document: Row | null): Promise<void> {
    const customFields = await tables.all("Custom Field", {
      fields: ["fieldname"],
      filters: [["dt", "=", name]],
      orderBy: "fieldname asc",
    });
    const own = withFields.safeParse(document).data?.fields ?? [];
    const present = new Set([
      ...own.map(({ fieldname }) => fieldname),
      ...customFields.map((row) => text(row, "fieldname")),
    ]);
    for (const field of fields.filter(({ fieldname }) => !present.has(fieldname)))
      if (
        await created(() =>
          calls.write("POST", "/api/resource/Custom%20Field", { dt: name, ...asAddition(field) }),
        )
      )
        log.info({ doctype: name, field: field.fieldname }, "frappe.field_created");
  }

  function createDocType({
    name,
    autoname,
    istable,
    title_field,
    fields,
  }: DocTypeDefinition): Promise<unknown> {
    return calls.write("POST", "/api/resource/DocType", {
      name,
      module: "Custom",
      custom: 1,
      autoname,
      istable: istable ?? 0,
      ...(title_field === undefined ? {} : { title_field }),
      // The rename of a contact or conversation is how a hidden id gets its number.
      allow_rename: 1,
      track_changes: 0,
      fields,
      permissions: istable === 1 ? [] : [PERMISSION],
    });
  }

  /** False when somebody else created it in the same moment. */
  async function created(create: () => Promise<unknown>): Promise<boolean> {
    try {
      await create();
      return true;
    } catch (error) {
      if (error instanceof SiteRefusal && isDuplicate(error)) return false;
      throw error;
    }
  }
}

const PERMISSION = {
  role: "System Manager",
  read: 1,
  write: 1,
  create: 1,
  delete: 1,
  report: 1,
  export: 1,
  print: 1,
  email: 1,
  share: 1,
};

/** A field added to filled tables cannot ask for a value, nor be unique over rows that have none. */
function asAddition({ fieldname, label, fieldtype, options, hidden, read_only }: FieldDefinition): object {
  return {
    fieldname,
    label,
    fieldtype,
    ...(options === undefined ? {} : { options }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(read_only === undefined ? {} : { read_only }),
    ignore_xss_filter: 1,
  };
}

const withFields = z.object({
  fields: z.array(z.object({ fieldname: z.string(), reqd: z.number().nullish() })),
});

const isRequired = (document: Row | null, fieldname: string): boolean =>
  withFields
    .safeParse(document)
    .data?.fields.some((field) => field.fieldname === fieldname && field.reqd === 1) ?? false;
