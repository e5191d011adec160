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

/** What one table takes says nothing about another, nor one that takes changes about new documents: hooks of a site are of one way. */
export interface Kind {
  doctype: string;
  way: "insert" | "update";
}

/** A write of one record, which may be done twice. */
export interface Alone {
  key: string;
  write: () => Promise<WriteResult>;
}

export interface Faults {
  /** To be looked at; `taken` tells of what was written. */
  of(kind: Kind): Suspects;
  /** The site answered well about the record; `isWritten`: and wrote it. */
  taken(kind: Kind, key: string, isWritten: boolean): void;
  /**
   * Writes one after the other.
   * @throws SiteFault for a record that failed and is not to blame yet: all may be written again
   */
  each(kind: Kind, records: Alone[], beside?: Beside): Promise<WriteResult[]>;
  /** As `each`, for work that is no proof of what the table takes. */
  orBlamed(kind: Kind, key: string, work: () => Promise<WriteResult>): Promise<WriteResult>;
}

export interface Beside {
  /** How much was written when the site failed over a request that had all of these in it. */
  since?: number | undefined;
  /** So many others were in that request, and were written. */
  taken?: number;
  /** How much was written when the call began that these records came with. */
  begun?: number;
}

/** More failures than that may be the site's, which went away in the middle: then only what it takes later shows whose. */
const FEW = 3;

export function createFaults(tables: SiteTables, clock: Clock): Faults {
  const lone = createLoneFaults(clock);
  const byKind = new Map<string, Suspects>();
  const of = (kind: Kind): Suspects => {
    const known = byKind.get(nameOf(kind)) ?? createSuspects();
    byKind.set(nameOf(kind), known);
    return known;
  };

  const taken: Faults["taken"] = (kind, key, isWritten) => {
    of(kind).taken(key, isWritten);
    if (isWritten) lone.written(nameOf(kind));
  };

  const noteFailed = (kind: Kind, key: string, since: number): void => {
    of(kind).failed(key, since);
    lone.failed(nameOf(kind), key);
  };

  const isToBlame = async (kind: Kind, key: string): Promise<boolean> => {
    const suspects = of(kind);
    if (!suspects.isToBlame(key) && !(suspects.isTried(key) && lone.isToBlame(nameOf(kind), key)))
      return false;
    return isWell(kind.doctype);
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

  const tried = async (kind: Kind, { key, write }: Alone): Promise<WriteResult | SiteFault> => {
    try {
      const result = await write();
      taken(kind, key, result.outcome === PROOF[kind.way]);
      return result;
    } catch (error) {
      if (error instanceof SiteFault) return error;
      throw error;
    }
  };

  /**
   * Where others were written in the same call, it has all its tries at once. Otherwise they come with the next calls: tries
   * within a moment would tell nothing of a site that fails for a moment.
   */
  const settled = async (
    kind: Kind,
    { record, fault, isAtOnce }: { record: Alone; fault: SiteFault; isAtOnce: boolean },
  ): Promise<WriteResult> => {
    const suspects = of(kind);
    const { key } = record;
    let last = fault;
    while (isAtOnce && suspects.isOutlived(key) && !suspects.isTried(key)) {
      const again = await tried(kind, record);
      if (!(again instanceof SiteFault)) return again;
      noteFailed(kind, key, suspects.written());
      last = again;
    }
    if (!(await isToBlame(kind, key))) throw last;
    return { outcome: "rejected", error: last.reason };
  };

  return {
    of,
    taken,
    each: async (kind, records, { since, begun, taken: others = 0 } = {}) => {
      const suspects = of(kind);
      const before = begun ?? suspects.written();
      const results: WriteResult[] = [];
      const failed: Failed[] = [];
      const note = (sinceOf: (one: Failed) => number): void => {
        for (const one of failed) noteFailed(kind, one.record.key, sinceOf(one));
      };
      for (const [index, record] of records.entries()) {
        const result = await tried(kind, record);
        if (!(result instanceof SiteFault)) {
          results[index] = result;
          continue;
        }
        failed.push({ index, record, fault: result, at: since ?? suspects.written() });
        const good = others + index + 1 - failed.length;
        if (failed.length <= good + FEW || suspects.isOutlived(record.key)) continue;
        // Remembered all the same: next time they go last, and what is written before them shows whose fault it is.
        note(() => suspects.written());
        throw result;
      }
      const areFew = failed.length <= Math.max(FEW, (others + records.length) / 10);
      note(({ at }) => (areFew ? at : suspects.written()));
      const isAtOnce = suspects.written() > before;
      for (const { index, ...one } of failed) results[index] = await settled(kind, { ...one, isAtOnce });
      return results;
    },
    orBlamed: async (kind, key, work) => {
      try {
        const result = await work();
        taken(kind, key, false);
        return result;
      } catch (error) {
        if (!(error instanceof SiteFault)) throw error;
        noteFailed(kind, key, of(kind).written());
        if (!(await isToBlame(kind, key))) throw error;
        return { outcome: "rejected", error: error.reason };
      }
    },
  };
}

interface Failed {
  index: number;
  record: Alone;
  fault: SiteFault;
  /** How much was written before it was tried. */
  at: number;
}

const nameOf = ({ doctype, way }: Kind): string => `${doctype}|${way}`;

/** An insert that found its record there already, and changed it, is no insert that the table took. */
const PROOF = { insert: "created", update: "updated" } as const;
