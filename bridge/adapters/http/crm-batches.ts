/**
 * Sends records in batches of at most a hundred and finds each one's result by its key. A batch refused as a whole is
 * halved until the record that is to blame stands alone; so is one over which the CRM fails again and again, while it is
 * well otherwise.
 */
import { z } from "zod";
import type { WriteResult } from "../../adapter.ts";
import { CrmUnavailable } from "../../errors.ts";
import type { Suspects } from "../suspects.ts";
import { CrmFault, CrmRefusal, mustBeWell, NOT_AS_AGREED, type AskTrouble } from "./crm-answer.ts";

const LARGEST_BATCH = 100;
const NO_RESULT = "the CRM did not say what became of this record";

/** A record as it is sent, and the key its result comes back under. */
export interface Keyed {
  key: string;
  item: object;
}

const resultSchema = z.object({
  key: z.string(),
  outcome: z.enum(["created", "updated", "unchanged", "missing", "rejected"]),
  id: z.union([z.string(), z.number()]).nullish(),
  error: z.string().nullish(),
});
const answerSchema = z.object({ results: z.array(z.unknown()) });

export interface BatchCall {
  send: (items: object[]) => Promise<unknown>;
  suspects: Suspects;
  /** With other questions: where the CRM has one there too, no record is to blame. */
  trouble: AskTrouble;
}

/** @throws CrmUnavailable, CrmMisconfigured: nothing is lost by sending all of them again */
export async function sendBatches(records: Keyed[], call: BatchCall): Promise<WriteResult[]> {
  const results: WriteResult[] = [];
  for (const batch of inBatches(records)) results.push(...(await sendKnownLast(batch, call)));
  return results;
}

/** Those that failed before come last: what the CRM takes before them shows whose fault it is. */
async function sendKnownLast(batch: Keyed[], call: BatchCall): Promise<WriteResult[]> {
  const isKnown = ({ key }: Keyed): boolean => call.suspects.isKnown(key);
  const ordered = [...batch.filter((one) => !isKnown(one)), ...batch.filter(isKnown)];
  const results = await sendBatch(ordered, call);
  const byKey = new Map(ordered.map(({ key }, n) => [key, results[n]]));
  return batch.map(({ key }) => byKey.get(key) ?? { outcome: "rejected", error: NO_RESULT });
}

async function sendBatch(batch: Keyed[], call: BatchCall): Promise<WriteResult[]> {
  const since = call.suspects.written();
  let sifted: Sifted[];
  try {
    sifted = await sift(batch, call);
  } catch (fault) {
    if (!(fault instanceof CrmFault) || (await call.trouble()) !== null) throw fault;
    // Only what repeats is the fault of a record. One that came alone is tried again whenever it comes again.
    sifted = batch.length === 1 ? [fault] : await sift(batch, call, { faults: { taken: 0, failed: [] } });
  }
  const settled = await settleFaults(batch, sifted, { call, since });
  const refusal = settled.find(isRefusal);
  if (refusal !== undefined) await mustBeWell(refusal, call.trouble);
  return settled.map((one) => (isRefusal(one) ? { outcome: "rejected", error: one.message } : one));
}

/** The CRM's failure, or its refusal, in the place of the result of a record that stands alone. */
type Sifted = WriteResult | CrmFault | CrmRefusal;
const isFault = (one: Sifted | undefined): one is CrmFault => one instanceof CrmFault;
const isRefusal = (one: WriteResult | CrmRefusal): one is CrmRefusal => one instanceof CrmRefusal;

/** More failures than that, and more than successes: the CRM fails, whatever it is sent. */
const FEW = 3;

interface Sifting {
  /** Also a batch over which the CRM fails is halved; what became of the records so far: how many, and whose keys. */
  faults?: { taken: number; failed: string[] };
  /** Of a batch that was refused as a whole. */
  isPart?: boolean;
}

async function sift(batch: Keyed[], call: BatchCall, sifting: Sifting = {}): Promise<Sifted[]> {
  const { faults } = sifting;
  try {
    const results = resultsOf(batch, await call.send(batch.map(({ item }) => item)));
    if (faults !== undefined) faults.taken += batch.length;
    noteTaken(batch, results, call.suspects);
    return results;
  } catch (error) {
    const isOfRecords = error instanceof CrmRefusal || (error instanceof CrmFault && faults !== undefined);
    if (!isOfRecords) throw error;
    if (batch.length > 1) return halved(batch, error, { call, sifting });
    if (error instanceof CrmFault && faults !== undefined) mustBeFew(batch, error, { call, faults });
    return [error];
  }
}

