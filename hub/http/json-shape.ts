/**
 * JSON text checked before it is parsed: how deep, how many members, and no member twice. A second member of the same
 * name would silently win in `JSON.parse`, and a proxy in front may have looked at the first.
 */
export interface JsonLimits {
  depth: number;
  members: number;
}

export type JsonFault =
  "is nested too deep" | "has too many members" | "names a member twice" | "is not valid JSON";

/** What was seen so far: the names of each open object (null for an open array), and how many names in all. */
interface Seen {
  open: (Set<string> | null)[];
  members: number;
}

/** The first fault, or null. Malformed text may pass: `JSON.parse` judges it. Numbers and words are skipped unseen. */
export function faultOfJson(text: string, limits: JsonLimits): JsonFault | null {
  const seen: Seen = { open: [], members: 0 };
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(text, at);
      const fault = end < 0 ? "is not valid JSON" : faultOfString(text, at, end, { seen, limits });
      if (fault !== null) return fault;
      at = end;
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      if (seen.open.push(char === OPEN_OBJECT ? new Set() : null) > limits.depth) return "is nested too deep";
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) seen.open.pop();
  }
  return null;
}

function faultOfString(
  text: string,
  start: number,
  end: number,
  { seen, limits }: { seen: Seen; limits: JsonLimits },
): JsonFault | null {
  const names = seen.open.at(-1);
  if (!names || !isName(text, end)) return null;
  if (++seen.members > limits.members) return "has too many members";
  const name = decoded(text.slice(start, end + 1));
  if (name === null) return "is not valid JSON";
  if (names.has(name)) return "names a member twice";
  names.add(name);
  return null;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** Index of the closing quote of the string that begins at `start`; -1 without one. Long strings are skipped at once. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}

/** A string followed by a colon is the name of a member. */
function isName(text: string, end: number): boolean {
  let at = end + 1;
  while (WHITESPACE.has(text.charCodeAt(at))) at++;
  return text.charAt(at) === ":";
}

const WHITESPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

function decoded(quoted: string): string | null {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    const name: unknown = JSON.parse(quoted);
    return typeof name === "string" ? name : null;
  } catch {
    return null; // a bad escape: the caller says so
  }
}
