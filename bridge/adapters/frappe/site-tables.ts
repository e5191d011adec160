/**
 * Documents of a Frappe site by type: found, inserted and updated, many at a time where Frappe has a call for it. Columns
 * that a site does not have are left out after its first refusal, remembered for a while and reported once.
 */
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import { createElapsed } from "../../elapsed.ts";
import type { Log } from "../../log.ts";
import type { Fields, Row } from "./field-values.ts";
import { cleaned, isEmpty } from "./field-values.ts";
import { expecting, SiteRefusal, unknownField, wantsObjects } from "./site-answer.ts";
import { fitsRequestLine, withQuery, type SiteCalls } from "./site-calls.ts";

export type Filter = [field: string, operator: string, value: string | number | (string | number)[]];

export interface ListQuery {
  fields: string[];
  filters: Filter[];
  /** Lists have no order of their own. */
  orderBy: string;
  groupBy?: string;
  start?: number;
  limit: number;
}

export interface Update {
  name: string;
  changes: Fields;
}

export interface SiteTables {
  list(doctype: string, query: ListQuery): Promise<Row[]>;
  /** Every row, page by page. */
  all(doctype: string, query: Omit<ListQuery, "start" | "limit">): Promise<Row[]>;
  count(doctype: string, filters: Filter[]): Promise<number>;
  /** Null when there is no such document. */
  get(doctype: string, name: string): Promise<Row | null>;
  /** @throws SiteRefusal */
  insert(doctype: string, fields: Fields): Promise<string>;
  /** One request, all or nothing; the names in the given order. @throws SiteRefusal */
  insertMany(doctype: string, documents: Fields[]): Promise<string[]>;
  /** @throws SiteRefusal; 404 when the document is gone */
  update(doctype: string, update: Update): Promise<void>;
  /** One request; the names of those that failed. */
  updateMany(doctype: string, updates: Update[]): Promise<string[]>;
  /** Moves every link to the new name; `merge` into a document that exists. @throws SiteRefusal */
  rename(doctype: string, from: string, into: string, merge: boolean): Promise<void>;
  remove(doctype: string, name: string): Promise<void>;
  lacks(doctype: string, field: string): boolean;
  /** What is missing is looked for anew. */
  forgetMissing(): void;
}

const PAGE = 500;
const listAnswer = z.union([
  z.object({ data: z.array(z.record(z.string(), z.unknown())) }),
  z.object({ message: z.array(z.record(z.string(), z.unknown())) }),
]);
const oneAnswer = z.object({
  data: z.looseObject({ name: z.union([z.string(), z.number()]).transform(String) }),
});

/** `count(name) as messages` → `{"COUNT": "name", "as": "messages"}` */
function asObject(field: string): string | Record<string, string> {
  const [, work, column = "", as = ""] = /^(\w+)\((\w+)\) as (\w+)$/.exec(field) ?? [];
  return work === undefined ? field : { [work.toUpperCase()]: column, as };
}

/** The site may be prepared beside a bridge that runs: what it lacked is then asked for again. */
const MISSING_FOR_MS = 10 * 60_000;

