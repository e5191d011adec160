/** The document types that every Frappe site has, and what it asks of a new one, or of a field, before it makes one. */
import { refuse, SiteError } from "./frappe-site-errors.ts";
import { plainText, type SiteDocType, type SiteStore } from "./frappe-site-store.ts";

type Given = Record<string, unknown>;

const LONGEST_NAME = 61;
/** Columns that every table has, and members that every document has. */
const TAKEN =
  "name parent creation modified modified_by owner idx parentfield parenttype file_list flags docstatus doctype meta".split(
    " ",
  );
const TEXTS = ["Text", "Long Text", "Small Text", "Code", "Text Editor"];

type Rule = [isBroken: boolean, excType: string, message: string];

function obey(rules: Rule[]): void {
  for (const [isBroken, excType, message] of rules) if (isBroken) throw new SiteError(417, excType, message);
}

export function checkDocType(body: Given, store: SiteStore): void {
  if (plainText(body["module"]) === "") throw refuse.mandatory("DocType", ["module"]);
  const fields = Array.isArray(body["fields"]) ? (body["fields"] as Given[]) : [];
  const names = fields.map((field) => plainText(field["fieldname"]));
  const name = plainText(body["name"]);
  const isName = name.length <= LONGEST_NAME && /^[a-z][\w -]+$/i.test(name) && name.trim() === name;
  const named = [plainText(body["title_field"]), /^field:(.*)$/.exec(plainText(body["autoname"]))?.[1] ?? ""];
  obey([
    [body["custom"] !== 1, "CannotCreateStandardDoctypeError", "Not in Developer Mode! Make it 'Custom'."],
    [!isName, "NameError", `${name} is no name of a DocType`],
    [new Set(names).size < names.length, "UniqueFieldnameError", "A fieldname appears multiple times"],
    [named.some((one) => one !== "" && !names.includes(one)), "InvalidFieldNameError", "No such field"],
  ]);
  for (const field of fields) checkField(field, name, store);
}

export function checkField(field: Given, doctype: string, store: SiteStore): void {
  const said = (member: string): string => plainText(field[member]);
  const name = said("fieldname");
  const type = said("fieldtype");
  const options = said("options");
  const value = said("default");
  const is = (flag: string): boolean => field[flag] === 1;
  obey([
    [!/^[a-z]\w*$/.test(name) || TAKEN.includes(name), "InvalidFieldNameError", `${name} is restricted`],
    [
      is("unique") && !["Data", "Link", "Read Only"].includes(type),
      "NonUniqueError",
      `${name} cannot be unique`,
    ],
    [is("search_index") && TEXTS.includes(type), "CannotIndexedError", `${name} cannot be indexed`],
    [is("in_list_view") && type === "Table", "ValidationError", `${name} cannot be in a list`],
    [
      is("hidden") && is("reqd") && value === "",
      "HiddenAndMandatoryWithoutDefaultError",
      `${name} cannot be hidden and mandatory without default`,
    ],
    [!isDefault(type, value, options), "ValidationError", `Default of ${name} is none of its values`],
  ]);
  if (type === "Link" || type === "Table") checkLink({ name, type, options }, doctype, store);
}

function isDefault(type: string, value: string, options: string): boolean {
  if (value === "") return true;
  if (type === "Check") return ["0", "1"].includes(value);
  return type !== "Select" || options.split("\n").includes(value);
}

function checkLink(
  { name, type, options }: { name: string; type: string; options: string },
  doctype: string,
  store: SiteStore,
): void {
  if (options === doctype) return;
  const target = store.doctypes.get(options);
  obey([
    [options === "", "DoctypeLinkError", `Options required for ${name}`],
    [target === undefined, "WrongOptionsDoctypeLinkError", `Options of ${name} must be a valid DocType`],
    [type === "Table" && target?.istable !== 1, "ValidationError", `${options} is not a child table`],
  ]);
}

/** Those that every site has, as far as anybody asks for them. */
export const coreTypes = (): SiteDocType[] => [
  { name: "DocType", autoname: "hash", istable: 0, allow_rename: 0, fields: [] },
  { name: "User", autoname: "hash", istable: 0, allow_rename: 0, fields: [] },
  {
    name: "Role",
    autoname: "field:role_name",
    istable: 0,
    allow_rename: 0,
    fields: [
      { fieldname: "role_name", fieldtype: "Data", reqd: 1, unique: 1 },
      { fieldname: "desk_access", fieldtype: "Check" },
    ],
  },
  {
    name: "Custom Field",
    autoname: "hash",
    istable: 0,
    allow_rename: 0,
    fields: ["dt", "fieldname", "fieldtype", "unique", "search_index"].map((fieldname) => ({
      fieldname,
      fieldtype: "Data",
    })),
  },
  {
    name: "Property Setter",
    autoname: "hash",
    istable: 0,
    allow_rename: 0,
    fields: ["doc_type", "field_name", "property", "value"].map((fieldname) => ({
      fieldname,
      fieldtype: "Data",
    })),
  },
];
