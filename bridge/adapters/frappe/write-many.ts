/**
 * Writes the records of a batch in few requests. A request for many is all or nothing: when the site refuses it, or fails
 * over it, its records go one by one, so that one bad record fails alone.
 */
import type { WriteResult } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { CrmUnavailable } from "../../errors.ts";
import { createFaults, type Beside, type Kind } from "./faults.ts";
import type { Fields } from "./field-values.ts";
import { isDuplicate, reasonOf, SiteFault, SiteRefusal } from "./site-answer.ts";
import type { SiteTables, Update } from "./site-tables.ts";

/** A request of this many documents stays well below the ten seconds of a call. */
const AT_ONCE = 50;

export interface Insert {
  /** Tells the record from all others of its type. */
  key: string;
  fields: Fields;
  /** Somebody else wrote a record of the same key meanwhile: what to do about this one then. */
  whenTaken(refusal: SiteRefusal): Promise<WriteResult>;
  done?(name: string): void;
}

/** Results in the order of what is to be written. A record over which the site fails while it takes others is rejected. */
export interface Writes {
  insertAll(doctype: string, inserts: Insert[]): Promise<WriteResult[]>;
  updateAll(doctype: string, updates: Update[]): Promise<WriteResult[]>;
  updateOne(doctype: string, update: Update): Promise<WriteResult>;
  /** Work of several changes, given up as a record of this type is: after some calls, while the table takes others. */
  orBlamed(doctype: string, key: string, work: () => Promise<WriteResult>): Promise<WriteResult>;
}

/** How the records of a call are written: many in one request, and each alone. */
interface Ways<T> {
  keyOf(record: T): string;
  /** Null in the place of a record that must be written alone. @throws SiteRefusal, SiteFault: all of them must */
  many(part: T[]): Promise<(WriteResult | null)[]>;
  one(record: T): Promise<WriteResult>;
}

export function createWrites(tables: SiteTables, clock: Clock): Writes {
  const faults = createFaults(tables, clock);

  async function write<T>(kind: Kind, records: T[], ways: Ways<T>): Promise<WriteResult[]> {
    const suspects = faults.of(kind);
    const indexed = records.map((record, index) => ({ record, index, key: ways.keyOf(record) }));
    const known = indexed.filter(({ key }) => suspects.isKnown(key));
    const results: WriteResult[] = [];
    const begun = suspects.written();
    const alone = async (few: typeof indexed, beside: Beside = {}): Promise<void> => {
      const written = await faults.each(
        kind,
        few.map(({ record, key }) => ({ key, write: () => ways.one(record) })),
        { ...beside, begun },
      );
      few.forEach(({ index }, n) => {
        results[index] = written[n] ?? { outcome: "rejected", error: "not written" };
      });
    };

    for (const part of inParts(indexed.filter((one) => !known.includes(one)))) {
      const since = suspects.written();
      const { settled, isRefused } = await inOneRequest(
        part.map(({ record }) => record),
        ways,
      );
      part.forEach(({ index, key }, n) => {
        const result = settled[n] ?? null;
        if (result === null) return;
        faults.taken(kind, key, true);
        results[index] = result;
      });
      const left = part.filter((_, n) => (settled[n] ?? null) === null);
      // What a refusal kept from being written was not failed over.
      await alone(left, {
        since: part.length > 1 && !isRefused ? since : undefined,
        taken: part.length - left.length,
      });
    }
    // Last, and apart: the others are written whatever becomes of these.
    await alone(known);
    return results;
  }

  const insertOne = async (doctype: string, { fields, whenTaken, done }: Insert): Promise<WriteResult> => {
    try {
      const id = await tables.insert(doctype, fields);
      done?.(id);
      return { outcome: "created", id };
    } catch (error) {
      if (!(error instanceof SiteRefusal)) throw error;
      return isDuplicate(error) ? whenTaken(error) : rejected(error);
    }
  };

  const updateOne = async (doctype: string, update: Update): Promise<WriteResult> => {
    try {
      await tables.update(doctype, update);
      return { outcome: "updated", id: update.name };
    } catch (error) {
      if (!(error instanceof SiteRefusal)) throw error;
      // Deleted by a person since it was looked up: the next try creates it.
      if (error.status === 404)
        throw new CrmUnavailable(`${doctype}: the record went away`, { cause: error });
      return rejected(error);
    }
  };

  const updateAll = (doctype: string, updates: Update[]): Promise<WriteResult[]> =>
    write({ doctype, way: "update" }, updates, {
      keyOf: ({ name }) => name,
      one: (update) => updateOne(doctype, update),
      many: async (part) => {
        const failed = new Set(await tables.updateMany(doctype, part));
        return part.map(({ name }) => (failed.has(name) ? null : { outcome: "updated", id: name }));
      },
    });

  return {
    insertAll: (doctype, inserts) =>
      write({ doctype, way: "insert" }, inserts, {
        keyOf: ({ key }) => key,
        one: (insert) => insertOne(doctype, insert),
        many: async (part) => {
          const names = await tables.insertMany(
            doctype,
            part.map(({ fields }) => fields),
          );
          part.forEach(({ done }, index) => done?.(names[index] ?? ""));
          return names.map((id) => ({ outcome: "created", id }));
        },
      }),
    updateAll,
    updateOne: async (doctype, update) =>
      (await updateAll(doctype, [update]))[0] ?? { outcome: "rejected", error: "not written" },
    orBlamed: (doctype, key, work) => faults.orBlamed({ doctype, way: "update" }, key, work),
  };
}

async function inOneRequest<T>(
  part: T[],
  { many }: Pick<Ways<T>, "many">,
): Promise<{ settled: (WriteResult | null)[]; isRefused: boolean }> {
  if (part.length === 1) return { settled: [], isRefused: false };
  try {
    return { settled: await many(part), isRefused: false };
  } catch (error) {
    if (!(error instanceof SiteRefusal) && !(error instanceof SiteFault)) throw error;
    return { settled: [], isRefused: error instanceof SiteRefusal };
  }
}

export const rejected = ({ message, excType }: SiteRefusal): WriteResult => ({
  outcome: "rejected",
  error: reasonOf(excType, message),
});

/** As few as may be and alike: one record that is left over would go without any others beside it. */
function inParts<T>(items: T[]): T[][] {
  const size = Math.ceil(items.length / Math.ceil(items.length / AT_ONCE));
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}
