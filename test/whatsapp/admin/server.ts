/** The admin API: JSON over HTTP, so that tests in another process drive the emulator. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ZodError } from "zod";
import { Refusal } from "../operations/refusal.ts";
import { frontPage } from "./page.ts";
import { STREAMED, type AdminContext, type AdminRoute } from "./route.ts";
import { accountRoutes } from "./routes-accounts.ts";
import { messageRoutes } from "./routes-messages.ts";
import { peopleRoutes } from "./routes-people.ts";
import { recordRoutes } from "./routes-records.ts";

const routes: AdminRoute[] = [...accountRoutes, ...messageRoutes, ...peopleRoutes, ...recordRoutes];

export function answerAdmin(request: IncomingMessage, response: ServerResponse, context: AdminContext): void {
  answer(request, response, context).catch((cause: unknown) => sendError(response, cause));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: AdminContext,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://emulator");
  if (request.method === "GET" && url.pathname === "/") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(frontPage(routes, context));
    return;
  }
  const found = findRoute(request.method ?? "GET", url.pathname);
  if (!found) throw new Refusal(404, `no route ${request.method ?? ""} ${url.pathname}; GET / lists them`);
  const body = await readBody(request);
  const result: unknown = await found.route.handle(
    { params: found.params, query: url.searchParams, body, response },
    context,
  );
  if (result !== STREAMED) sendJson(response, isRefused(result) ? 409 : 200, result ?? { ok: true });
}

/** A pairing that was refused is an answer, but not a success. */
const isRefused = (result: unknown): boolean =>
  typeof result === "object" && result !== null && "outcome" in result && result.outcome === "refused";

function findRoute(
  method: string,
  path: string,
): { route: AdminRoute; params: Record<string, string> } | undefined {
  for (const route of routes) {
    if (route.method !== method) continue;
    const params = match(route.path.split("/"), path.split("/"));
    if (params) return { route, params };
  }
  return undefined;
}

function match(pattern: string[], path: string[]): Record<string, string> | undefined {
  if (pattern.length !== path.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const given = path[index] ?? "";
    if (part.startsWith("{")) params[part.slice(1, -1)] = decodeURIComponent(given);
    else if (part !== given) return undefined;
  }
  return params;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer); // no encoding is set: node gives buffers
  const text = Buffer.concat(pieces).toString("utf8");
  if (text.trim() === "") return undefined;
  // A bare QR code is no JSON, whatever the client says of its type.
  if (!/^[[{"]/.test(text.trim())) return text.trim();
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Refusal(400, `the body is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function sendError(response: ServerResponse, cause: unknown): void {
  if (response.headersSent) return void response.destroy();
  if (cause instanceof Refusal) {
    sendJson(response, cause.status, { error: cause.message });
    return;
  }
  if (cause instanceof ZodError) {
    sendJson(response, 400, {
      error: cause.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`).join("; "),
    });
    return;
  }
  sendJson(response, 500, { error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) });
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
