/** One id per request: in the answer's header, in the log, and in what a caller quotes when asking for help. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { newId } from "../core/ids.ts";

const ids = new WeakMap<IncomingMessage, string>();

export const nameRequest =
  (now: () => Date) =>
  (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    const id = newId("req", now());
    ids.set(request, id);
    response.setHeader("X-Request-Id", id);
    next();
  };

export const requestIdOf = (request: IncomingMessage): string => ids.get(request) ?? "unknown";
