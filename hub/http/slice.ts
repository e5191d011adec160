/** A page of a list that is short enough to be in memory; its cursor is the place to go on from. */
import type { Page, PageRequest } from "../core/page.ts";
import { invalid } from "./errors.ts";

export function slice<T>(all: T[], { page, limit, cursor }: PageRequest): Page<T> {
  const start = cursor === undefined ? (page - 1) * limit : placeOf(cursor);
  const end = start + limit;
  return {
    items: all.slice(start, end),
    total: all.length,
    nextCursor: end < all.length ? `at${end}` : null,
  };
}

function placeOf(cursor: string): number {
  const place = /^at(\d{1,9})$/.exec(cursor)?.[1];
  if (place === undefined) throw invalid([{ path: "query.cursor", problem: "is not a cursor of this list" }]);
  return Number(place);
}
