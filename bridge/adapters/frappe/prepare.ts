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
  tell,
}: {
  calls: SiteCalls;
  tables: SiteTables;
  log: Log;
  tell: (undone: string) => void;
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
  await prepareRoles({ calls, tables, log, tell });
  tables.forgetMissing();

  async function complete(doctype: DocTypeDefinition): Promise<void> {
    const document = await tables.get("DocType", doctype.name);
    const present = await fieldsOf(doctype, document);
    await addMissingFields(doctype, present);
    await addIndexes(doctype, present);
    if (doctype.istable !== 1 && document !== null && !isSet(document, "allow_rename"))
      await allowRename(doctype.name);
    if (doctype.name === CLIENT && isRequired(document, "external_id"))
      await freeField(CLIENT, "external_id");
  }

  /** Renamed documents keep all that points at them. Without leave the links are moved one by one, those that are known. */
  async function allowRename(doctype: string): Promise<void> {
    await setProperty(
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
  async function freeField(doctype: string, fieldname: string): Promise<void> {
    await setProperty(
      { doctype, fieldname, property: "reqd", isOn: false },
      {
        done: "frappe.field_freed",
        refused: "frappe.field_not_freed",
        advice: "untick Mandatory of this field in the form of its document type",
      },
      { calls, tables, log },
    );
  }

  /** A field of another kind is a person's: such a kind may be one that no index can be over. */
  async function addIndexes({ name, fields }: DocTypeDefinition, present: PresentFields): Promise<void> {
    const added: string[] = [];
    for (const { fieldname, fieldtype, search_index } of fields) {
      const field = present.get(fieldname);
      if (search_index !== 1 || field?.fieldtype !== fieldtype) continue;
      if (field.search_index === 1 || field.unique === 1) continue;
      const isAdded = await setProperty(
        { doctype: name, fieldname, property: "search_index", isOn: true },
        {
          done: "frappe.index_set",
          refused: "frappe.index_not_set",
          advice:
            "tick Index of this field in the form of its document type: questions about it read the whole table",
        },
        { calls, tables, log },
      );
      if (isAdded) added.push(fieldname);
    }
    if (added.length > 0) log.info({ doctype: name, fields: added, advice: MIGRATE }, "frappe.indexes_wait");
  }

  /** By name, those that the type was made with and those that were added to it. */
  async function fieldsOf({ name }: DocTypeDefinition, document: Row | null): Promise<PresentFields> {
    const customFields = await tables.all("Custom Field", {
      fields: ["fieldname", "fieldtype", "unique", "search_index"],
      filters: [["dt", "=", name]],
      orderBy: "fieldname asc",
    });
    const own = withFields.safeParse(document).data?.fields ?? [];
    const added = withFields.safeParse({ fields: customFields }).data?.fields ?? [];
    return new Map([...own, ...added].map((field) => [field.fieldname, field]));
  }

  async function addMissingFields(
    { name, fields }: DocTypeDefinition,
    present: PresentFields,
  ): Promise<void> {
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
function asAddition({
  fieldname,
  label,
  fieldtype,
  options,
  hidden,
  read_only,
  search_index,
}: FieldDefinition): object {
  return {
    fieldname,
    label,
    fieldtype,
    ...(options === undefined ? {} : { options }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(read_only === undefined ? {} : { read_only }),
    ...(search_index === undefined ? {} : { search_index }),
    ignore_xss_filter: 1,
  };
}

/** The site makes an index when it brings its tables up to date, and not before: on a large one that takes its time. */
const MIGRATE = "bench migrate makes these indexes";

const fieldSchema = z.object({
  fieldname: z.string(),
  fieldtype: z.string().nullish(),
  reqd: z.number().nullish(),
  unique: z.number().nullish(),
  search_index: z.number().nullish(),
});
type PresentFields = Map<string, z.output<typeof fieldSchema>>;

const withFields = z.object({ fields: z.array(fieldSchema) });

const isRequired = (document: Row | null, fieldname: string): boolean =>
  withFields
    .safeParse(document)
    .data?.fields.some((field) => field.fieldname === fieldname && field.reqd === 1) ?? false;
