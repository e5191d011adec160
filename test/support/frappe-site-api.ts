/** The calls of a Frappe site: what each does to its documents, and who may make it. */
import type { IncomingMessage } from "node:http";
import busboy from "busboy";
import { checkDocType, checkField, coreTypes } from "./frappe-site-doctypes.ts";
import { refuse, SiteError } from "./frappe-site-errors.ts";
import type { SiteRight, SiteRights, SiteUser } from "./frappe-site-rights.ts";
import { listDocs, matching, type ListManners } from "./frappe-site-list.ts";
import {
  plainText,
  type Doc,
  type SiteDocType,
  type SiteField,
  type SiteStore,
} from "./frappe-site-store.ts";

export interface SiteApi {
  /** Status and JSON of a request that meets no trouble. @throws SiteError */
  answer(incoming: IncomingMessage, body: Buffer): Promise<[number, unknown]>;
  install(type: SiteDocType): void;
  uploads: { filename: string; bytes: number; docname: string }[];
}

export function createSiteApi({
  store,
  now,
  rights,
  timeZone,
  manners,
  settingsForbidden,
  refusesSetters,
  readOnlyKey,
}: {
  store: SiteStore;
  now: () => string;
  rights: SiteRights;
  timeZone: string;
  manners: ListManners;
  settingsForbidden: boolean;
  refusesSetters: boolean;
  readOnlyKey: boolean;
}): SiteApi {
  for (const type of coreTypes()) store.doctypes.set(type.name, type);
  store.table("User").set("eva@example.com", { name: "eva@example.com" });
  store.table("Role").set("System Manager", { name: "System Manager", role_name: "System Manager" });
  const install = (type: SiteDocType): void => {
    store.doctypes.set(type.name, type);
    store.table("DocType").set(type.name, { name: type.name, creation: now(), modified: now() });
  };
  const uploads: SiteApi["uploads"] = [];

  const method = (user: SiteUser, name: string, args: Record<string, unknown>): unknown => {
    const doctype = plainText(args["doctype"]);
    const managed = rights.method(user, name, args);
    if (managed !== undefined) return managed;
    switch (name) {
      case "frappe.auth.get_logged_user":
        return user.name;
      case "frappe.client.get_time_zone":
        return { time_zone: timeZone };
      case "frappe.client.has_permission":
        if (!("docname" in args)) throw new SiteError(500, "TypeError", "missing argument: 'docname'");
        return {
          has_permission:
            rights.may(user, doctype, args["perm_type"] as SiteRight) &&
            (!readOnlyKey || args["perm_type"] === "read"),
        };
      case "frappe.client.get_count":
        rights.check(user, doctype, "read");
        return matching(store, store.meta(doctype), args["filters"]).length;
      case "frappe.client.get_list":
        rights.check(user, doctype, "read");
        return listDocs(store, doctype, args, manners);
      case "frappe.client.insert_many": {
        const docs = parsedList(args["docs"]);
        if (docs.length > 200)
          throw new SiteError(417, "ValidationError", "Only 200 inserts allowed in one request");
        return store.atomically(() =>
          docs.map((doc) => {
            rights.check(user, String(doc["doctype"]), "create");
            return store.insert(String(doc["doctype"]), doc).name;
          }),
        );
      }
      case "frappe.client.bulk_update":
        return {
          failed_docs: parsedList(args["docs"], true).flatMap((doc) =>
            bulkUpdate(store, doc, (type) => rights.check(user, type, "write")),
          ),
        };
      case "frappe.client.rename_doc":
        rights.check(user, doctype, "write");
        if (Number(args["merge"] ?? 0) === 1) rights.check(user, doctype, "delete");
        store.rename(
          doctype,
          String(args["old_name"]),
          String(args["new_name"]),
          Number(args["merge"] ?? 0) === 1,
        );
        return args["new_name"];
      default:
        throw new SiteError(417, "ValidationError", `Failed to get method for command ${name}`);
    }
  };

  const create = (doctype: string, body: Record<string, unknown>): unknown => {
    if (doctype === "DocType") {
      checkDocType(body, store);
      const type = docTypeOf(body);
      if (store.doctypes.has(type.name)) throw refuse.duplicateName("DocType", type.name);
      install(type);
      return { name: type.name };
    }
    if (doctype === "Custom Field") {
      const type = store.meta(String(body["dt"]));
      const field = fieldOf(body);
      checkField(body, type.name, store);
      const name = `${type.name}-${field.fieldname}`;
      if (type.fields.some(({ fieldname }) => fieldname === field.fieldname))
        throw refuse.duplicateName("Custom Field", name);
      type.fields.push(field);
      const added = ["Check", "Int"].includes(field.fieldtype) ? 0 : null;
      for (const doc of store.table(type.name).values()) doc[field.fieldname] ??= added;
      store
        .table("Custom Field")
        .set(name, { name, dt: type.name, ...field, creation: now(), modified: now() });
      return { name };
    }
    if (doctype === "Property Setter") {
      if (refusesSetters) throw refuse.noPermission();
      return setProperty(body);
    }
    return withChildren(store, doctype, store.insert(doctype, body));
  };

  /** A property of a whole type, or whether a field of it must be filled in or is indexed; one that was set before is replaced. */
  const setProperty = (body: Record<string, unknown>): { name: string } => {
    const wanted = ["doctype_or_field", "property", "doc_type"].filter(
      (field) => plainText(body[field]) === "",
    );
    if (wanted.length > 0) throw refuse.mandatory("Property Setter", wanted);
    const type = store.meta(plainText(body["doc_type"]));
    const property = plainText(body["property"]);
    const isOfField = body["doctype_or_field"] === "DocField";
    if (!(isOfField ? ["reqd", "search_index"] : ["allow_rename"]).includes(property))
      throw new SiteError(417, "ValidationError", "This property is not known here");
    const field = plainText(body["field_name"]);
    if (isOfField && type.fields.every(({ fieldname }) => fieldname !== field))
      throw new SiteError(417, "ValidationError", `Field ${field} is not there`);
    const value = plainText(body["value"]);
    const name = `${type.name}-${isOfField ? field : "main"}-${property}`;
    store.setters.set(isOfField ? name : type.name, Number(value));
    const at = now();
    store
      .table("Property Setter")
      .set(name, { name, doc_type: type.name, field_name: field, property, value, creation: at });
    return { name };
  };

  const read = (doctype: string, name: string): unknown => {
    if (doctype === "System Settings") {
      if (settingsForbidden) throw refuse.noPermission();
      return { name, time_zone: timeZone };
    }
    if (doctype === "DocType") {
      const type = store.doctypes.get(name);
      if (type === undefined) throw refuse.notFound(doctype, name);
      return type;
    }
    const doc = store.table(store.meta(doctype).name).get(name);
    if (doc === undefined) throw refuse.notFound(doctype, name);
    return withChildren(store, doctype, doc);
  };

  const upload = async (incoming: IncomingMessage, body: Buffer): Promise<unknown> => {
    const { filename, bytes, docname } = await readForm(incoming, body);
    uploads.push({ filename, bytes, docname });
    return { file_url: `/private/files/${filename}` };
  };

  const answer = async (incoming: IncomingMessage, body: Buffer): Promise<[number, unknown]> => {
    const user = rights.userOf(incoming.headers.authorization);
    const url = new URL(incoming.url ?? "/", "http://site");
    const [, api, kind, first = "", ...rest] = url.pathname.split("/").map(decodeURIComponent);
    const verb = incoming.method ?? "GET";
    if (api !== "api") throw refuse.notFound("Page", url.pathname);
    if (kind === "method" && first === "upload_file") return [200, { message: await upload(incoming, body) }];
    // Python cannot write half of a character to its database, and says so too late.
    if (/\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])/i.test(body.toString("utf8")))
      throw new SiteError(500, "UnicodeEncodeError", "'utf-8' codec can't encode character");
    const given = body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as Record<string, unknown>);
    if (kind === "method")
      return [200, { message: method(user, first, { ...Object.fromEntries(url.searchParams), ...given }) }];
    const name = rest.join("/");
    if (verb !== "GET" && readOnlyKey) throw refuse.noPermission();
    rights.check(user, first, RIGHTS[verb] ?? "read");
    if (verb === "GET" && name === "")
      return [200, { data: listDocs(store, first, Object.fromEntries(url.searchParams), manners) }];
    if (verb === "GET") return [200, { data: read(first, name) }];
    if (verb === "POST") return [200, { data: store.atomically(() => create(first, given)) }];
    if (verb === "PUT")
      return [
        200,
        { data: store.atomically(() => withChildren(store, first, store.save(first, name, given))) },
      ];
    store.remove(first, name);
    return [202, { data: "ok" }];
  };

  return { answer, install, uploads };
}

