/**
 * Records over which a CRM fails while it is well otherwise: a text that is too long for a column, an emoji that its tables
 * cannot hold. One that failed again and again, while the CRM took others, is to blame itself and is given up.
 */

/** So often a record is sent alone before it is given up. */
const TRIES = 3;
const MOST_REMEMBERED = 1_000;

interface Suspect {
  tries: number;
  /** How much the CRM had written when the record first failed. */
  since: number;
}

export interface Suspects {
  /** How much the CRM has written by now. */
  written(): number;
  /** The CRM took the record; `isWritten`: and had to write something for it. */
  taken(key: string, isWritten: boolean): void;
  /** The record failed alone. `since`: what was written before it was first tried, if it did not fail before. */
  failed(key: string, since: number): void;
  /** It failed, and was neither taken since nor forgotten. */
  isKnown(key: string): boolean;
  isTried(key: string): boolean;
  /** The CRM has written others since it first failed. */
  isOutlived(key: string): boolean;
  /** It had its tries, and is outlived. */
  isToBlame(key: string): boolean;
}

export function createSuspects(): Suspects {
  const suspects = new Map<string, Suspect>();
  let written = 0;

  const isTried = (key: string): boolean => (suspects.get(key)?.tries ?? 0) >= TRIES;
  const isOutlived = (key: string): boolean => written > (suspects.get(key)?.since ?? written);

  return {
    written: () => written,
    taken: (key, isWritten) => {
      suspects.delete(key);
      if (isWritten) written += 1;
    },
    failed: (key, since) => {
      const before = suspects.get(key) ?? { tries: 0, since };
      suspects.delete(key);
      suspects.set(key, { ...before, tries: before.tries + 1 });
      if (suspects.size <= MOST_REMEMBERED) return;
      for (const oldest of suspects.keys()) {
        suspects.delete(oldest);
        return;
      }
    },
    isKnown: (key) => suspects.has(key),
    isTried,
    isOutlived,
    isToBlame: (key) => isTried(key) && isOutlived(key),
  };
}