/** @throws CrmFault where they are not; who failed is remembered, and comes last the next time. */
function mustBeFew(
  batch: Keyed[],
  error: CrmFault,
  { call: { suspects }, faults }: { call: BatchCall; faults: NonNullable<Sifting["faults"]> },
): void {
  faults.failed.push(...batch.map(({ key }) => key));
  if (faults.failed.length <= faults.taken + FEW) return;
  if (faults.failed.every((key) => suspects.isToBlame(key))) return;
  const written = suspects.written();
  for (const key of faults.failed) suspects.failed(key, written);
  throw error;
}

async function halved(
  batch: Keyed[],
  error: CrmRefusal | CrmFault,
  { call, sifting }: { call: BatchCall; sifting: Sifting },
): Promise<Sifted[]> {
  // It takes many requests: not begun where all of them would be refused.
  if (error instanceof CrmRefusal && sifting.isPart !== true) await mustBeWell(error, call.trouble);
  const middle = Math.ceil(batch.length / 2);
  const part = { ...sifting, isPart: true };
  const first = await sift(batch.slice(0, middle), call, part);
  return [...first, ...(await sift(batch.slice(middle), call, part))];
}

/** Gives up the records that are to blame; who is not has the whole batch come again later. */
async function settleFaults(
  batch: Keyed[],
  sifted: Sifted[],
  { call, since }: { call: BatchCall; since: number },
): Promise<(WriteResult | CrmRefusal)[]> {
  const failed = sifted.filter(isFault).length;
  const isOfFew = failed < sifted.length && failed <= Math.max(FEW, sifted.length / 10);
  // Where it came alone, or all of them failed, it is tried again when it comes again, and not at once.
  const isAtOnce = failed < sifted.length;
  const tried: { key: string; result: Sifted }[] = [];
  for (const [n, record] of batch.entries()) {
    const found = sifted[n] ?? { outcome: "rejected", error: NO_RESULT };
    const result = isFault(found) ? await tryAlone(record, found, { call, since, isAtOnce }) : found;
    tried.push({ key: record.key, result });
  }
  const settled: (WriteResult | CrmRefusal)[] = [];
  for (const { key, result } of tried) {
    if (isFault(result)) {
      const isToBlame = call.suspects.isToBlame(key) || (isOfFew && call.suspects.isTried(key));
      if (!isToBlame || (await call.trouble()) !== null) throw result;
    }
    settled.push(isFault(result) ? { outcome: "rejected", error: result.message } : result);
  }
  return settled;
}

async function tryAlone(
  record: Keyed,
  fault: CrmFault,
  { call, since, isAtOnce }: { call: BatchCall; since: number; isAtOnce: boolean },
): Promise<Sifted> {
  const { suspects } = call;
  let result: Sifted = fault;
  suspects.failed(record.key, since);
  while (isAtOnce && !suspects.isTried(record.key)) {
    result = (await sift([record], call, { faults: { taken: 1, failed: [] } }))[0] ?? fault;
    if (!isFault(result)) break;
    suspects.failed(record.key, since);
  }
  return result;
}

function noteTaken(batch: Keyed[], results: WriteResult[], suspects: Suspects): void {
  for (const [n, { key }] of batch.entries()) {
    const outcome = results[n]?.outcome;
    suspects.taken(key, outcome === "created" || outcome === "updated");
  }
}

function resultsOf(batch: Keyed[], answer: unknown): WriteResult[] {
  const { results } = answerSchema.safeParse(answer).data ?? { results: [] };
  const byKey = new Map<string, z.infer<typeof resultSchema>>();
  for (const result of results) {
    const read = resultSchema.safeParse(result).data;
    if (read !== undefined) byKey.set(read.key, read);
  }
  const found = batch.map(({ key }) => byKey.get(key));
  // Silence about everything is a broken CRM, not so many bad records.
  if (batch.length > 0 && found.every((result) => result === undefined))
    throw new CrmUnavailable(NO_RESULT, NOT_AS_AGREED);
  return found.map((result): WriteResult => {
    if (result === undefined) return { outcome: "rejected", error: NO_RESULT };
    return {
      outcome: result.outcome,
      ...(result.id === undefined || result.id === null ? {} : { id: String(result.id) }),
      ...(result.error === undefined || result.error === null ? {} : { error: result.error }),
    };
  });
}

/** In the given order; a key comes once in a batch, or its result would not be its own. */
function inBatches(records: Keyed[]): Keyed[][] {
  const batches: Keyed[][] = [];
  let batch: Keyed[] = [];
  const keys = new Set<string>();
  for (const record of records) {
    if (batch.length === LARGEST_BATCH || keys.has(record.key)) {
      batches.push(batch);
      batch = [];
      keys.clear();
    }
    batch.push(record);
    keys.add(record.key);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
