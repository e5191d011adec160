/** Counting what became of records. */
import type { Tally } from "../state/bridge-state.ts";

export const NOTHING: Tally = { processed: 0, created: 0, updated: 0, unchanged: 0, errors: 0 };

export const addTally = (a: Tally, b: Tally): Tally => ({
  processed: a.processed + b.processed,
  created: a.created + b.created,
  updated: a.updated + b.updated,
  unchanged: a.unchanged + b.unchanged,
  errors: a.errors + b.errors,
});
