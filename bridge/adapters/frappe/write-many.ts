/**
 * Writes the records of a batch in few requests. A request for many is all or nothing: when the site refuses it, its
 * records go one by one, so that one bad record fails alone.
 */
import type { WriteResult } from "../../adapter.ts";
import { CrmUnavailable } from "../../errors.ts";
import type { Fields } from "./field-values.ts";
import { isDuplicate, SiteRefusal } from "./site-answer.ts";
import type { SiteTables, Update } from "./site-tables.ts";

/** A request of this many documents stays well below the ten seconds of a call. */
const AT_ONCE = 50;

export interface Insert {
  fields: Fields;
  /** Somebody else wrote a record of the same key meanwhile: what to do about this one then. */
  whenTaken(refusal: SiteRefusal): Promise<WriteResult>;
  done?(name: string): void;
}

export async function insertAll(
  tables: SiteTables,
  doctype: string,
  inserts: Insert[],
): Promise<WriteResult[]> {
  const results: WriteResult[] = [];
  for (const part of inParts(inserts)) results.push(...(await insertPart(tables, doctype, part)));
  return results;
}

async function insertPart(tables: SiteTables, doctype: string, part: Insert[]): Promise<WriteResult[]> {
  if (part.length > 1)
    try {
      const names = await tables.insertMany(
        doctype,
        part.map(({ fields }) => fields),
      );
      part.forEach(({ done }, index) => done?.(names[index] ?? ""));
      return names.map((id) => ({ outcome: "created", id }));
    } catch (error) {
      if (!(error instanceof SiteRefusal)) throw error;
    }
  const results: WriteResult[] = [];
  for (const one of part) results.push(await insertOne(tables, doctype, one));
  return results;
}

async function insertOne(
  tables: SiteTables,
  doctype: string,
  { fields, whenTaken, done }: Insert,
): Promise<WriteResult> {
  try {
    const id = await tables.insert(doctype, fields);
    done?.(id);
    return { outcome: "created", id };
  } catch (error) {
    if (!(error instanceof SiteRefusal)) throw error;
    return isDuplicate(error) ? whenTaken(error) : rejected(error);
  }
}

export async function updateAll(
  tables: SiteTables,
  doctype: string,
  updates: Update[],
): Promise<WriteResult[]> {
  const results: WriteResult[] = [];
  for (const part of inParts(updates)) {
    const failed = part.length > 1 ? await updatePart(tables, doctype, part) : null;
    for (const update of part)
      results.push(
        failed !== null && !failed.has(update.name)
          ? { outcome: "updated", id: update.name }
          : await updateOne(tables, doctype, update),
      );
  }
  return results;
}

async function updatePart(tables: SiteTables, doctype: string, part: Update[]): Promise<Set<string>> {
  try {
    return new Set(await tables.updateMany(doctype, part));
  } catch (error) {
    if (!(error instanceof SiteRefusal)) throw error;
    return new Set(part.map(({ name }) => name));
  }
}

export async function updateOne(tables: SiteTables, doctype: string, update: Update): Promise<WriteResult> {
  try {
    await tables.update(doctype, update);
    return { outcome: "updated", id: update.name };
  } catch (error) {
    if (!(error instanceof SiteRefusal)) throw error;
    // Deleted by a person since it was looked up: the next try creates it.
    if (error.status === 404) throw new CrmUnavailable(`${doctype}: the record went away`, { cause: error });
    return rejected(error);
  }
}

export const rejected = ({ message, excType }: SiteRefusal): WriteResult => ({
  outcome: "rejected",
  error: excType === "" ? message : `${excType}: ${message}`,
});

function inParts<T>(items: T[]): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) parts.push(items.slice(start, start + AT_ONCE));
  return parts;
}
