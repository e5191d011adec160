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
import { createSiteApi, type SiteApi } from "./frappe-site-api.ts";
import { siteDocuments } from "./frappe-site-documents.ts";
import { SiteError, siteErrorBody } from "./frappe-site-errors.ts";
import type { Functions, UnknownField } from "./frappe-site-list.ts";
import { createSiteRights, type SiteUser } from "./frappe-site-rights.ts";
import { createSiteStore, type Doc, type SiteStore } from "./frappe-site-store.ts";

export interface SiteRequest {
  method: string;
  /** Decoded, without the query. */
  path: string;
  /** Decoded: what follows the path, without the question mark. */
  query: string;
  body: string;
}

/**
 * `lost`: done, but the connection breaks before the answer; `late`: done, and never answered; `refused`: it breaks before
 * anything is done; `silent`: nothing is done, nor answered.
 */
export type SiteTrouble =
  | { kind: "status"; status: number; body?: string; headers?: Record<string, string> }
  | { kind: "error"; error: SiteError }
  | { kind: "lost" }
  | { kind: "late" }
  | { kind: "refused" }
  | { kind: "silent" };

export interface FrappeSite {
  url: string;
  /** Of a System Manager. */
  apiKey: string;
  apiSecret: string;
  /** Another user, with these roles and nothing else. */
  addUser(...roles: string[]): SiteUser;
  store: SiteStore;
  /** What the site holds, for tests to look at. */
  documents: DocumentReader;
  rows(doctype: string): Doc[];
  /** A person saves a document by hand. */
  edit(doctype: string, name: string, fields: Record<string, string | null>): void;
  /** Requests since the last call of this. */
  requests(): SiteRequest[];
  /** How requests are answered from now on; null: as they should. Without an argument: well. */
  troubles(decide?: (request: SiteRequest) => SiteTrouble | null): void;
  /** The next requests that match are answered so, one each. */
  troublesNext(matches: (request: SiteRequest) => boolean, ...troubles: SiteTrouble[]): void;
  latencyMs: number;
  uploads: SiteApi["uploads"];
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
  functions?: Functions;
  /** The key's user may not read the settings of the system. */
  settingsForbidden?: boolean;
  /** The document types of the app were made without leave to rename their documents. */
  renames?: boolean;
  /** The key's user may not change how document types behave. */
  refusesSetters?: boolean;
  /** The key's user may look, and nothing else. */
  readOnlyKey?: boolean;
}

/** gunicorn's limit of a request line, which is what stands behind most sites. */
const LONGEST_REQUEST_LINE = 4094;

export async function startFrappeSite({
  app = false,
  countsUnread = true,
  timeZone = "Europe/Madrid",
  unknownField = "refused",
  functions = "text",
  settingsForbidden = false,
  renames = true,
  refusesSetters = false,
  readOnlyKey = false,
}: FrappeSiteOptions = {}): Promise<FrappeSite> {
  const apiKey = "a1b2c3d4e5f6a7b";
  const apiSecret = "0f1e2d3c4b5a697";
  const started = Date.parse("2026-01-31T10:00:00Z");
  let ticks = 0;
  const now = (): string => new Date(started + ++ticks).toISOString().replace("T", " ").replace("Z", "000");
  const store = createSiteStore({ now, hooks: app ? appHooks({ countsUnread }) : {} });
  const manners = { unknownField, functions };
  const rights = createSiteRights(store);
  rights.users.push({ name: "admin@crm.example", apiKey, apiSecret, roles: ["System Manager"] });
  const api = createSiteApi({
    store,
    now,
    rights,
    timeZone,
    manners,
    settingsForbidden,
    refusesSetters,
    readOnlyKey,
  });
  if (app) appDocTypes({ renames }).forEach(api.install);

  const sockets = new Set<Socket>();
  let requests: SiteRequest[] = [];
  let decide: (request: SiteRequest) => SiteTrouble | null = () => null;
  let planned: { matches: (request: SiteRequest) => boolean; trouble: SiteTrouble }[] = [];

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(incoming, "end");
    const body = Buffer.concat(chunks);
    const [path = "/", query = ""] = (incoming.url ?? "/").split("?").map(decodeURIComponent);
    const request: SiteRequest = {
      ...{ method: incoming.method ?? "GET", path, query },
      body: body.toString("utf8"),
    };
    requests.push(request);
    if (site.latencyMs > 0) await pause(site.latencyMs);
    if (`${incoming.method} ${incoming.url} HTTP/1.1`.length > LONGEST_REQUEST_LINE) {
      send(response, 400, "<html><body>Request Line is too large</body></html>", {
        "content-type": "text/html",
      });
      return;
    }
    const next = planned.find(({ matches }) => matches(request));
    planned = planned.filter((one) => one !== next);
    const trouble = next?.trouble ?? decide(request);
    const isDone = trouble === null || trouble.kind === "lost" || trouble.kind === "late";
    if (!isDone) {
      give(trouble, incoming, response);
      return;
    }
    try {
      const [status, json] = await api.answer(incoming, body);
      if (trouble === null) send(response, status, JSON.stringify(json));
      else if (trouble.kind === "lost") incoming.socket.destroy();
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
    documents: siteDocuments(store),
    addUser: (...roles) => {
      const n = rights.users.length;
      const user = {
        name: `user${n}@crm.example`,
        apiKey: `user${n}key`,
        apiSecret: `user${n}secret`,
        roles,
      };
      rights.users.push(user);
      return user;
    },
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
    uploads: api.uploads,
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

/** What comes instead of an answer when nothing is done. */
function give(
  trouble: Exclude<SiteTrouble, { kind: "lost" | "late" }>,
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  switch (trouble.kind) {
    case "silent":
      return;
    case "refused":
      incoming.socket.destroy();
      return;
    case "status":
      send(response, trouble.status, trouble.body ?? "", trouble.headers);
      return;
    case "error":
      send(response, trouble.error.status, siteErrorBody(trouble.error));
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}