export function createSiteTables({
  calls,
  log,
  clock,
}: {
  calls: SiteCalls;
  log: Log;
  clock: Clock;
}): SiteTables {
  const elapsed = createElapsed(clock);
  /** By `doctype|field`, until when it counts as missing. */
  const missing = new Map<string, number>();
  const reported = new Set<string>();
  const keyOf = (doctype: string, field: string): string => `${doctype}|${field}`;
  const lacks = (doctype: string, field: string): boolean =>
    elapsed() < (missing.get(keyOf(doctype, field)) ?? 0);
  const known = (doctype: string, fields: Fields): Fields =>
    Object.fromEntries(
      Object.entries(cleaned(fields)).filter(
        ([field, value]) => value !== undefined && !lacks(doctype, field),
      ),
    );
  const miss = (doctype: string, field: string): void => {
    const key = keyOf(doctype, field);
    missing.set(key, elapsed() + MISSING_FOR_MS);
    if (reported.has(key)) return;
    reported.add(key);
    log.warn({ doctype, field, advice: "prepare the site to create it" }, "frappe.field_missing");
  };

  /** Frappe 16 wants what is counted as an object, and those before it know text alone. */
  let countsByObjects = false;

  const ask = async (doctype: string, query: ListQuery): Promise<Row[]> => {
    const fields = countsByObjects ? query.fields.map(asObject) : query.fields;
    const shared = {
      fields,
      filters: query.filters,
      order_by: query.orderBy,
      limit_start: query.start ?? 0,
      limit_page_length: query.limit,
      ...(query.groupBy === undefined ? {} : { group_by: query.groupBy }),
    };
    const path = `/api/resource/${encodeURIComponent(doctype)}`;
    const asPath = {
      ...shared,
      fields: JSON.stringify(fields),
      filters: JSON.stringify(query.filters),
    };
    // A question too long for a request line is put to the method behind the same list.
    const answer = fitsRequestLine(withQuery(path, asPath))
      ? await calls.ask(path, asPath)
      : await calls.askMethod("frappe.client.get_list", { doctype, ...shared });
    const read = expecting(listAnswer, answer);
    return "data" in read ? read.data : read.message;
  };

  const list = async (doctype: string, query: ListQuery): Promise<Row[]> => {
    for (;;) {
      const fields = query.fields.filter((field) => !lacks(doctype, field));
      const asObjects = countsByObjects;
      try {
        const rows = await ask(doctype, { ...query, fields });
        // Some releases leave such a column out without a word.
        const [first] = rows;
        if (first !== undefined)
          for (const field of fields) if (/^\w+$/.test(field) && !(field in first)) miss(doctype, field);
        return rows;
      } catch (error) {
        if (error instanceof SiteRefusal && wantsObjects(error) && !asObjects) {
          countsByObjects = true;
          continue;
        }
        const field = error instanceof SiteRefusal ? unknownField(error) : null;
        if (field === null || !fields.includes(field)) throw error;
        miss(doctype, field);
      }
    }
  };

  const pathOf = (doctype: string, name?: string): string =>
    `/api/resource/${encodeURIComponent(doctype)}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;

  const tables: SiteTables = {
    list,
    all: async (doctype, query) => {
      const rows: Row[] = [];
      for (;;) {
        const page = await list(doctype, { ...query, start: rows.length, limit: PAGE });
        rows.push(...page);
        if (page.length < PAGE) return rows;
      }
    },
    count: async (doctype, filters) => {
      const answer = await calls.askMethod("frappe.client.get_count", { doctype, filters });
      return expecting(z.object({ message: z.coerce.number() }), answer).message;
    },
    get: async (doctype, name) => {
      try {
        return expecting(oneAnswer, await calls.ask(pathOf(doctype, name))).data;
      } catch (error) {
        if (error instanceof SiteRefusal && error.status === 404) return null;
        throw error;
      }
    },
    insert: async (doctype, fields) =>
      expecting(oneAnswer, await calls.write("POST", pathOf(doctype), known(doctype, fields))).data.name,
    insertMany: async (doctype, documents) => {
      const docs = documents.map((fields) => ({ doctype, ...known(doctype, fields) }));
      const answer = await calls.write("POST", "/api/method/frappe.client.insert_many", { docs });
      return expecting(z.object({ message: z.array(z.string()).length(docs.length) }), answer).message;
    },
    update: async (doctype, { name, changes }) => {
      const body = known(doctype, changes);
      if (isEmpty(body)) return;
      const put = (): Promise<unknown> => calls.write("PUT", pathOf(doctype, name), body);
      try {
        await put();
      } catch (error) {
        // Somebody saved the document between the site's own read and write of it.
        if (!(error instanceof SiteRefusal && error.excType === "TimestampMismatchError")) throw error;
        await put();
      }
    },
    updateMany: async (doctype, updates) => {
      const docs = updates.map(({ name, changes }) => ({
        doctype,
        docname: name,
        ...known(doctype, changes),
      }));
      const answer = await calls.write("POST", "/api/method/frappe.client.bulk_update", {
        docs: JSON.stringify(docs),
      });
      return expecting(bulkAnswer, answer).message.failed_docs.flatMap(
        ({ doc }) => doc.docname ?? doc.name ?? [],
      );
    },
    rename: async (doctype, from, into, merge) => {
      const args = { doctype, old_name: from, new_name: into, merge: merge ? 1 : 0 };
      await calls.write("POST", "/api/method/frappe.client.rename_doc", args);
    },
    remove: async (doctype, name) => {
      await calls.write("DELETE", pathOf(doctype, name));
    },
    lacks,
    forgetMissing: () => missing.clear(),
  };
  return tables;
}

const bulkAnswer = z.object({
  message: z.object({
    failed_docs: z.array(
      z.object({ doc: z.looseObject({ docname: z.string().optional(), name: z.string().optional() }) }),
    ),
  }),
});