const RIGHTS: Record<string, SiteRight> = { GET: "read", POST: "create", PUT: "write", DELETE: "delete" };

function readForm(incoming: IncomingMessage, body: Buffer): Promise<SiteApi["uploads"][number]> {
  return new Promise((resolve, reject) => {
    const read = { filename: "", bytes: 0, docname: "" };
    const parser = busboy({ headers: incoming.headers });
    parser.on("file", (_name, stream, { filename }) => {
      read.filename = filename ?? "";
      stream.on("data", (chunk: Buffer) => {
        read.bytes += chunk.length;
      });
    });
    parser.on("field", (name, value) => {
      if (name === "docname") read.docname = value;
    });
    parser.on("close", () => resolve(read));
    parser.on("error", reject);
    parser.end(body);
  });
}

function parsedList(given: unknown, onlyText = false): Record<string, unknown>[] {
  // One of the two methods parses whatever it gets, and fails on a list that is one already.
  if (onlyText && typeof given !== "string")
    throw new SiteError(500, "TypeError", "the JSON object must be str");
  return (typeof given === "string" ? JSON.parse(given) : given) as Record<string, unknown>[];
}

function bulkUpdate(
  store: SiteStore,
  doc: Record<string, unknown>,
  check: (doctype: string) => void,
): object[] {
  try {
    const { doctype, docname, ...fields } = doc;
    check(String(doctype));
    store.save(String(doctype), String(docname), fields);
    return [];
  } catch (error) {
    return [{ doc, exc: String(error) }];
  }
}

