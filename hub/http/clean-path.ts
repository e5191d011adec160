/** Clients build URLs by joining strings: doubled and trailing slashes must reach the same route. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { invalid } from "./errors.ts";

const MAX_URL = 4096;

/** `//api//sessions/?a=/` → `/api/sessions?a=/`; the query stays as it is. */
export function cleanPath(url: string): string {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? "" : url.slice(mark);
  const single = path.replace(/\/{2,}/g, "/");
  return (single.length > 1 && single.endsWith("/") ? single.slice(0, -1) : single) + query;
}

export function cleanPaths(
  request: IncomingMessage,
  _response: ServerResponse,
  next: (error?: unknown) => void,
): void {
  const url = request.url ?? "/";
  if (url.length > MAX_URL) {
    next(invalid([{ path: "url", problem: `is longer than ${MAX_URL} characters` }]));
    return;
  }
  request.url = cleanPath(url);
  next();
}
