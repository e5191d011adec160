/** Arguments of a method: JSON body, form body or query, as Frappe's callers send them; the body wins. */
import express, { type Request, type RequestHandler } from "express";
import { BridgeError } from "../errors.ts";
import { jsonProblem } from "./json-problem.ts";

const LIMIT = "256kb";

/** What a body says is told by the body itself: clients send JSON under any type, and none at all. */
export const argumentParsers: RequestHandler[] = [
  express.raw({ limit: LIMIT, type: () => true }),
  (request, _response, next) => {
    const bytes: unknown = request.body;
    const type = request.headers["content-type"] ?? "";
    request.body = bytes instanceof Buffer ? argumentsIn(bytes, type) : {};
    next();
  },
];

export const argumentsOf = (request: Request): Record<string, unknown> => ({
  ...queryOf(request),
  ...(request.body as Record<string, unknown>),
});

export const queryOf = (request: Request): Record<string, unknown> => {
  const url = request.originalUrl;
  const mark = url.indexOf("?");
  return mark < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(mark + 1)));
};

const invalid = (problem: string, cause?: unknown): BridgeError =>
  new BridgeError("VALIDATION_ERROR", problem, { cause });

function argumentsIn(bytes: Buffer, type: string): Record<string, unknown> {
  const kind = type.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const whole = textIn(bytes, type);
  const text = whole.trim();
  if (text === "") return {};
  const isJson = kind === "" || kind === "application/json" || kind.endsWith("+json");
  if (isJson || text.startsWith("{") || text.startsWith("[")) return jsonIn(whole);
  if (kind === "application/x-www-form-urlencoded") return Object.fromEntries(new URLSearchParams(text));
  throw invalid(
    "The body is neither a JSON object nor a form (application/x-www-form-urlencoded): send the arguments as one of these.",
  );
}

function textIn(bytes: Buffer, type: string): string {
  const [, charset = "utf-8"] = /;\s*charset="?([\w-]{1,40})/i.exec(type) ?? [];
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalid("The body cannot be read as text: send it as UTF-8.", cause);
  }
}

/** Nothing of the body is quoted: it may hold what no log and no screen should. */
function jsonIn(whole: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(whole.trim());
  } catch (cause) {
    throw invalid(`The body is not JSON: ${jsonProblem(whole)}.`, cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw invalid('The arguments must be a JSON object, such as {"name": "value"}.');
}