function withChildren(store: SiteStore, doctype: string, doc: Doc): Record<string, unknown> {
  const tables = store.meta(doctype).fields.filter(({ fieldtype }) => fieldtype === "Table");
  return {
    ...doc,
    doctype,
    ...Object.fromEntries(tables.map((field) => [field.fieldname, store.children(doc, field)])),
  };
}

const fieldOf = (given: Record<string, unknown>): SiteField => ({
  fieldname: String(given["fieldname"]),
  fieldtype: String(given["fieldtype"]),
  ...(typeof given["options"] === "string" ? { options: given["options"] } : {}),
  ...(typeof given["default"] === "string" ? { default: given["default"] } : {}),
  reqd: Number(given["reqd"] ?? 0),
  unique: Number(given["unique"] ?? 0),
  search_index: Number(given["search_index"] ?? 0),
  ignore_xss_filter: Number(given["ignore_xss_filter"] ?? 0),
});

function docTypeOf(body: Record<string, unknown>): SiteDocType {
  const fields = body["fields"];
  if (typeof body["name"] !== "string" || !Array.isArray(fields))
    throw refuse.mandatory("DocType", ["name", "fields"]);
  return {
    name: body["name"],
    autoname: plainText(body["autoname"] ?? "hash"),
    istable: Number(body["istable"] ?? 0),
    allow_rename: Number(body["allow_rename"] ?? 0),
    fields: fields.map((field: Record<string, unknown>) => fieldOf(field)),
  };
}
