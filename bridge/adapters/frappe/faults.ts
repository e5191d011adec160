/**
 * Records over which the site fails while it takes others. One that failed again and again alone, with others written in
 * between, is rejected; as long as nothing else is written either, the site is away and no record is to blame.
 */
import type { WriteResult } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { isPassing } from "../../errors.ts";
import { createSuspects, type Suspects } from "../suspects.ts";
import { createLoneFaults } from "./lone-faults.ts";
import { SiteFault } from "./site-answer.ts";
import type { SiteTables } from "./site-tables.ts";

/** A write of one record, which may be done twice. */
export interface Alone {
  key: string;
  write: () => Promise<WriteResult>;
}

export interface Faults {
  /** Of one document type: what one table takes says nothing about another. To be looked at; `taken` tells of what was written. */
  of(doctype: string): Suspects;
  /** The site answered well about the record; `isWritten`: and wrote it. */
  taken(doctype: string, key: string, isWritten: boolean): void;
  /**
   * Writes one after the other. `since`: how much was written when the site failed over a request that had all of them in it.
   * @throws SiteFault for a record that failed and is not to blame yet: all may be written again
   */
  each(doctype: string, records: Alone[], since?: number): Promise<WriteResult[]>;
  /** As `each`, for work that is no proof of what the table takes. */
  orBlamed(doctype: string, key: string, work: () => Promise<WriteResult>): Promise<WriteResult>;
}

/** More failures than that may be the site's, which went away in the middle: then only what it takes later shows whose. */
const FEW = 3;

export function createFaults(tables: SiteTables, clock: Clock): Faults {
  const lone = createLoneFaults(clock);
  const byDoctype = new Map<string, Suspects>();
  const of = (doctype: string): Suspects => {
    const known = byDoctype.get(doctype) ?? createSuspects();
    byDoctype.set(doctype, known);
    return known;
  };

  const taken: Faults["taken"] = (doctype, key, isWritten) => {
    of(doctype).taken(key, isWritten);
    if (isWritten) lone.written(doctype);
  };

  const noteFailed = (doctype: string, key: string, since: number): void => {
    of(doctype).failed(key, since);
    lone.failed(doctype, key);
  };

  const isToBlame = async (doctype: string, key: string): Promise<boolean> => {
    const suspects = of(doctype);
    if (!suspects.isToBlame(key) && !(suspects.isTried(key) && lone.isToBlame(doctype, key))) return false;
    return isWell(doctype);
  };

  /** It may have gone away since it took the others. */
  const isWell = async (doctype: string): Promise<boolean> => {
    try {
      await tables.list(doctype, { fields: ["name"], filters: [], orderBy: "name asc", limit: 1 });
      return true;
    } catch (error) {
      if (isPassing(error)) return false;
      throw error;
    }
  };

  const tried = async (doctype: string, { key, write }: Alone): Promise<WriteResult | SiteFault> => {
    try {
      const result = await write();
      taken(doctype, key, result.outcome === "created" || result.outcome === "updated");
      return result;
    } catch (error) {
      if (error instanceof SiteFault) return error;
      throw error;
    }
  };

  /** Where others were written since it failed, it has all its tries at once; otherwise they come with the next calls. */
  const settled = async (doctype: string, record: Alone, fault: SiteFault): Promise<WriteResult> => {
    const suspects = of(doctype);
    const { key } = record;
    let last = fault;
    while (suspects.isOutlived(key) && !suspects.isTried(key)) {
      const again = await tried(doctype, record);
      if (!(again instanceof SiteFault)) return again;
      noteFailed(doctype, key, suspects.written());
      last = again;
    }
    if (!(await isToBlame(doctype, key))) throw last;
    return { outcome: "rejected", error: last.reason };
  };

  return {
    of,
    taken,
    each: async (doctype, records, since) => {
      const suspects = of(doctype);
      const results: WriteResult[] = [];
      const failed: { index: number; record: Alone; fault: SiteFault; at: number }[] = [];
      for (const [index, record] of records.entries()) {
        const result = await tried(doctype, record);
        if (!(result instanceof SiteFault)) {
          results[index] = result;
          continue;
        }
        failed.push({ index, record, fault: result, at: since ?? suspects.written() });
        const taken = index + 1 - failed.length;
        if (failed.length > taken + FEW && !suspects.isOutlived(record.key)) throw result;
      }
      const areFew = failed.length <= Math.max(FEW, records.length / 10);
      for (const { record, at } of failed) noteFailed(doctype, record.key, areFew ? at : suspects.written());
      for (const { index, record, fault } of failed) results[index] = await settled(doctype, record, fault);
      return results;
    },
    orBlamed: async (doctype, key, work) => {
      try {
        const result = await work();
        taken(doctype, key, false);
        return result;
      } catch (error) {
        if (!(error instanceof SiteFault)) throw error;
        noteFailed(doctype, key, of(doctype).written());
        if (!(await isToBlame(doctype, key))) throw error;
        return { outcome: "rejected", error: error.reason };
      }
    },
  };
}
