/**
 * A Frappe 15 site on a real port: the REST a CRM adapter uses, with everything about it that surprises, and with
 * trouble on demand.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { DocumentReader } from "../../bridge/adapter.ts";
import { appDocTypes, appHooks } from "./frappe-site-app.ts";
import { refuse, SiteError, siteErrorBody } from "./frappe-site-errors.ts";
import { listDocs, matching, type ListArgs, type UnknownField } from "./frappe-site-list.ts";
import { createSiteStore, type Doc, type SiteDocType, type SiteField, type SiteStore } from "./frappe-site-store.ts";

export interface SiteRequest {
  method: string;
  /** Decoded, without the query. */
  path: string;
  body: string;
}

/** `lost`: done, but the connection breaks before the answer; `refused`: it breaks before anything is done. */
export type SiteTrouble =
  | { kind: "status"; status: number; body?: string; headers?: Record<string, string> }
  | { kind: "error"; error: SiteError }
  | { kind: "lost" }
  | { kind: "refused" }
  | { kind: "silent" };

export interface FrappeSite {
  url: string;
  apiKey: string;
  apiSecret: string;
  store: SiteStore;
  /** What the site holds, for tests to look at. */
  documents: DocumentReader;
  rows(doctype: string): Doc[];
  /** A person saves a document by hand. */
  edit(doctype: string, name: string, fields: Record<string, string>): void;
  /** Requests since the last call of this. */
  requests(): SiteRequest[];
  /** How requests are answered from now on; null: as they should. Without an argument: well. */
  troubles(decide?: (request: SiteRequest) => SiteTrouble | null): void;
  /** The next requests that match are answered so, one each. */
  troublesNext(matches: (request: SiteRequest) => boolean, ...troubles: SiteTrouble[]): void;
  latencyMs: number;
  uploads: { filename: string; bytes: number; docname: string }[];
  goesDown(): Promise<void>;
  comesBack(): Promise<void>;
  stop(): Promise<void>;
}

export interface FrappeSiteOptions {
  /** The app that brings the document types is installed, with its code. */
  app?: boolean;
  countsUnread?: boolean;
  timeZone?: string;
  unknownField?: UnknownField;
  /** The key's user may not read the settings of the system. */
  settingsForbidden?: boolean;
}

/** gunicorn's limit of a request line, which is what stands behind most sites. */
const LONGEST_REQUEST_LINE = 4094;

