/** Cursors of lists: where a page ended, bound to the list, its filters and its order. At most 200 characters. */
import { createHash } from "node:crypto";
import { HubError } from "../../core/errors.ts";

export type CursorKey = string | number;

interface Binding {
  list: string;
  bound: Record<string, unknown>;
}

export const encodeCursor = (keys: CursorKey[], binding: Binding): string =>
  Buffer.from(JSON.stringify([printOf(binding), ...keys])).toString("base64url");

/** The keys inside, or `VALIDATION_ERROR` when this list with these filters did not make it. */
export function decodeCursor(cursor: string, { keys, ...binding }: Binding & { keys: number }): CursorKey[] {
  const [print, ...values] = parse(cursor);
  if (print !== printOf(binding) || values.length !== keys || !values.every(isKey))
    throw new HubError(
      "VALIDATION_ERROR",
      "The cursor does not belong to this list, its filters and its order.",
      {
        details: { fields: [{ path: "cursor", problem: "not made for this list" }] },
      },
    );
  return values;
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    // Whatever the text is, it is not ours: the caller refuses the empty list.
    return [];
  }
}

const isKey = (value: unknown): value is CursorKey => typeof value === "string" || typeof value === "number";

const printOf = ({ list, bound }: Binding): string =>
  createHash("sha256")
    .update(JSON.stringify([list, bound]))
    .digest("base64url")
    .slice(0, 8);
