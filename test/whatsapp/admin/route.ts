/** One route of the admin API: where, what for, and what it does. The page and the README are made from these. */
import type { ServerResponse } from "node:http";
import type { z } from "zod";
import type { Trust } from "../emulator.ts";
import type { Operations } from "../operations.ts";

export interface AdminContext {
  operations: Operations;
  trust: () => Trust;
  wsUrl: () => string;
}

export interface AdminRequest {
  /** Values of the `{…}` in the path. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** Parsed when it was JSON, else the text; undefined when there was none. */
  body: unknown;
  response: ServerResponse;
}

export interface AdminRoute {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  summary: string;
  /** A body to begin with. */
  example?: unknown;
  /** What is returned becomes the JSON; STREAMED when the answer is already on its way. */
  handle(request: AdminRequest, context: AdminContext): unknown;
}

export const STREAMED = Symbol("streamed");

export const route = (definition: AdminRoute): AdminRoute => definition;

/** A number of the query, if it is there and is one. */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null || text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
}

export const textOf = (query: URLSearchParams, name: string): string | undefined =>
  query.get(name) ?? undefined;

export const read = <Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> =>
  schema.parse(body ?? {});