export async function startFrappeSite({
  app = false,
  countsUnread = true,
  timeZone = "Europe/Madrid",
  unknownField = "refused",
  settingsForbidden = false,
}: FrappeSiteOptions = {}): Promise<FrappeSite> {
  const apiKey = "a1b2c3d4e5f6a7b";
  const apiSecret = "0f1e2d3c4b5a697";
  const started = Date.parse("2026-01-31T10:00:00Z");
  let ticks = 0;
  const now = (): string => new Date(started + ++ticks).toISOString().replace("T", " ").replace("Z", "000");
  const store = createSiteStore({ now, hooks: app ? appHooks({ countsUnread }) : {} });
  for (const type of coreTypes()) store.doctypes.set(type.name, type);
  for (const name of ["eva@example.com"]) store.table("User").set(name, { name });
  const install = (type: SiteDocType): void => {
    store.doctypes.set(type.name, type);
    store.table("DocType").set(type.name, { name: type.name, creation: now(), modified: now() });
  };
  if (app) appDocTypes().forEach(install);

  const sockets = new Set<Socket>();
  let requests: SiteRequest[] = [];
  let decide: (request: SiteRequest) => SiteTrouble | null = () => null;
  let planned: { matches: (request: SiteRequest) => boolean; trouble: SiteTrouble }[] = [];

  const method = (name: string, args: Record<string, unknown>): unknown => {
    const doctype = String(args["doctype"] ?? "");
    switch (name) {
      case "frappe.auth.get_logged_user":
        return "bridge@crm.example";
      case "frappe.client.get_time_zone":
        return { time_zone: timeZone };
      case "frappe.client.get_count":
        return matching(store, store.meta(doctype), args["filters"]).length;
      case "frappe.client.get_list":
        return listDocs(store, doctype, args as ListArgs, { unknownField });
      case "frappe.client.insert_many": {
        const docs = parsedList(args["docs"]);
        if (docs.length > 200) throw new SiteError(417, "ValidationError", "Only 200 inserts allowed in one request");
        return store.atomically(() => docs.map((doc) => store.insert(String(doc["doctype"]), doc).name));
      }
      case "frappe.client.bulk_update":
        return { failed_docs: parsedList(args["docs"], true).flatMap((doc) => bulkUpdate(store, doc)) };
      case "frappe.client.rename_doc":
        store.rename(doctype, String(args["old_name"]), String(args["new_name"]), Number(args["merge"] ?? 0) === 1);
        return args["new_name"];
      default:
        throw new SiteError(417, "ValidationError", `Failed to get method for command ${name}`);
    }
  };

  const create = (doctype: string, body: Record<string, unknown>): unknown => {
    if (doctype === "DocType") {
      const type = docTypeOf(body);
      if (store.doctypes.has(type.name)) throw refuse.duplicateName("DocType", type.name);
      install(type);
      return { name: type.name };
    }
    if (doctype === "Custom Field") {
      const type = store.meta(String(body["dt"]));
      const field = fieldOf(body);
      const name = `${type.name}-${field.fieldname}`;
      if (type.fields.some(({ fieldname }) => fieldname === field.fieldname))
        throw refuse.duplicateName("Custom Field", name);
      type.fields.push(field);
      const added = ["Check", "Int"].includes(field.fieldtype) ? 0 : null;
      for (const doc of store.table(type.name).values()) doc[field.fieldname] ??= added;
      store.table("Custom Field").set(name, { name, dt: type.name, fieldname: field.fieldname, creation: now(), modified: now() });
      return { name };
    }
    return withChildren(store, doctype, store.insert(doctype, body));
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

  const uploads: FrappeSite["uploads"] = [];
  const upload = async (incoming: IncomingMessage, body: Buffer): Promise<unknown> => {
    const headers = { "content-type": incoming.headers["content-type"] ?? "" };
    const form = await new Response(new Uint8Array(body), { headers }).formData();
    const file = form.get("file");
    if (!(file instanceof File)) throw new SiteError(417, "ValidationError", "no file");
    uploads.push({ filename: file.name, bytes: file.size, docname: String(form.get("docname")) });
    return { file_url: `/private/files/${file.name}` };
  };

  /** Status and JSON of a request that meets no trouble. */
  const answer = async (incoming: IncomingMessage, body: Buffer): Promise<[number, unknown]> => {
    authenticate(incoming.headers.authorization, apiKey, apiSecret);
    const url = new URL(incoming.url ?? "/", "http://site");
    const [, api, kind, first = "", ...rest] = url.pathname.split("/").map(decodeURIComponent);
    const verb = incoming.method ?? "GET";
    if (api !== "api") throw refuse.notFound("Page", url.pathname);
    if (kind === "method" && first === "upload_file") return [200, { message: await upload(incoming, body) }];
    // Python cannot write half of a character to its database, and says so too late.
    if (/\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])/i.test(body.toString("utf8")))
      throw new SiteError(500, "UnicodeEncodeError", "'utf-8' codec can't encode character");
    const given = body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as Record<string, unknown>);
    if (kind === "method") return [200, { message: method(first, { ...Object.fromEntries(url.searchParams), ...given }) }];
    const name = rest.join("/");
    if (verb === "GET" && name === "")
      return [200, { data: listDocs(store, first, Object.fromEntries(url.searchParams), { unknownField }) }];
    if (verb === "GET") return [200, { data: read(first, name) }];
    if (verb === "POST") return [200, { data: store.atomically(() => create(first, given)) }];
    if (verb === "PUT")
      return [200, { data: store.atomically(() => withChildren(store, first, store.save(first, name, given))) }];
    store.remove(first, name);
    return [202, { data: "ok" }];
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(incoming, "end");
    const body = Buffer.concat(chunks);
    const path = decodeURIComponent((incoming.url ?? "/").split("?")[0] ?? "/");
    const request: SiteRequest = { method: incoming.method ?? "GET", path, body: body.toString("utf8") };
    requests.push(request);
    if (site.latencyMs > 0) await pause(site.latencyMs);
    if (`${incoming.method} ${incoming.url} HTTP/1.1`.length > LONGEST_REQUEST_LINE) {
      send(response, 400, "<html><body>Request Line is too large</body></html>", { "content-type": "text/html" });
      return;
    }
    const next = planned.find(({ matches }) => matches(request));
    planned = planned.filter((one) => one !== next);
    const trouble = next?.trouble ?? decide(request);
    if (trouble?.kind === "silent") return;
    if (trouble?.kind === "refused") return void incoming.socket.destroy();
    if (trouble?.kind === "status") return send(response, trouble.status, trouble.body ?? "", trouble.headers);
    try {
      if (trouble?.kind === "error") throw trouble.error;
      const [status, json] = await answer(incoming, body);
      if (trouble?.kind === "lost") return void incoming.socket.destroy();
      send(response, status, JSON.stringify(json));
    } catch (error) {
      if (!(error instanceof SiteError)) throw error;
      send(response, error.status, siteErrorBody(error));
    }
  };

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => {
      send(response, 500, `<html><body>${String(error)}</body></html>`, { "content-type": "text/html" });
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined); // the other side may go at any time
  });
  const listen = async (wished: number): Promise<number> => {
    server.listen(wished, "127.0.0.1");
    await once(server, "listening");
    // A listening TCP server has such an address.
    return (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);

  const site: FrappeSite = {
    url: `http://127.0.0.1:${port}`,
    apiKey,
    apiSecret,
    store,
    documents: documentsOf(store),
    rows: (doctype) => [...store.table(doctype).values()],
    edit: (doctype, name, fields) => {
      store.save(doctype, name, fields);
    },
    requests: () => requests.splice(0),
    troubles: (next = () => null) => {
      decide = next;
    },
    troublesNext: (matches, ...troubles) => {
      planned = [...planned, ...troubles.map((trouble) => ({ matches, trouble }))];
    },
    latencyMs: 0,
    uploads,
    goesDown: close,
    comesBack: async () => {
      await listen(port);
    },
    stop: async () => {
      requests = [];
      if (server.listening) await close();
    },
  };
  return site;
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}

