/** What is the same for every request: an id to quote, headers that run and frame nothing, one spelling of the path. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

const HEADERS: Record<string, string> = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

const ids = new WeakMap<IncomingMessage, string>();
export const requestIdOf = (request: IncomingMessage): string => ids.get(request) ?? "unknown";

export function openRequest(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const id = `req_${randomUUID()}`;
  ids.set(request, id);
  response.setHeader("X-Request-Id", id);
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  request.url = cleanPath(request.url ?? "/");
  next();
}

/** Clients build URLs by joining strings: doubled and trailing slashes must reach the same route. */
function cleanPath(url: string): string {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const single = path.replace(/\/{2,}/g, "/");
  return (
    (single.length > 1 && single.endsWith("/") ? single.slice(0, -1) : single) +
    (mark < 0 ? "" : url.slice(mark))
  );
}

/** An answer given before the whole body arrived: the caller may read it, but not go on sending for ever. */
const UNREAD_GRACE_MS = 1000;

export function cutUnreadBody(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  response.on("finish", () => {
    if (request.complete) return;
    request.resume();
    setTimeout(() => {
      if (!request.complete) request.socket.destroy();
    }, UNREAD_GRACE_MS).unref();
  });
  next();
}
