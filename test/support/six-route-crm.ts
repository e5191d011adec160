/** A CRM with the six calls that every receiver must have, and not one more: what a company builds in an afternoon. */
import { serveFile, type FileServer } from "./file-server.ts";

type Item = Record<string, unknown>;
type Kind = "contacts" | "chats" | "messages";

export interface SixRouteCrm {
  server: FileServer;
  /** `POST /changes/batch 404`, in their order. */
  asked: string[];
  rows: Record<Kind, Map<string, Item>>;
  sessions: Map<string, Item>;
  /** Answers 500 to whoever sends such a record. */
  isPoison: (item: Item) => boolean;
  /** Answers 500 to all writes: its disk is full, say. */
  isFull: boolean;
  /** Answers 400 to everything, with a page: deployed under another name of its host, say. */
  refusesAll: boolean;
}

const KEYS: Record<Kind, string[]> = {
  contacts: ["id"],
  chats: ["chatId"],
  messages: ["chatId", "messageId", "fromMe"],
};
const keyOf = (item: Item, members: string[]): string => members.map((name) => String(item[name])).join("|");

/** `missing`: what it answers on every other path. */
export async function serveSixRouteCrm(missing: number): Promise<SixRouteCrm> {
  const rows = {
    contacts: new Map<string, Item>(),
    chats: new Map<string, Item>(),
    messages: new Map<string, Item>(),
  };
  const sessions = new Map<string, Item>();

  const upsert = (table: Map<string, Item>, key: string, item: Item): string => {
    const held = table.get(key);
    if (held !== undefined && JSON.stringify(held) === JSON.stringify(item)) return "unchanged";
    table.set(key, item);
    return held === undefined ? "created" : "updated";
  };
  const raise = (sessionId: string, item: Item): string => {
    for (const fromMe of ["true", "false"]) {
      const key = `${sessionId}|${keyOf(item, ["chatId", "messageId"])}|${fromMe}`;
      const held = rows.messages.get(key);
      if (held !== undefined) return upsert(rows.messages, key, { ...held, status: item["status"] });
    }
    return "missing";
  };
  const batch = (kind: string, sessionId: string, items: Item[]): unknown => ({
    results: items.map((item) => {
      if (kind === "statuses")
        return {
          key: `${sessionId}|${keyOf(item, ["chatId", "messageId"])}`,
          outcome: raise(sessionId, item),
        };
      if (kind !== "contacts" && kind !== "chats" && kind !== "messages") throw new Error(kind);
      const key = `${sessionId}|${keyOf(item, KEYS[kind])}`;
      return { key, outcome: upsert(rows[kind], key, item) };
    }),
  });
  const totals = (sessionId: string): unknown =>
    Object.fromEntries(
      Object.entries(rows).map(([kind, table]) => [
        kind,
        [...table.keys()].filter((key) => key.startsWith(`${sessionId}|`)).length,
      ]),
    );

  const answer = (call: string, query: URLSearchParams, body: Item): { status: number; body: unknown } => {
    if (crm.refusesAll) return { status: 400, body: "<h1>Bad Request (400)</h1>" };
    const session = /^PUT \/sessions\/([^/]+)$/.exec(call)?.[1];
    if (session !== undefined) return { status: 200, body: { outcome: upsert(sessions, session, body) } };
    if (call === "GET /stats") return { status: 200, body: totals(query.get("sessionId") ?? "") };
    const kind = /^POST \/(contacts|chats|messages|statuses)\/batch$/.exec(call)?.[1];
    if (kind === undefined) return { status: missing, body: "<html>Not Found</html>" };
    // What the adapter sends is a list of objects.
    const items = body["items"] as Item[];
    if (crm.isFull || items.some((item) => crm.isPoison(item)))
      return { status: 500, body: { message: "Server Error" } };
    return { status: 200, body: batch(kind, String(body["sessionId"]), items) };
  };

  const server = await serveFile((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks).toString("utf8");
      const { pathname, searchParams } = new URL(request.url ?? "", "http://crm");
      const call = `${request.method ?? ""} ${pathname}`;
      // The adapter sends objects.
      const said = answer(call, searchParams, raw === "" ? {} : (JSON.parse(raw) as Item));
      crm.asked.push(`${call} ${said.status}`);
      response.writeHead(said.status, { "content-type": "application/json" });
      response.end(typeof said.body === "string" ? said.body : JSON.stringify(said.body));
    });
  });
  const is = { isPoison: () => false, isFull: false, refusesAll: false };
  const crm: SixRouteCrm = { server, asked: [], rows, sessions, ...is };
  return crm;
}
