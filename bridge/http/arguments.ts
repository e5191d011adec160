/** Arguments of a method: JSON body, form body or query, as Frappe's callers send them; the body wins. */
import express, { type Request, type RequestHandler } from "express";

const LIMIT = "256kb";

/** Bodies without a type are taken as JSON: some clients send none. */
export const argumentParsers: RequestHandler[] = [
  express.json({
    limit: LIMIT,
    type: (request) => isOfType(request.headers["content-type"], "application/json", true),
  }),
  express.urlencoded({ limit: LIMIT, extended: false, parameterLimit: 200 }),
];

function isOfType(given: string | undefined, type: string, whenMissing: boolean): boolean {
  if (given === undefined) return whenMissing;
  return given.split(";", 1)[0]?.trim().toLowerCase() === type;
}

export function argumentsOf(request: Request): Record<string, unknown> {
  const body: unknown = request.body;
  return {
    ...queryOf(request),
    ...(typeof body === "object" && body !== null && !Array.isArray(body) ? body : {}),
  };
}

export const queryOf = (request: Request): Record<string, unknown> => {
  const url = request.originalUrl;
  const mark = url.indexOf("?");
  return mark < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(mark + 1)));
};