function authenticate(header: string | undefined, key: string, secret: string): void {
  // Without the header a call runs as a guest, who may do nothing here.
  if (header === undefined) throw refuse.noPermission();
  if (header !== `token ${key}:${secret}`) throw refuse.noLogin();
}

function parsedList(given: unknown, onlyText = false): Record<string, unknown>[] {
  // One of the two methods parses whatever it gets, and fails on a list that is one already.
  if (onlyText && typeof given !== "string") throw new SiteError(500, "TypeError", "the JSON object must be str");
  return (typeof given === "string" ? JSON.parse(given) : given) as Record<string, unknown>[];
}

function bulkUpdate(store: SiteStore, doc: Record<string, unknown>): object[] {
  try {
    const { doctype, docname, ...fields } = doc;
    store.save(String(doctype), String(docname), fields);
    return [];
  } catch (error) {
    return [{ doc, exc: String(error) }];
  }
}

function withChildren(store: SiteStore, doctype: string, doc: Doc): Record<string, unknown> {
  const tables = store.meta(doctype).fields.filter(({ fieldtype }) => fieldtype === "Table");
  return { ...doc, doctype, ...Object.fromEntries(tables.map((field) => [field.fieldname, store.children(doc, field)])) };
}

const coreTypes = (): SiteDocType[] => [
  { name: "DocType", autoname: "hash", istable: 0, allow_rename: 0, fields: [] },
  { name: "User", autoname: "hash", istable: 0, allow_rename: 0, fields: [] },
  {
    name: "Custom Field",
    autoname: "hash",
    istable: 0,
    allow_rename: 0,
    fields: ["dt", "fieldname"].map((fieldname) => ({ fieldname, fieldtype: "Data" })),
  },
];

const fieldOf = (given: Record<string, unknown>): SiteField => ({
  fieldname: String(given["fieldname"]),
  fieldtype: String(given["fieldtype"]),
  ...(typeof given["options"] === "string" ? { options: given["options"] } : {}),
  ...(typeof given["default"] === "string" ? { default: given["default"] } : {}),
  reqd: Number(given["reqd"] ?? 0),
  unique: Number(given["unique"] ?? 0),
  ignore_xss_filter: Number(given["ignore_xss_filter"] ?? 0),
});

function docTypeOf(body: Record<string, unknown>): SiteDocType {
  const fields = body["fields"];
  if (typeof body["name"] !== "string" || !Array.isArray(fields))
    throw refuse.mandatory("DocType", ["name", "fields"]);
  return {
    name: body["name"],
    autoname: String(body["autoname"] ?? "hash"),
    istable: Number(body["istable"] ?? 0),
    allow_rename: Number(body["allow_rename"] ?? 0),
    fields: fields.map((field: Record<string, unknown>) => fieldOf(field)),
  };
}

/** For the suites, which look at records the way an embedded CRM shows them. */
function documentsOf(store: SiteStore): DocumentReader {
  const sessionIds = (): Map<string, unknown> =>
    new Map([...store.table("WhatsApp Session").values()].map((doc) => [doc.name, doc["session_id"]]));
  const shown = (doc: Doc): Record<string, unknown> => {
    const session = sessionIds().get(String(doc["session"]));
    // A message whose id was taken is kept under another; the adapter remembers its own.
    const own = /"id":"([^"]+)"/.exec(String(doc["hub_state"] ?? ""))?.[1];
    return { ...doc, ...(session === undefined ? {} : { session }), ...(own === undefined ? {} : { message_id: own }) };
  };
  const select = (doctype: string, filters: [string, string, unknown][]): Record<string, unknown>[] =>
    [...store.table(doctype).values()]
      .map(shown)
      .filter((doc) => filters.every(([field, , value]) => doc[field] === value));
  return {
    doctypes: [...store.doctypes.keys()],
    list: ({ doctype, filters }) => Promise.resolve(select(doctype, filters)),
    count: ({ doctype, filters }) => Promise.resolve(select(doctype, filters).length),
    get: (doctype, name) => Promise.resolve(shown(store.table(doctype).get(name) ?? { name })),
  };
}
