/** The JSON object of a request: strict UTF-8, bounded in size, depth and members; an empty body is `{}`. */
import type { IncomingMessage } from "node:http";
import { HubError } from "../core/errors.ts";
import { mayHoldHalves, wellFormed } from "../core/well-formed.ts";
import { invalid } from "./errors.ts";
import { faultOfJson } from "./json-shape.ts";
import { readBody } from "./read-body.ts";

export const JSON_LIMIT = 256 * 1024;
/** Sends may carry a file as base64. */
export const SEND_LIMIT = 24 * 1024 * 1024;

const SHAPE = { depth: 32, members: 10_000 };
const BYTE_ORDER_MARK = "\uFEFF";

/** `application/json` in UTF-8, or no type at all. Form and text bodies are refused: a browser can send those unasked. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return true;
  const [type = "", ...parameters] = contentType
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = parameters.find((part) => part.startsWith("charset="))?.slice("charset=".length);
  return type === "application/json" && (charset === undefined || /^"?utf-?8"?$/.test(charset));
}

export async function readJson(request: IncomingMessage, maxBytes: number): Promise<Record<string, unknown>> {
  const bytes = await readBody(request, maxBytes);
  if (bytes.length === 0) return {};
  if (!isJson(request.headers["content-type"]))
    throw new HubError("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json in UTF-8.");
  return parseJson(bytes);
}

const malformed = (problem: string): HubError => invalid([{ path: "body", problem }]);

function parseJson(bytes: Buffer): Record<string, unknown> {
  const text = textOf(bytes);
  const fault = faultOfJson(text, SHAPE);
  if (fault !== null) throw malformed(fault);
  const value = valueOf(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed("must be a JSON object");
  return { ...value };
}

function textOf(bytes: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new HubError("VALIDATION_ERROR", "The body is not valid UTF-8.", { cause });
  }
  if (text.startsWith(BYTE_ORDER_MARK)) throw malformed("begins with a byte order mark");
  return text;
}

function valueOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return mayHoldHalves(text) ? wellFormed(value) : value;
  } catch (cause) {
    // The parser's own message quotes the body: it stays inside.
    throw new HubError("VALIDATION_ERROR", "The body is not valid JSON.", {
      details: { fields: [{ path: "body", problem: "is not valid JSON" }] },
      cause,
    });
  }
}
